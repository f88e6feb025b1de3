"""Starts one worker, watches it, and records how it ended, whatever happens to the orchestrator.

Run as a file of its own (`python -I -S launcher.py ATTEMPT_FOLDER`), with the standard library alone, so that it
starts fast and nothing of the workspace can get into it. Of all launchers ever started for one attempt exactly one
starts the worker: the first that holds `claim.lock` while neither `started.json` nor `exit.json` stands.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from typing import Any

ALREADY_CLAIMED = 75
GRACE_S = 2.0
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

Launched = subprocess.Popen[bytes]


def main(folder: str) -> int:
    """Claim the attempt in `folder`, run its worker to the end, record the end. Returns an exit status."""
    worker_umask = os.umask(0o077)
    os.chdir(folder)
    claim = os.open("claim.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(claim, fcntl.LOCK_EX)
    if os.path.exists("started.json") or os.path.exists("exit.json"):
        return ALREADY_CLAIMED
    with open("launch.json", encoding="utf-8") as file:
        launch = json.load(file)
    # Whatever the worker leaves in the background becomes our child, also behind setsid and a double fork.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    began = {"launcher_pid": os.getpid(), "launcher_started": _start_ticks(os.getpid()), "started_at": time.time()}
    _record("started.json", began)
    _record("exit.json", {**began, **_run(launch, began, worker_umask)})
    return 0


def _run(launch: dict[str, Any], began: dict[str, Any], worker_umask: int) -> dict[str, Any]:
    clock = time.monotonic()
    stop = _Stop()
    signal.signal(signal.SIGTERM, stop.on_request)
    signal.signal(signal.SIGALRM, stop.on_alarm)
    try:
        worker = _start(launch, worker_umask)
    except OSError as error:
        reason = f"cannot start {launch['argv'][0]!r}: {error.strerror}"
        return {"outcome": "not_started", "exit_code": None, "reason": reason, "ended_at": time.time()}
    _record("started.json", {**began, "worker_pid": worker.pid})
    stop.watch(worker, launch["timeout_s"])
    code = worker.wait()
    signal.setitimer(signal.ITIMER_REAL, 0)
    _end_family()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "outcome": stop.outcome,
        "exit_code": code if code >= 0 else 128 - code,
        "signal": -code if code < 0 else None,
        "reason": stop.reason,
        "ended_at": time.time(),
        "duration_s": round(time.monotonic() - clock, 6),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 6),
        "max_rss_bytes": usage.ru_maxrss * 1024,
    }


def _start(launch: dict[str, Any], worker_umask: int) -> Launched:
    given = launch.get("stdin") or os.devnull
    with open("stdout.log", "wb") as out, open("stderr.log", "wb") as err, open(given, "rb") as stdin:
        return subprocess.Popen(
            launch["argv"],
            cwd=launch["cwd"],
            env={**os.environ, **launch["env"]},
            stdin=stdin,
            stdout=out,
            stderr=err,
            start_new_session=True,
            umask=worker_umask,
            preexec_fn=partial(_die_with_launcher, os.getpid()),
        )


def _die_with_launcher(launcher: int) -> None:
    # A worker whose launcher is gone could never be found again, and must not go on beside its successor.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != launcher:
        os.kill(os.getpid(), signal.SIGKILL)


class _Stop:
    """Ends the worker's process group early: TERM on request or when its time is up, KILL after a grace."""

    def __init__(self) -> None:
        self.worker: Launched | None = None
        self.outcome = "finished"
        self.reason = ""
        self._timeout_s = 0.0

    def watch(self, worker: Launched, timeout_s: float) -> None:
        self.worker = worker
        self._timeout_s = timeout_s
        if self.outcome == "finished":
            signal.setitimer(signal.ITIMER_REAL, timeout_s)
        else:
            self._terminate()

    def on_request(self, _signal: int, _frame: object) -> None:
        if self.outcome == "finished":
            self.outcome, self.reason = "stopped", "stopped on request"
            self._terminate()

    def on_alarm(self, _signal: int, _frame: object) -> None:
        if self.outcome != "finished":
            self._signal(signal.SIGKILL)
            return
        self.outcome, self.reason = "timed_out", f"still running after {self._timeout_s:g} s"
        self._terminate()

    def _terminate(self) -> None:
        self._signal(signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)

    def _signal(self, number: int) -> None:
        if self.worker is not None:
            _signal_group(self.worker, number)


def _signal_group(worker: Launched, number: int) -> None:
    try:
        os.killpg(worker.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _end_family() -> None:
    """Kill every descendant that is left, and reap it: what goes on working could change what is verified next."""
    while True:
        for pid in _children(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children(parent: int) -> list[int]:
    numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [number for number in numbers if _stat_field(number, 4) == parent]


def _start_ticks(pid: int) -> int | None:
    return _stat_field(pid, 22)


def _stat_field(pid: int, number: int) -> int | None:
    # Fields of /proc/PID/stat are counted behind the last ')', because the program's name may hold anything.
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[number - 3])
    except (OSError, ValueError, IndexError):
        return None


def _record(name: str, values: dict[str, Any]) -> None:
    temporary = f".{name}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(values, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, name)
    folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    os.close(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
