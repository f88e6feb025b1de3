"""The composition root: the one place of the command line that picks concrete classes."""

from __future__ import annotations

from pathlib import Path

from ..checkpointing import LedgerSaver
from ..graphs.compiled import Pipeline
from ..graphs.pipeline import build_pipeline
from ..nodes.context import RunContext


def open_saver(runs: Path, *, read_only: bool = False) -> LedgerSaver:
    """The ledgers of a runs folder."""
    return LedgerSaver(runs.absolute(), read_only=read_only)


def compose(saver: LedgerSaver, context: RunContext) -> Pipeline:
    """The pipeline over these ledgers."""
    return build_pipeline(saver, context=context)
