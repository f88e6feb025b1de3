"""A batch as its folder shows it: read only, without a lease, and without LangGraph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ..checkpointing import WriterInfo, peek
from ..nodes.recall import recall_batch
from ..state.batch import BatchState, TaskStatus
from ..state.errors import StateError
from .driver import is_driving, told_driver


@dataclass(frozen=True)
class SeenBatch:
    """A batch at one moment."""

    state: BatchState
    folder: Path
    writer: WriterInfo | None

    @property
    def driven(self) -> bool:
        """True while a process drives it, as far as can be seen from here."""
        return is_driving(self.writer)

    @property
    def driver(self) -> str:
        """Who drives it now, in a few words."""
        state, blocked = self.state, self.state.of_status(TaskStatus.BLOCKED)
        ended = state.outcome() in (TaskStatus.DONE, TaskStatus.FAILED) and not blocked and not self.driven
        waiting = "decisions" if blocked and state.outcome() is not TaskStatus.INTERRUPTED else None
        return told_driver(self.writer, ended=ended, waits_for=waiting)


def see_batch(folder: Path) -> SeenBatch:
    """A batch by its folder. Raises LedgerError, StateError."""
    found = peek(folder, BatchState.model_fields)
    writer = found.writer if found else None
    if found is None or "batch_id" not in found.values:
        return SeenBatch(recall_batch(folder), folder, writer)
    try:
        return SeenBatch(BatchState.model_validate(found.values), folder, writer)
    except ValidationError as error:
        raise StateError(f"the state of batch {folder.name} is not valid: {error}") from None
