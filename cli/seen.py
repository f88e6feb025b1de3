"""Runs and batches as their folders show them: read only, without a lease, and without LangGraph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..checkpointing import Peek, WriterInfo, peek
from ..nodes.recall import is_batch, recall_batch, recall_run
from ..nodes.workers.attempt import AttemptFolder, Stage
from ..state.batch import BatchState, TaskStatus
from ..state.errors import RunNotFound, StateError
from ..state.ids import run_id as checked_run_id
from ..state.pipeline import PipelineState
from ..state.records import Order
from ..state.status import ENDS
from ..state.update import validate_state
from .summary import waits_for


@dataclass(frozen=True)
class Seen:
    """A run at one moment.

    Attributes:
        begun: false where it was asked for, and killed before its first checkpoint.
        writer: the process that its ledger names.
        lines: how far the ledger went.
    """

    state: PipelineState
    run_dir: Path
    begun: bool
    writer: WriterInfo | None
    lines: int

    @property
    def driven(self) -> bool:
        """True while a process drives it, as far as can be seen from here."""
        return is_driving(self.writer)

    def attempts(self) -> tuple[tuple[Order, AttemptFolder, Stage], ...]:
        """What is ordered and not recorded as ended, with what its files say."""
        folders = [(order, attempt_folder(self.run_dir, order.step, order.number)) for order in self.state.in_flight()]
        return tuple((order, folder, folder.stage()) for order, folder in folders)


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


def see(runs: Path, run: str) -> Seen | SeenBatch:
    """A run or a batch of a runs folder.

    Raises:
        InvalidId, RunNotFound: there is none of that id.
        LedgerError, StateError: it cannot be read.
    """
    folder = runs.absolute() / checked_run_id(run)
    found = see_batch(folder) if is_batch(folder) else see_run(folder)
    if found is None:
        raise RunNotFound(f"there is no run {run} in {runs}", next_step=f"waypost status --runs {runs}")
    return found


def see_run(run_dir: Path) -> Seen | None:
    """A run by its folder; None where there is none. Raises LedgerError, StateError."""
    found = peek(run_dir, PipelineState.model_fields)
    state = state_of(found)
    begun = state is not None
    state = state or recall_run(run_dir)
    if state is None:
        return None
    return Seen(state, run_dir, begun, found.writer if found else None, found.lines if found else 0)


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


def state_of(found: Peek | None) -> PipelineState | None:
    """The state in a ledger, validated whole; None before the first stage."""
    values: Mapping[str, Any] = found.values if found else {}
    return validate_state(values) if "run_id" in values else None


def attempt_folder(run_dir: Path, step: str, number: int) -> AttemptFolder:
    """The folder of an attempt."""
    return AttemptFolder(run_dir / "dispatch" / step / f"attempt-{number}")


def is_driving(writer: WriterInfo | None) -> bool:
    """Whether the process that a ledger names still holds it."""
    return writer is not None and writer.alive and not writer.released


def driver_of(seen: Seen | SeenBatch) -> str:
    """Who drives a run or a batch now, in a few words."""
    if isinstance(seen, Seen):
        needed = waits_for(seen.state)
        return told_driver(seen.writer, ended=seen.state.status in ENDS, waits_for=needed)
    state, blocked = seen.state, seen.state.of_status(TaskStatus.BLOCKED)
    ended = state.outcome() in (TaskStatus.DONE, TaskStatus.FAILED) and not blocked and not seen.driven
    waiting = "decisions" if blocked and state.outcome() is not TaskStatus.INTERRUPTED else None
    return told_driver(seen.writer, ended=ended, waits_for=waiting)


def told_driver(writer: WriterInfo | None, *, ended: bool, waits_for: str | None) -> str:
    """`ended`, a pid, what a person is needed for, or that nobody drives it."""
    if ended:
        return "ended"
    if writer is not None and is_driving(writer):
        return f"pid {writer.pid}"
    return f"waits for {waits_for}" if waits_for else "nobody: resume it"
