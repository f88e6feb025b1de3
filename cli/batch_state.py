"""A batch as it stands: read from its ledger, shown, and refused where only a run is meant."""

from __future__ import annotations

from pathlib import Path

from langchain_core.runnables import RunnableConfig
from pydantic import ValidationError

from ..checkpointing import LedgerSaver
from ..graphs.batch import build_batch
from ..nodes.config import Config, keep_config, kept_config, load_config
from ..nodes.recall import is_batch, recall_batch
from ..state.batch import BatchState
from ..state.errors import InputError, StateError


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
