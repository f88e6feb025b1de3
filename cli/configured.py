"""What a configuration makes of a run: its workers, and the context that its nodes are handed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..nodes.checks.kinds import installed_kinds
from ..nodes.config import Config
from ..nodes.context import RunContext
from ..nodes.workers import Environment, Worker, builtin_workers
from ..nodes.workers.agents import agent_workers
from ..telemetry.listening import listener


def workers_of(config: Config) -> Mapping[str, Worker]:
    """All workers by name; a configured agent stands for a shipped one of its name."""
    return {**builtin_workers(), **agent_workers(config.agents)}


def context_of(runs: Path, config: Config) -> RunContext:
    """The context of a run that is configured so."""
    return RunContext(
        runs_dir=runs.absolute(),
        workers=workers_of(config),
        environment=Environment(allow=config.environment.allow, secret=config.environment.secret),
        prompt_template=config.prompt_template,
        kinds=installed_kinds(),
        listen=listener(),
    )
