"""What dispatch drives: workers, and the launcher that outlives us."""

from __future__ import annotations

from collections.abc import Mapping

from .environment import Environment
from .scripted import ScriptedWorker
from .shell import ShellWorker
from .stop import stop_attempts
from .worker import Launch, PlainWorker, Report, Worker, WorkerRefused

__all__ = [
    "Environment",
    "Launch",
    "PlainWorker",
    "Report",
    "ScriptedWorker",
    "ShellWorker",
    "Worker",
    "WorkerRefused",
    "builtin_workers",
    "stop_attempts",
]


def builtin_workers() -> Mapping[str, Worker]:
    """The workers that need nothing but this package, by name."""
    return {"shell": ShellWorker(), "scripted": ScriptedWorker()}
