"""Running one verification command: no family outlives it, limits, masked output in a file, never a shell of ours."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..turns import TURNS
from ..workers.files import make_private_folder
from ..workers.forks import FORK_SERVER, Forked
from ..workers.launcher.masking import Masker
from ..workers.launcher.pump import Budget, Pump, Sink
from ..workers.launcher.warden import ASK_TO_END, TOLD_END, TOLD_NO_START

# A warden gives up on a process that it cannot kill before this.
_WARDEN_S = 15.0
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
            guarded = _Guarded(argv, workspace, env, writer)
        except (OSError, ValueError) as error:
            return Ran(None, time.monotonic() - clock, error=f"cannot start {argv[0]!r}: {error}")
        finally:
            os.close(writer)
        grace_s = _GRACE_S
        try:
            with TURNS.aside():
                in_time = _wait(guarded.process, pump, budget, clock + timeout_s, stop)
        except CheckStopped:
            grace_s = _HURRIED_S
            raise
        finally:
            guarded.end(pump, grace_s)
    finally:
        pump.close()
    duration_s = time.monotonic() - clock
    if budget.crossed:
        return Ran(None, duration_s, stopped=f"printed more than {output_limit_bytes} bytes")
    if not in_time:
        return Ran(None, duration_s, stopped=f"timed out after {timeout_s:g} s")
    if budget.error:
        return Ran(None, duration_s, error=f"its output could not be kept: {budget.error}")
    return guarded.told(argv[0], duration_s)


class _Guarded:
    """A command below a warden, which kills what the command leaves behind, however that tries to get away."""

    def __init__(self, argv: tuple[str, ...], workspace: Path, env: Mapping[str, str], output: int) -> None:
        self._status, status = os.pipe2(os.O_CLOEXEC)
        control, self._control = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._status, False)
        self._said = ""
        try:
            self.process = FORK_SERVER.warden(argv, env, str(workspace), (control, output, status))
        except BaseException:
            os.close(self._status)
            os.close(self._control)
            raise
        finally:
            os.close(status)
            os.close(control)

    def end(self, pump: Pump, grace_s: float) -> None:
        """Ask the command to end where it has not, then kill it; returns once it and its warden are gone."""
        with contextlib.suppress(BrokenPipeError):
            if self.process.poll() is None:
                os.write(self._control, ASK_TO_END)
                self.process.wait(grace_s)
        pump.drain()
        os.close(self._control)
        if self.process.wait(_WARDEN_S) is None:
            # It was stopped, or waits for a process that cannot be killed: the command dies with it.
            self.process.kill()
            self.process.wait(_WARDEN_S)
        self.process.close()
        pump.drain()
        with contextlib.suppress(BlockingIOError):
            self._said = os.read(self._status, 64).decode()
        os.close(self._status)

    def told(self, program: str, duration_s: float) -> Ran:
        """How the command ended, as its warden saw it; without a word of it nothing has passed."""
        kind, _, number = self._said.partition(" ")
        if kind == TOLD_END and self.process.returncode == 0:
            return Ran(int(number), duration_s)
        if kind == TOLD_NO_START:
            return Ran(None, duration_s, error=f"cannot start {program!r}: {os.strerror(int(number))}")
        return Ran(None, duration_s, error="the process that watches over it was killed before the command had ended")


def _wait(process: Forked, pump: Pump, budget: Budget, deadline: float, stop: Callable[[], bool]) -> bool:
    """Move output until the process has ended; False where its time is up, or its output is more than can be kept."""
    poll = select.poll()
    ended = process.fileno()
    for fd in (ended, *pump.fds):
        poll.register(fd, select.POLLIN)
    while process.poll() is None:
        if stop():
            raise CheckStopped
        left = deadline - time.monotonic()
        if left <= 0 or budget.crossed or budget.error:
            return False
        for fd, _ in poll.poll(min(_POLL_S, left) * 1000):
            if fd != ended and not pump.read(fd) and fd not in pump.fds:
                poll.unregister(fd)
    return True
