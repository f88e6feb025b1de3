"""Agent CLIs as data: the shipped table, and the worker that interprets a row."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .row import Agent
from .worker import AgentWorker

__all__ = ["Agent", "AgentWorker", "agent_workers", "shipped_agents", "shipped_table"]

_TABLE = Path(__file__).with_name("agents.toml")


@cache
def shipped_table() -> Mapping[str, Any]:
    """The shipped rows as plain tables, for rows of others to inherit from."""
    return tomllib.loads(_TABLE.read_text(encoding="utf-8"))


@cache
def shipped_agents() -> Mapping[str, Agent]:
    """The shipped rows by name."""
    return {name: Agent.model_validate(row) for name, row in shipped_table().items()}


def agent_workers(agents: Mapping[str, Agent]) -> dict[str, AgentWorker]:
    """A worker for each row, by its name."""
    return {name: AgentWorker(agent) for name, agent in agents.items()}
