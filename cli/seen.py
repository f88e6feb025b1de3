"""Runs as their folders show them: read only, without a lease, and without LangGraph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checkpointing import Peek, WriterInfo, peek
from ..checkpointing.files import LEDGER
from ..nodes.recall import is_batch, recall_run
from ..nodes.workers.attempt import AttemptFolder, Stage
from ..state.errors import LedgerError, RunNotFound
from ..state.ids import run_id as checked_run_id
from ..state.pipeline import PipelineState
from ..state.records import Order
from ..state.status import ENDS
from ..state.update import validate_state
from .driver import is_driving, told_driver
from .seen_batch import SeenBatch, see_batch
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

    @property
    def driver(self) -> str:
        """Who drives it now, in a few words."""
        return told_driver(self.writer, ended=self.state.status in ENDS, waits_for=waits_for(self.state))

    def attempts(self) -> tuple[tuple[Order, AttemptFolder, Stage], ...]:
        """What is ordered and not recorded as ended, with what its files say."""
        folders = [(order, attempt_folder(self.run_dir, order.step, order.number)) for order in self.state.in_flight()]
        return tuple((order, folder, folder.stage()) for order, folder in folders)


def see(runs: Path, run: str) -> Seen | SeenBatch:
    """A run or a batch of a runs folder.

    Raises:
        InvalidId, RunNotFound: there is none of that id.
        LedgerError, StateError: it cannot be read.
    """
    folder = runs.absolute() / checked_run_id(run)
    found = see_batch(folder) if is_batch(folder) else see_run(folder)
    if found is None and (folder / LEDGER).is_file():
        raise LedgerError(f"{folder / LEDGER} holds no run", next_step=f"waypost fsck {run} --runs {runs} says more")
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


def state_of(found: Peek | None) -> PipelineState | None:
    """The state in a ledger, validated whole; None before the first stage."""
    values: Mapping[str, Any] = found.values if found else {}
    return validate_state(values) if "run_id" in values else None


def attempt_folder(run_dir: Path, step: str, number: int) -> AttemptFolder:
    """The folder of an attempt."""
    return AttemptFolder(run_dir / "dispatch" / step / f"attempt-{number}")
