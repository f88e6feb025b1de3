"""The composition root: the one place of the command line that picks concrete classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..checkpointing import LedgerSaver
from ..graphs.compiled import Pipeline
from ..graphs.pipeline import build_pipeline
from ..nodes.config import Config
from ..nodes.context import RunContext
from ..nodes.workers import Environment, Worker, builtin_workers
from ..nodes.workers.agents import agent_workers
from ..telemetry.listening import listener


def open_saver(runs: Path, *, read_only: bool = False) -> LedgerSaver:
    """The ledgers of a runs folder."""
    return LedgerSaver(runs.absolute(), read_only=read_only)


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
        listen=listener(),
    )


def compose(saver: LedgerSaver, context: RunContext) -> Pipeline:
    """The pipeline over these ledgers."""
    return build_pipeline(saver, context=context)
