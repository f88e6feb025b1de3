"""Starts one worker, watches it, and records how it ended, whatever happens to the orchestrator.

Of all launchers ever started for one attempt exactly one starts the worker: the first that holds `claim.lock` while
neither `started.json` nor `exit.json` stands.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import time

from .family import end_family, signal_family, spawn
from .masking import Masker
from .pump import Budget, Pump, Sink
from .records import Launch, read_launch, write_record
from .system import SIGKILL, SIGTERM, adopt_orphans, signal_file, start_ticks
from .variables import chosen, masker_for

NOTHING_STARTED = 75
GRACE_S = 2.0
# Whoever started us is as good as gone where it does not bring to the disk in this time what is asked for.
_GO_S = 60.0
_FAILPOINT = "WAYPOST_LAUNCHER_FAILPOINT"


def main(folder: str, go: int) -> int:
    """Claim the attempt in `folder`, run its worker to the end, record the end. Returns an exit status.

    Args:
        go: a descriptor that brings a byte once all that was written for the attempt is on the disk.
    """
    worker_umask = os.umask(0o077)
    os.chdir(folder)
    failpoint("begun")
    claim = os.open("claim.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(claim, fcntl.LOCK_EX)
    if os.path.exists("started.json") or os.path.exists("exit.json"):
        return NOTHING_STARTED
    launch = read_launch()
    stop = signal_file(SIGTERM)
    adopt_orphans()
    failpoint("claimed")
    began: dict[str, object] = {
        "launcher_pid": os.getpid(),
        "launcher_started": start_ticks(os.getpid()),
        "started_at": time.time(),
    }
    if not _is_told(go):
        return NOTHING_STARTED
    write_record("started.json", began, sync=True)
    failpoint("recorded_start")
    ended = _run(launch, began, stop, worker_umask)
    failpoint("before_end")
    write_record("exit.json", {**began, **ended}, sync=True)
    failpoint("recorded_end")
    return 0


def failpoint(name: str) -> None:
    """Die here by SIGKILL if the environment says `NAME:FILE`, once: whoever can make FILE dies."""
    wanted, _, once = os.environ.get(_FAILPOINT, "").partition(":")
    if wanted == name:
        try:
            os.close(os.open(once, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC))
        except FileExistsError:
            return
        os.kill(os.getpid(), SIGKILL)


def _is_told(go: int) -> bool:
    """Wait for the word to go on; False where whoever started us has gone."""
    poll = select.poll()
    poll.register(go, select.POLLIN)
    told = bool(poll.poll(_GO_S * 1000)) and bool(os.read(go, 1))
    os.close(go)
    return told


def _run(launch: Launch, began: dict[str, object], stop: int, worker_umask: int) -> dict[str, object]:
    clock = time.monotonic()
    masker = masker_for(os.environ, launch.secret)
    budget, pump = Budget(launch.output_limit_bytes), Pump()
    outputs = _output("stdout.log", pump, masker, budget), _output("stderr.log", pump, masker, budget)
    try:
        worker = _start(launch, outputs, worker_umask)
    except OSError as error:
        reason = f"cannot start {launch.argv[0]!r}: {error.strerror}"
        return {"outcome": "not_started", "exit_code": None, "reason": _hide(masker, reason), "ended_at": time.time()}
    finally:
        for fd in outputs:
            os.close(fd)
    failpoint("started_worker")
    # Not synced: it is for people, and whoever finds the file at all knows that the attempt was begun.
    write_record("started.json", {**began, "worker_pid": worker}, sync=False)
    watch = _Watch(worker, pump, budget, launch.timeout_s)
    watch.until_end(stop)
    _, status = os.waitpid(worker, 0)
    failpoint("ended_worker")
    code = os.waitstatus_to_exitcode(status)
    pump.drain()
    end_family()
    pump.drain()
    pump.close()
    watch.judge_disk()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "outcome": watch.outcome,
        "exit_code": code if code >= 0 else 128 - code,
        "signal": -code if code < 0 else None,
        "reason": watch.reason,
        "ended_at": time.time(),
        "duration_s": round(time.monotonic() - clock, 6),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 6),
        "max_rss_bytes": usage.ru_maxrss * 1024,
        "output_bytes": budget.seen,
    }


def _output(name: str, pump: Pump, masker: Masker, budget: Budget) -> int:
    return pump.pipe(Sink(name, masker.stream(), budget))


def _start(launch: Launch, outputs: tuple[int, int], worker_umask: int) -> int:
    """Fork and execute; the pid of the worker.

    Raises:
        OSError: its standard input, its folder or its program cannot be used.
    """
    environ = {**chosen(os.environ, launch.allow), **launch.env}
    given = os.open(launch.stdin or os.devnull, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return spawn(launch.argv, environ, (given, *outputs), cwd=launch.cwd, umask=worker_umask)
    finally:
        os.close(given)


class _Watch:
    """Moves output until the worker has ended. Ends it early, by TERM and then KILL, on request or at a limit."""

    def __init__(self, worker: int, pump: Pump, budget: Budget, timeout_s: float) -> None:
        self.outcome, self.reason = "finished", ""
        self._worker, self._pump, self._budget = worker, pump, budget
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s

    def until_end(self, stop: int) -> None:
        """Returns once the worker has ended; it is not waited for yet."""
        poll = select.poll()
        ended = os.pidfd_open(self._worker)
        for fd in (stop, ended, *self._pump.fds):
            poll.register(fd, select.POLLIN)
        while True:
            left_s = self._deadline - time.monotonic()
            ready = [fd for fd, _ in poll.poll(max(0.0, min(left_s, 3600.0)) * 1000)]
            for fd in ready:
                if fd == stop:
                    os.read(stop, 128)
                    self._end("stopped", "stopped on request")
                elif fd != ended and not self._pump.read(fd) and fd not in self._pump.fds:
                    poll.unregister(fd)
            if ended in ready:
                os.close(ended)
                return
            self._judge_output()
            if time.monotonic() >= self._deadline:
                self._on_deadline()

    def judge_disk(self) -> None:
        """Output that could not be kept is no finished attempt."""
        self._judge_output()
        if self._budget.error and self.outcome == "finished":
            self.outcome, self.reason = "stopped", f"its output could not be kept: {self._budget.error}"

    def _judge_output(self) -> None:
        if self._budget.crossed:
            self._end("too_much_output", f"printed more than {self._budget.limit_bytes} bytes")
        elif self._budget.error:
            self._end("stopped", f"its output could not be kept: {self._budget.error}")

    def _on_deadline(self) -> None:
        if self.outcome == "finished":
            self._end("timed_out", f"still running after {self._timeout_s:g} s")
        else:
            self._signal(SIGKILL)
            self._deadline = float("inf")

    def _end(self, outcome: str, reason: str) -> None:
        if self.outcome == "finished":
            self.outcome, self.reason = outcome, reason
            self._signal(SIGTERM)
            self._deadline = time.monotonic() + GRACE_S

    def _signal(self, number: int) -> None:
        signal_family(self._worker, number)


def _hide(masker: Masker, text: str) -> str:
    return masker.bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")
