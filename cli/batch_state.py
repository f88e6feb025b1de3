"""A batch as it stands: read from its ledger, shown, and refused where only a run is meant."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..checkpointing import LedgerSaver
from ..graphs.batch import build_batch
from ..nodes.batch import is_batch, recall_batch
from ..nodes.config import Config, keep_config, kept_config, load_config
from ..nodes.evidence.batch import batch_record
from ..state.batch import BatchState, TaskStatus
from ..state.errors import InputError, StateError
from .batch_view import next_commands, told_counts
from .view import printable


def read_batch(saver: LedgerSaver, folder: Path) -> BatchState:
    """The newest state of a batch; what was asked for, where it was killed before its first checkpoint.

    Raises:
        StateError: what is stored is no state of a batch.
    """
    thread: RunnableConfig = {"configurable": {"thread_id": folder.name}}
    values = build_batch(saver).get_state(thread).values
    if "batch_id" not in values:
        return recall_batch(folder)
    try:
        return BatchState.model_validate(values)
    except ValidationError as error:
        raise StateError(f"the state of batch {folder.name} is not valid: {error}") from None


def config_of(state: BatchState, folder: Path, *, reread: bool) -> Config:
    """The configuration that the batch was started with, or what its workspace configures now."""
    config = None if reread else kept_config(folder)
    if config is None:
        config = load_config(Path(state.workspace))
        keep_config(folder, config)
    return config


def refuse_batch(folder: Path) -> None:
    """Raises InputError where a folder is that of a batch, and a run is meant."""
    if is_batch(folder):
        runs = ", ".join(task.run_id for task in recall_batch(folder).tasks[:5])
        raise InputError(
            f"{folder.name} is a batch: it proves nothing by itself, the runs of its tasks do",
            facts={"runs": f"{runs}, ..."},
            next_step=f"give one of its runs: waypost status {folder.name}",
        )


def batch_row(saver: LedgerSaver, folder: Path) -> dict[str, Any]:
    """A batch as one line of `waypost status`."""
    state = read_batch(saver, folder)
    return {
        "run_id": state.batch_id,
        "task_id": None,
        "status": state.outcome().value,
        "steps": f"{len(state.of_status(TaskStatus.DONE))}/{len(state.tasks)} tasks",
        "created_at": state.created_at.isoformat(),
        "driver": _driver(saver, state),
        "waits_for": "a decision" if state.of_status(TaskStatus.BLOCKED) else None,
        "batch": True,
    }


def show_batch(saver: LedgerSaver, folder: Path, *, json: bool) -> int:
    """One batch with all its tasks."""
    state = read_batch(saver, folder)
    driver = _driver(saver, state)
    if json:
        print(jsonlib.dumps({**batch_record(state), "driver": driver, "next": list(next_commands(state, folder))}))
        return 0
    console = Console(highlight=False, soft_wrap=True)
    lines = [("batch", state.batch_id), ("driver", driver), ("result", f"{state.outcome()} {told_counts(state)}")]
    for label, text in [*lines, *(("next", command) for command in next_commands(state, folder))]:
        console.print(Text(f"{label:<11} {text}"))
    table = Table(box=None, pad_edge=False)
    for heading in ("task", "status", "run", "reason"):
        table.add_column(heading, no_wrap=heading != "reason")
    for task in state.tasks:
        cells = (task.id, state.status_of(task.id).value, task.run_id, state.reason_of(task.id))
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console.print(table)
    return 0


def _driver(saver: LedgerSaver, state: BatchState) -> str:
    """Who drives the batch now, as far as can be seen from here."""
    writer = saver.writer(state.batch_id)
    if writer is not None and writer.alive and not writer.released:
        return f"pid {writer.pid}"
    if state.outcome() in (TaskStatus.DONE, TaskStatus.FAILED) and not state.of_status(TaskStatus.BLOCKED):
        return "ended"
    blocked = state.outcome() is not TaskStatus.INTERRUPTED and state.of_status(TaskStatus.BLOCKED)
    return "waits for decisions" if blocked else "nobody: resume it"
