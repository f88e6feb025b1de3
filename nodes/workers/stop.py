"""Stopping the workers of a run: their launchers are told, and record how the workers ended."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
from pathlib import Path
from typing import Any, cast


def stop_attempts(run_dir: Path) -> int:
    """Send SIGTERM to the launcher of every attempt of the run that is in flight.

    A launcher is found by the claim lock that it holds, and by the pid *and* the start time that it recorded: a pid
    that was given to another process in the meantime is not signalled.

    Returns:
        How many launchers were told.
    """
    return sum(_stop(folder) for folder in sorted((run_dir / "dispatch").glob("*/attempt-*")))


def _stop(folder: Path) -> bool:
    if not _claimed(folder):
        return False
    pid, started = _recorded(folder)
    if pid is None or started is None:
        return False
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        # Looked at while the handle is held: from here on it cannot come to mean another process.
        if _start_ticks(pid) != started:
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            return True
    finally:
        os.close(handle)
    return False


def _claimed(folder: Path) -> bool:
    try:
        lock = os.open(folder / "claim.lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _recorded(folder: Path) -> tuple[int | None, int | None]:
    try:
        record: object = json.loads((folder / "started.json").read_bytes())
    except (OSError, ValueError):
        return None, None
    fields = cast(dict[str, Any], record) if isinstance(record, dict) else {}
    pid, started = fields.get("launcher_pid"), fields.get("launcher_started")
    return (pid, started) if isinstance(pid, int) and pid > 0 and isinstance(started, int) else (None, None)


def _start_ticks(pid: int) -> int | None:
    # Fields of /proc/PID/stat are counted behind the last ')', because the program's name may hold anything.
    try:
        return int(
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
        )
    except (OSError, ValueError, IndexError):
        return None
