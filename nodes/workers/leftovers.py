"""Processes that outlived the attempt or check that started them: found by their environment, never by a bare pid."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from ...state.errors import WaypostError

RUN_DIR_VARIABLE = "WAYPOST_RUN_DIR"
STEP_VARIABLE = "WAYPOST_STEP"
_PATIENCE_S = 10.0
_READ_BYTES = 1 << 17


class WorkerSurvives(WaypostError):
    """A process of the run cannot be killed. Nothing goes on beside it."""

    exit_code = 4


def kill_leftovers(run_dir: Path, *, step: str | None = None) -> int:
    """Kill every process that was started for the run in `run_dir` (and for `step`), and wait until it is gone.

    Whatever goes on in the background could change files after they were checked. The folder is the key, not the
    run id: two runs folders may hold runs of one name.

    Returns:
        How many processes were killed.

    Raises:
        WorkerSurvives: one of them is still there after some seconds.
    """
    killed = 0
    deadline = time.monotonic() + _PATIENCE_S
    while found := list(_processes(os.fsencode(run_dir), step)):
        if time.monotonic() > deadline:
            for _, handle in found:
                os.close(handle)
            raise WorkerSurvives(
                f"process {found[0][0]} of {run_dir.name} is still there after SIGKILL",
                facts={"step": step or "any", "looked for": f"{RUN_DIR_VARIABLE}={run_dir} in its environment"},
                next_step="see what it waits for (ps, dmesg), then resume the run",
            )
        for _, handle in found:
            killed += _kill(handle)
    return killed


def _kill(handle: int) -> int:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        poll.poll(1000)
        return 1
    except (ProcessLookupError, PermissionError):
        return 0
    finally:
        os.close(handle)


def _processes(run_dir: bytes, step: str | None) -> Iterator[tuple[int, int]]:
    """Pid and handle of each. Read by hand: psutil parses every process of the machine, twice a round of checks."""
    wanted = [b"%s=%s" % (RUN_DIR_VARIABLE.encode(), run_dir)]
    if step is not None:
        wanted.append(f"{STEP_VARIABLE}={step}".encode())
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid() or not _is_wanted(name, wanted):
            continue
        try:
            handle = os.pidfd_open(int(name))
        except OSError:
            continue
        # Asked again with the handle open: the pid may have been given to another process in between.
        if _is_wanted(name, wanted):
            yield int(name), handle
        else:
            os.close(handle)


def _is_wanted(pid: str, wanted: list[bytes]) -> bool:
    """An ended process has no environment any more, and is none of them."""
    try:
        environ = _environ(pid)
    except OSError:
        return False
    return wanted[0] in environ and set(wanted) <= set(environ.split(b"\0"))


def _environ(pid: str) -> bytes:
    # Not `open`: its buffers cost more than all that is read, for every process of the machine.
    fd = os.open(f"/proc/{pid}/environ", os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts: list[bytes] = []
        while part := os.read(fd, _READ_BYTES):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)
