"""What the page of a batch shows: its tasks, what waits for what, and how each of them stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..nodes.evidence.batch import counts
from ..state.batch import BatchState, BatchTask, TaskEnd
from .ansi import plain
from .dag import Item, lay_out
from .ledgers import Found, is_ours


@dataclass(frozen=True)
class TaskRow:
    """A task of a batch. `begun`: its run stands on the disk."""

    task: BatchTask
    status: str
    reason: str
    end: TaskEnd | None
    begun: bool

    @property
    def took_s(self) -> float | None:
        """How long it took, where it has ended."""
        end = self.end
        return (end.ended_at - end.started_at).total_seconds() if end and end.started_at and end.ended_at else None


def batch_facts(state: BatchState, found: Found, root: Path) -> dict[str, Any]:
    """What the template of a batch is given."""
    rows = [_row(state, task, root, driven=found.driven_by is not None) for task in state.tasks]
    items = [
        Item(
            row.task.id,
            plain(row.task.title),
            row.status,
            row.task.waits_for,
            f"/run/{row.task.run_id}" if row.begun else "",
        )
        for row in rows
    ]
    told = ", ".join(f"{number} {status}" for status, number in counts(state).items())
    return {"rows": rows, "dag": lay_out(items), "told": told}


def _row(state: BatchState, task: BatchTask, root: Path, *, driven: bool) -> TaskRow:
    begun = is_ours(root / task.run_id)
    status = state.status_of(task.id).value
    if status == "PENDING" and begun:
        status = "RUNNING" if driven else "INTERRUPTED"
    reason = "" if status == "RUNNING" else state.reason_of(task.id)
    return TaskRow(task, status, reason, state.ends.get(task.id), begun)
