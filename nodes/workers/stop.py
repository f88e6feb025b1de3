"""Stopping the workers of a run: for the person who has asked twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from .attempt import AttemptFolder, Stage
from .launcher.system import start_ticks


def stop_attempts(run_dir: Path) -> tuple[str, ...]:
    """Ask the launcher of every running attempt of a run to end its worker; each records that it was stopped.

    A launcher is known by its claim lock, its pid and its start time together: a reused pid is never signalled.

    Returns:
        What was asked to stop, as `<step> attempt <n>`. They have not ended yet: TERM, a grace, then KILL.
    """
    return tuple(name for name, folder in running_attempts(run_dir) if _ask(folder))


def running_attempts(run_dir: Path) -> Iterator[tuple[str, AttemptFolder]]:
    """Name and folder of every attempt whose launcher lives, in the order of their names."""
    for path in sorted((run_dir / "dispatch").glob("*/attempt-*")):
        folder = AttemptFolder(path)
        if folder.stage() is Stage.RUNNING:
            yield f"{path.parent.name} attempt {path.name.removeprefix('attempt-')}", folder


def _ask(folder: AttemptFolder) -> bool:
    started = folder.started()
    if started is None or started.launcher_started is None:
        return False
    try:
        launcher = os.pidfd_open(started.launcher_pid)
    except OSError:
        return False
    try:
        # Compared with the handle open: from here on the pid cannot be given to anybody else unnoticed.
        if start_ticks(started.launcher_pid) != started.launcher_started:
            return False
        signal.pidfd_send_signal(launcher, signal.SIGTERM)
    except ProcessLookupError:
        return False
    finally:
        os.close(launcher)
    return True
