"""The border to workers: a worker says what to start, the launcher starts it and records how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ...state.errors import WaypostError
from ...state.job import Job
from ...state.records import Permissions, Usage


class WorkerRefused(WaypostError):
    """The worker cannot do this step; nothing was started."""


@dataclass(frozen=True)
class Launch:
    """A process to start in the workspace.

    Attributes:
        argv: program and arguments, never a shell line.
        env: variables added to the environment; no secrets, they are written to disk.
        stdin: a file of the attempt's folder that becomes its standard input; empty input if None.
        pass_env: variables of our environment that it needs besides the allowed ones; they count as secrets.
        allow_env: the same for variables that are no secrets.
    """

    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict[str, str])
    stdin: str | None = None
    pass_env: tuple[str, ...] = ()
    allow_env: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What the typed result of a worker says. It can only make an attempt worse: nothing is believed to be done.

    Attributes:
        failure: why the worker says that it failed; empty if it does not say so.
        missing: which typed result should be there and is not; empty if nothing is missed.
        session: the worker's name for its conversation, for a later attempt to continue.
        permissions: what the worker asked to be allowed, where its kind of worker asks.
    """

    failure: str = ""
    missing: str = ""
    session: str | None = None
    usage: Usage = field(default_factory=Usage)
    permissions: Permissions = field(default_factory=Permissions)


class Worker(Protocol):
    """Turns a job into a process, and reads what that process left. `PlainWorker` has all but `prepare`."""

    def prepare(self, job: Job, folder: Path) -> Launch:
        """What to start for `job`; files the process needs may be written below `folder`.

        Called again after a crash, so it must not do the work itself.

        Raises:
            WorkerRefused: the step gives this worker nothing to do.
        """
        ...

    def report(self, job: Job, folder: Path, exit_code: int) -> Report:
        """What the ended process left in `folder` besides its exit code. Never raises: garbage is a missing result."""
        ...

    def progress(self, line: bytes) -> str | None:
        """What a person is shown of one line of the worker's output while it runs; None for nothing."""
        ...


class PlainWorker:
    """Base of workers whose exit code is all they have to say."""

    def report(self, job: Job, folder: Path, exit_code: int) -> Report:
        """Nothing beyond the exit code."""
        return Report()

    def progress(self, line: bytes) -> str | None:
        """Nothing is shown."""
        return None
