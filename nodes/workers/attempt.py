"""One attempt on disk: asked for, started once, found again after a crash, and read only when it has ended."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ...state.job import Job
from .files import make_private_folder, write_private
from .leftovers import RUN_DIR_VARIABLE, STEP_VARIABLE
from .worker import Launch

_LAUNCHER = Path(__file__).with_name("launcher.py")
_POLL_MS = 50


class Stage(StrEnum):
    """How far an attempt has come, judged by its files alone."""

    UNCLAIMED = "unclaimed"
    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"


class ExitRecord(BaseModel):
    """What the launcher wrote at the end; times are seconds since the epoch."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    outcome: Literal["finished", "timed_out", "stopped", "not_started"]
    exit_code: int | None
    reason: str
    started_at: float
    ended_at: float


class _Started(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    launcher_pid: int
    launcher_started: int | None
    started_at: float


class AttemptFolder:
    """The folder of one attempt, `dispatch/<step>/attempt-<n>`. Its claim lock is held while its launcher lives."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def stage(self) -> Stage:
        """How far the attempt has come. Asks the lock, not the pid: a reused pid is never mistaken for the launcher."""
        if (self.path / "exit.json").exists():
            return Stage.ENDED
        if self._launcher_lives():
            return Stage.RUNNING
        # Looked at again: the launcher may have ended between the two questions.
        if (self.path / "exit.json").exists():
            return Stage.ENDED
        return Stage.LOST if (self.path / "started.json").exists() else Stage.UNCLAIMED

    def request(self, job: Job, prompt: str) -> None:
        """Write what is asked for, on disk before anything is started."""
        make_private_folder(self.path)
        write_private(self.path / "prompt.md", prompt.encode())
        write_private(self.path / "request.json", job.model_dump_json(indent=2).encode() + b"\n", sync=True)

    def start(self, job: Job, launch: Launch) -> subprocess.Popen[bytes]:
        """Start a launcher in a session of its own. Harmless to repeat: only the first to claim starts a worker."""
        spec = {
            "argv": list(launch.argv),
            "cwd": job.workspace,
            "stdin": launch.stdin,
            "timeout_s": job.timeout_s,
            "env": {
                **launch.env,
                RUN_DIR_VARIABLE: str(self.path.parents[2]),
                STEP_VARIABLE: job.step.id,
                "WAYPOST_ATTEMPT": str(job.order.number),
                "WAYPOST_PROMPT": str(self.path / "prompt.md"),
            },
        }
        write_private(self.path / "launch.json", json.dumps(spec, indent=2).encode(), sync=True)
        log = os.open(self.path / "launcher.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LAUNCHER), str(self.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)

    def wait(self, child: subprocess.Popen[bytes] | None, give_up: Callable[[], bool]) -> bool:
        """Wait for the launcher, ours or one of a dead orchestrator; False where `give_up` said so first."""
        handle = self._launcher_handle(child)
        poll = select.poll()
        if handle is not None:
            poll.register(handle, select.POLLIN)
        try:
            while self._alive(child):
                if give_up():
                    return False
                poll.poll(_POLL_MS)
        finally:
            if handle is not None:
                os.close(handle)
        return True

    def result(self) -> ExitRecord | None:
        """How the worker ended; None where the record is missing or unreadable, which is never a success."""
        try:
            return ExitRecord.model_validate_json((self.path / "exit.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def started_at(self) -> float | None:
        """When the launcher claimed the attempt, seconds since the epoch."""
        started = self._started()
        return started.started_at if started else None

    def _alive(self, child: subprocess.Popen[bytes] | None) -> bool:
        return child.poll() is None if child is not None else self._launcher_lives()

    def _launcher_handle(self, child: subprocess.Popen[bytes] | None) -> int | None:
        started = None if child else self._started()
        pid = child.pid if child else (started.launcher_pid if started else None)
        if pid is None or sys.platform != "linux":
            return None
        try:
            return os.pidfd_open(pid)
        except OSError:
            return None

    def _launcher_lives(self) -> bool:
        try:
            lock = os.open(self.path / "claim.lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _started(self) -> _Started | None:
        try:
            return _Started.model_validate_json((self.path / "started.json").read_bytes())
        except (OSError, ValidationError):
            return None
