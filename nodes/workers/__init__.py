"""What dispatch drives: workers, and the launcher that outlives us."""

from __future__ import annotations

from collections.abc import Mapping

from .acp import AcpWorker
from .agents import agent_workers, shipped_agents
from .environment import Environment
from .health import Examined, Health
from .langchain import LangChainWorker
from .scripted import ScriptedWorker
from .shell import ShellWorker
from .stop import stop_attempts
from .worker import Launch, PlainWorker, Report, Worker, WorkerRefused

__all__ = [
    "AcpWorker",
    "Environment",
    "Examined",
    "Health",
    "LangChainWorker",
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
    """The workers that are there without configuration, by name: our own, and the agent CLIs of the shipped table.

    Variables tell `acp` and `langchain` of an agent and a model.
    """
    ours = {"shell": ShellWorker(), "scripted": ScriptedWorker(), "acp": AcpWorker(), "langchain": LangChainWorker()}
    return {**ours, **agent_workers(shipped_agents())}
