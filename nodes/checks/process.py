"""Running one verification command: no family outlives it, limits, masked output in a file, never a shell of ours."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..turns import TURNS
from ..workers.files import make_private_folder
from ..workers.launcher.masking import Masker
from ..workers.launcher.pump import Budget, Pump, Sink
from ..workers.launcher.warden import TOLD_END, TOLD_NO_START
from ..workers.wardens import WARDENS, Watch

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
            watch = WARDENS.watch(argv, env, str(workspace), writer)
        except (OSError, ValueError) as error:
            return Ran(None, time.monotonic() - clock, error=f"cannot start {argv[0]!r}: {error}")
        finally:
            os.close(writer)
        grace_s = _GRACE_S
        try:
            with TURNS.aside():
                in_time = _wait(watch, pump, budget, clock + timeout_s, stop)
        except CheckStopped:
            grace_s = _HURRIED_S
            raise
        finally:
            _end(watch, pump, grace_s)
    finally:
        pump.close()
    duration_s = time.monotonic() - clock
    if budget.crossed:
        return Ran(None, duration_s, stopped=f"printed more than {output_limit_bytes} bytes")
    if not in_time:
        return Ran(None, duration_s, stopped=f"timed out after {timeout_s:g} s")
    if budget.error:
        return Ran(None, duration_s, error=f"its output could not be kept: {budget.error}")
    return _told(watch.said or "", argv[0], duration_s)


def _end(watch: Watch, pump: Pump, grace_s: float) -> None:
    """Ask the command to end where it has not, then kill it; returns once it is gone."""
    if not watch.has_ended():
        watch.ask_to_end()
        watch.has_ended(grace_s)
    pump.drain()
    WARDENS.end(watch)
    pump.drain()


def _told(said: str, program: str, duration_s: float) -> Ran:
    """How a command ended, as its warden saw it; without a word of it nothing has passed."""
    kind, _, number = said.partition(" ")
    if kind == TOLD_END:
        return Ran(int(number), duration_s)
    if kind == TOLD_NO_START:
        return Ran(None, duration_s, error=f"cannot start {program!r}: {os.strerror(int(number))}")
    return Ran(None, duration_s, error="the process that watches over it was killed before the command had ended")


def _wait(watch: Watch, pump: Pump, budget: Budget, deadline: float, stop: Callable[[], bool]) -> bool:
    """Move output until the command has ended; False where its time is up, or its output is more than can be kept."""
    poll = select.poll()
    ended = watch.fileno()
    for fd in (ended, *pump.fds):
        poll.register(fd, select.POLLIN)
    while not watch.has_ended():
        if stop():
            raise CheckStopped
        left = deadline - time.monotonic()
        if left <= 0 or budget.crossed or budget.error:
            return False
        for fd, _ in poll.poll(min(_POLL_S, left) * 1000):
            if fd != ended and not pump.read(fd) and fd not in pump.fds:
                poll.unregister(fd)
    return True
