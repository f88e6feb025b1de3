"""Running one verification command: own process group, time limit, output to a file, never a shell of ours."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..workers.files import make_private_folder

_POLL_S = 0.05
_GRACE_S = 2.0
# A run that drains has to be gone in two seconds.
_HURRIED_S = 0.5


class CheckStopped(Exception):
    """The run drains: the command was stopped and says nothing about the work."""


@dataclass(frozen=True)
class Ran:
    """How a command ended. `exit_code` is None where it could not be started or ran out of time."""

    exit_code: int | None
    duration_s: float
    timed_out: bool = False
    error: str = ""


def run_command(
    argv: tuple[str, ...],
    *,
    workspace: Path,
    log: Path,
    timeout_s: float,
    env: dict[str, str],
    stop: Callable[[], bool],
) -> Ran:
    """Run `argv` in the workspace with stdout and stderr joined in `log`.

    Raises:
        CheckStopped: `stop` said so before the command ended.
    """
    make_private_folder(log.parent)
    clock = time.monotonic()
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(log, flags, 0o600), "wb") as output:
        try:
            process = subprocess.Popen(
                argv,
                cwd=workspace,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return Ran(None, time.monotonic() - clock, error=f"cannot start {argv[0]!r}: {error}")
        grace_s = _GRACE_S
        try:
            timed_out = not _wait(process, clock + timeout_s, stop)
        except CheckStopped:
            grace_s = _HURRIED_S
            raise
        finally:
            _end_group(process, grace_s)
    duration_s = time.monotonic() - clock
    if timed_out:
        return Ran(None, duration_s, timed_out=True)
    code = process.returncode
    return Ran(code if code >= 0 else 128 - code, duration_s)


def _wait(process: subprocess.Popen[bytes], deadline: float, stop: Callable[[], bool]) -> bool:
    poll = select.poll()
    handle = os.pidfd_open(process.pid)
    poll.register(handle, select.POLLIN)
    try:
        while process.poll() is None:
            if stop():
                raise CheckStopped
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            poll.poll(min(_POLL_S, left) * 1000)
    finally:
        os.close(handle)
    return True


def _end_group(process: subprocess.Popen[bytes], grace_s: float) -> None:
    # Also after a normal end: what it left in the background must not go on while the next check runs.
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return
