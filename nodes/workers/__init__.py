"""What dispatch drives: workers, and the launcher that outlives us."""

from __future__ import annotations

from collections.abc import Mapping

from .acp import AcpWorker
from .scripted import ScriptedWorker
from .shell import ShellWorker
from .worker import Launch, PlainWorker, Report, Worker, WorkerRefused

__all__ = [
    "AcpWorker",
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
    """The workers that can be chosen by name without any code; `acp` is told by a variable which agent it is."""
    return {"shell": ShellWorker(), "scripted": ScriptedWorker(), "acp": AcpWorker()}
