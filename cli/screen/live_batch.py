"""The live view of a batch: a row for each task, with what its run does now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from ...state.batch import BatchState, BatchTask, TaskEnd, TaskStatus
from ...state.events import Event
from ..batch_view import TextBatchView
from ..safe import one_line
from ..view import COLOURS
from .drawn import Drawn
from .rows import Block, Sheet, elapsed, fitted

_FOLDS = {TaskStatus.DONE: "tasks done", TaskStatus.PENDING: "tasks to come", TaskStatus.SKIPPED: "tasks skipped"}


@dataclass
class _Flying:
    since: float
    what: str = ""


class LiveBatchView(Drawn, TextBatchView):
    """The tasks of a batch, drawn from what they tell."""

    def __init__(self) -> None:
        super().__init__()
        self._state: BatchState | None = None
        self._ends: dict[str, TaskEnd] = {}
        self._flying: dict[str, _Flying] = {}
        self._since = time.monotonic()

    def batch_begins(self, state: BatchState, what: str) -> None:
        super().batch_begins(state, what)
        with self.drawing:
            self._state, self._ends = state, dict(state.ends)

    def task_started(self, task: BatchTask) -> None:
        with self.drawing:
            self._flying[task.id] = _Flying(time.monotonic())

    def task_event(self, task: BatchTask, event: Event) -> None:
        with self.drawing:
            flying = self._flying.get(task.id)
            told = _now(event)
            if flying is not None and told is not None:
                flying.what = told

    def task_ended(self, task: BatchTask, end: TaskEnd) -> None:
        with self.drawing:
            self._flying.pop(task.id, None)
            self._ends[task.id] = end

    def picture(self, sheet: Sheet, *, ended: bool) -> list[Text]:
        state = self._state
        if state is None:
            return []
        blocks = [Block(self._row(task, sheet, ended=ended), folds=self._folds(task)) for task in state.tasks]
        return [self._head(state, sheet), *fitted(blocks, sheet.height - 1)]

    def _head(self, state: BatchState, sheet: Sheet) -> Text:
        told = ", ".join(self._counts(len(state.tasks)))
        return sheet.row(Text(told, style="bold"), Text(elapsed(time.monotonic() - self._since), style="dim"))

    def _counts(self, total: int) -> Iterator[str]:
        number = {status: sum(end.status is status for end in self._ends.values()) for status in TaskStatus}
        yield f"{number[TaskStatus.DONE]} of {total} done"
        for status in (TaskStatus.FAILED, TaskStatus.BLOCKED, TaskStatus.SKIPPED):
            if number[status]:
                yield f"{number[status]} {status.value.lower()}"

    def _folds(self, task: BatchTask) -> str | None:
        return None if task.id in self._flying else _FOLDS.get(self._status(task))

    def _status(self, task: BatchTask) -> TaskStatus:
        end = self._ends.get(task.id)
        return end.status if end else TaskStatus.PENDING

    def _row(self, task: BatchTask, sheet: Sheet, *, ended: bool) -> Text:
        glyphs, status, flying = sheet.glyphs, self._status(task), self._flying.get(task.id)
        signs = {TaskStatus.DONE: glyphs.done, TaskStatus.FAILED: glyphs.failed, TaskStatus.BLOCKED: glyphs.asks}
        moving = flying is not None and not ended
        sign = glyphs.turning() if moving else signs.get(status, glyphs.waits)
        style = "cyan" if moving else COLOURS.get(status.value, "dim")
        row = Text(f"{sign} ", style=style).append(f"{task.id}  ", style="bold").append(one_line(task.title))
        return sheet.row(row, self._told(task, flying if moving else None, sheet))

    def _told(self, task: BatchTask, flying: _Flying | None, sheet: Sheet) -> Text | None:
        if flying is not None:
            what = flying.what if sheet.wide else ""
            words = [word for word in (what, elapsed(time.monotonic() - flying.since)) if word]
            return Text("  ".join(words), style="cyan")
        end = self._ends.get(task.id)
        if end is None:
            waits = [
                id for id in task.waits_for if id not in self._ends or self._ends[id].status is not TaskStatus.DONE
            ]
            return Text(f"waits for {', '.join(waits)}", style="dim") if waits and sheet.wide else None
        if end.status is not TaskStatus.DONE:
            return Text(end.status.value, style=COLOURS.get(end.status.value, "dim"))
        took = (end.ended_at - end.started_at).total_seconds() if end.started_at and end.ended_at else None
        return Text(f"{took:.1f} s", style="dim") if took is not None else None


def _now(event: Event) -> str | None:
    """What a task does now, in a few words; None for an event that says nothing of that."""
    match event["event"]:
        case "node_started":
            return str(event["node"])
        case "attempt_started" | "attempt_adopted":
            return f"{event['step']} attempt {event['attempt']}"
        case "check_started":
            return one_line(event["text"])[:40]
        case _:
            return None
