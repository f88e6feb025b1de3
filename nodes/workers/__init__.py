"""What dispatch drives: workers, and the launcher that outlives us."""

from __future__ import annotations

from collections.abc import Mapping

from .acp import AcpWorker
from .langchain import LangChainWorker
from .scripted import ScriptedWorker
from .shell import ShellWorker
from .worker import Launch, PlainWorker, Report, Worker, WorkerRefused

__all__ = [
    "AcpWorker",
    "LangChainWorker",
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
    """The workers that can be chosen by name without any code; variables tell the last two of an agent and a model."""
    return {"shell": ShellWorker(), "scripted": ScriptedWorker(), "acp": AcpWorker(), "langchain": LangChainWorker()}
