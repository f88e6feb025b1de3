"""One attempt on disk: asked for, started once, found again after a crash, and read only when it has ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ...failpoints import failpoint
from ...state.job import Job
from ..turns import TURNS
from .asked import ASKED, request_text
from .environment import Environment
from .files import make_private_folder, sync_file, sync_folder, write_private
from .forks import FORK_SERVER, Forked
from .launcher.records import LAUNCH, launch_bytes
from .leftovers import RUN_DIR_VARIABLE, STEP_VARIABLE
from .worker import Launch, WorkerRefused

_POLL_MS = 50
# The run's folder, `dispatch` and the step's folder.
_FOLDERS = 3
_LOG_TAIL = 2000


class Stage(StrEnum):
    """How far an attempt has come, judged by its files alone."""

    UNCLAIMED = "unclaimed"
    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"


class ExitRecord(BaseModel):
    """What the launcher wrote at the end; times are seconds since the epoch."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    outcome: Literal["finished", "timed_out", "too_much_output", "stopped", "not_started"]
    exit_code: int | None
    reason: str
    started_at: float
    ended_at: float


class Started(BaseModel):
    """What the launcher wrote when it claimed the attempt. Its pid names it only together with its start time."""

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
        # First of all: while its launcher lives, an exit record can only have been written by somebody else.
        if self._launcher_lives():
            return Stage.RUNNING
        if (self.path / "exit.json").exists():
            return Stage.ENDED
        return Stage.LOST if (self.path / "started.json").exists() else Stage.UNCLAIMED

    def request(self, job: Job, prompt: str, environment: Environment) -> None:
        """Write what is asked for, without the secrets in it. It is brought to the disk while a launcher gets ready."""
        make_private_folder(self.path)
        masker = environment.masker()
        write_private(self.path / "prompt.md", masker.bytes(prompt.encode("utf-8", "surrogatepass")))
        text = request_text(job)
        data = masker.bytes(text.encode("utf-8", "surrogatepass"))
        write_private(self.path / ASKED, data)

    def start(self, job: Job, launch: Launch, environment: Environment) -> Forked:
        """Start a launcher in a session of its own. Harmless to repeat: only the first to claim starts a worker.

        Raises:
            WorkerRefused: what is to be started holds a secret, which would stand on disk, or cannot be started at all.
        """
        env = {
            **launch.env,
            RUN_DIR_VARIABLE: str(self.path.parents[2]),
            STEP_VARIABLE: job.step.id,
            "WAYPOST_RUN_ID": job.run_id,
            "WAYPOST_ATTEMPT": str(job.order.number),
            "WAYPOST_PROMPT": str(self.path / "prompt.md"),
        }
        fields = {
            "argv": list(launch.argv),
            "cwd": [job.workspace],
            "env": [f"{name}={value}" for name, value in env.items()],
            "stdin": [self._stdin(launch)],
            "allow": list(environment.allowed((*launch.pass_env, *launch.allow_env))),
            "secret": [*environment.secret, *launch.pass_env],
            "timeout_s": [repr(job.timeout_s)],
            "output_limit_bytes": [str(job.output_limit_bytes)],
        }
        try:
            spec = launch_bytes(fields)
        except ValueError as error:
            raise WorkerRefused(f'worker "{job.worker}" cannot be started: {error}') from None
        if environment.masker(launch.pass_env).bytes(spec) != spec:
            raise WorkerRefused(
                f'the command line or a variable of worker "{job.worker}" holds a secret, which would stand on disk',
                next_step="let it read the secret from its environment: name the variable in pass_env",
            )
        # Not synced: a launcher that reads it was started after it was written, on the same running machine.
        write_private(self.path / LAUNCH, spec)
        failpoint("dispatch.launch_written")
        log = os.open(self.path / "launcher.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        told, go = os.pipe2(os.O_CLOEXEC)
        try:
            child = FORK_SERVER.launcher(str(self.path), log, told)
            failpoint("dispatch.forked")
            self._sync(child)
            os.write(go, b"g")
        finally:
            for fd in (log, told, go):
                os.close(fd)
        return child

    def _sync(self, child: Forked) -> None:
        """Bring what is asked for to the disk: no worker begins before, and none at all where that fails."""
        try:
            # Its name is synced with that of `started.json`, in the same folder, before a worker begins.
            sync_file(self.path / ASKED)
            # After the file: on most file systems its sync has brought the names of the folders along.
            for holding in self.path.parents[:_FOLDERS]:
                sync_folder(holding)
        except BaseException:
            child.close()
            raise

    def wait(
        self,
        child: Forked | None,
        give_up: Callable[[], bool],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> bool:
        """Wait for the launcher, ours or one of a dead orchestrator; False where `give_up` said so first.

        Args:
            meanwhile: called some times a second while the launcher lives.
        """
        handle = self._adopted_handle() if child is None else child.fileno()
        poll = select.poll()
        if handle is not None:
            poll.register(handle, select.POLLIN)
        try:
            while self._alive(child):
                if give_up():
                    return False
                meanwhile()
                with TURNS.aside():
                    poll.poll(_POLL_MS)
        finally:
            if child is not None:
                child.close()
            elif handle is not None:
                os.close(handle)
        return True

    def result(self) -> ExitRecord | None:
        """How the worker ended; None where the record is missing or unreadable, which is never a success."""
        try:
            return ExitRecord.model_validate_json((self.path / "exit.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def refuse_record(self) -> None:
        """Put an exit record aside that cannot be the launcher's word; nobody finds it by its name any more."""
        with contextlib.suppress(FileNotFoundError):
            os.replace(self.path / "exit.json", self.path / "exit.json.refused")

    def started(self) -> Started | None:
        """Who claimed the attempt, and when; None where nobody did, or where that cannot be read."""
        try:
            return Started.model_validate_json((self.path / "started.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def launcher_said(self) -> str:
        """The end of the launcher's own log: why it did not even claim the attempt."""
        try:
            text = (self.path / "launcher.log").read_bytes()[-_LOG_TAIL:].decode("utf-8", "replace").strip()
        except OSError:
            return "nothing"
        return text or "nothing"

    def _alive(self, child: Forked | None) -> bool:
        return child.poll() is None if child is not None else self._launcher_lives()

    def _adopted_handle(self) -> int | None:
        try:
            return os.pidfd_open(started.launcher_pid) if (started := self.started()) else None
        except OSError:
            return None

    def _launcher_lives(self) -> bool:
        try:
            lock = os.open(self.path / "claim.lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            # Shared: two who ask at the same time must not take each other for the launcher.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _stdin(self, launch: Launch) -> str:
        if launch.stdin is None:
            return ""
        path = self.path / launch.stdin
        if path.name != launch.stdin or path.is_symlink() or not path.is_file():
            raise WorkerRefused(f"the standard input {launch.stdin!r} is no file of {self.path}")
        return str(path)
