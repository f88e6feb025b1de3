"""The border to workers: a worker says what to start, the launcher starts it and records how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ...state.errors import WaypostError
from ...state.job import Job


class WorkerRefused(WaypostError):
    """The worker cannot do this step; nothing was started."""


@dataclass(frozen=True)
class Launch:
    """A process to start in the workspace.

    Attributes:
        argv: program and arguments, never a shell line.
        env: variables added to the environment; no secrets, they are written to disk.
    """

    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict[str, str])


class Worker(Protocol):
    """Turns a job into a process. Called again after a crash, so it must not do the work itself."""

    def prepare(self, job: Job, folder: Path) -> Launch:
        """What to start for `job`; files the process needs may be written below `folder`.

        Raises:
            WorkerRefused: the step gives this worker nothing to do.
        """
        ...
