"""What dispatch drives: workers, and the launcher that outlives us."""

from __future__ import annotations

from collections.abc import Mapping

from .agents import agent_workers, shipped_agents
from .health import Examined, Health
from .scripted import ScriptedWorker
from .shell import ShellWorker
from .worker import Launch, PlainWorker, Report, Worker, WorkerRefused

__all__ = [
    "Examined",
    "Health",
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
    """The workers that are there without configuration, by name: our own, and the agent CLIs of the shipped table."""
    return {"shell": ShellWorker(), "scripted": ScriptedWorker(), **agent_workers(shipped_agents())}
