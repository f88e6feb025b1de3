"""Running one verification command: own process group, limits, masked output in a file, never a shell of ours."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..workers.files import make_private_folder
from ..workers.launcher.masking import Masker
from ..workers.launcher.pump import Budget, Pump, Sink

_POLL_S = 0.05
_GRACE_S = 2.0
# A run that drains has to be gone in two seconds.
_HURRIED_S = 0.5


class CheckStopped(Exception):
    """The run drains: the command was stopped and says nothing about the work."""


@dataclass(frozen=True)
class Ran:
    """How a command ended. `exit_code` is None where it could not be started or was stopped.

    Attributes:
        stopped: which limit it crossed; empty where it came to its end by itself.
        error: why it could not be started, or its output not be kept.
    """

    exit_code: int | None
    duration_s: float
    stopped: str = ""
    error: str = ""


def run_command(
    argv: tuple[str, ...],
    *,
    workspace: Path,
    log: Path,
    timeout_s: float,
    output_limit_bytes: int,
    env: Mapping[str, str],
    masker: Masker,
    stop: Callable[[], bool],
) -> Ran:
    """Run `argv` in the workspace with stdout and stderr joined in `log`, and with no variables but `env`.

    Raises:
        CheckStopped: `stop` said so before the command ended.
    """
    make_private_folder(log.parent)
    clock = time.monotonic()
    budget, pump = Budget(output_limit_bytes), Pump()
    writer = pump.pipe(Sink(str(log), masker.stream(), budget))
    try:
        try:
            process = subprocess.Popen(
                argv,
                cwd=workspace,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return Ran(None, time.monotonic() - clock, error=f"cannot start {argv[0]!r}: {error}")
        finally:
            os.close(writer)
        grace_s = _GRACE_S
        try:
            in_time = _wait(process, pump, budget, clock + timeout_s, stop)
        except CheckStopped:
            grace_s = _HURRIED_S
            raise
        finally:
            _end_group(process, pump, grace_s)
    finally:
        pump.close()
    duration_s = time.monotonic() - clock
    if budget.crossed:
        return Ran(None, duration_s, stopped=f"printed more than {output_limit_bytes} bytes")
    if not in_time:
        return Ran(None, duration_s, stopped=f"timed out after {timeout_s:g} s")
    if budget.error:
        return Ran(None, duration_s, error=f"its output could not be kept: {budget.error}")
    code = process.returncode
    return Ran(code if code >= 0 else 128 - code, duration_s)


def _wait(
    process: subprocess.Popen[bytes], pump: Pump, budget: Budget, deadline: float, stop: Callable[[], bool]
) -> bool:
    """Move output until the process has ended; False where its time is up, or its output is more than can be kept."""
    poll = select.poll()
    ended = os.pidfd_open(process.pid)
    for fd in (ended, *pump.fds):
        poll.register(fd, select.POLLIN)
    try:
        while process.poll() is None:
            if stop():
                raise CheckStopped
            left = deadline - time.monotonic()
            if left <= 0 or budget.crossed or budget.error:
                return False
            for fd, _ in poll.poll(min(_POLL_S, left) * 1000):
                if fd != ended and not pump.read(fd) and fd not in pump.fds:
                    poll.unregister(fd)
    finally:
        os.close(ended)
    return True


def _end_group(process: subprocess.Popen[bytes], pump: Pump, grace_s: float) -> None:
    # Also after a normal end: what it left in the background must not go on while the next check runs.
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
    pump.drain()
    _signal(process, signal.SIGKILL)
    process.wait()
    pump.drain()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return
