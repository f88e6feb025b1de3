"""What dispatch drives: workers, and the launcher that outlives us."""

from __future__ import annotations

from collections.abc import Mapping

from .scripted import ScriptedWorker
from .shell import ShellWorker
from .worker import Launch, PlainWorker, Report, Worker, WorkerRefused

__all__ = [
    "Launch",
    "PlainWorker",
    "Report",
    "ScriptedWorker",
    "ShellWorker",
    "Worker",
    "WorkerRefused",
    "builtin_workers",
]


def builtin_workers() -> Mapping[str, Worker]:
    """The workers that need nothing but this package, by name."""
    return {"shell": ShellWorker(), "scripted": ScriptedWorker()}
