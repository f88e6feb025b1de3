"""The live view of a batch: a row for each task, with what its run does now."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.text import Text

from ...state.batch import BatchState, BatchTask, TaskEnd, TaskStatus
from ...state.events import Event
from ..batch_view import TextBatchView
from ..safe import one_line
from ..view import COLOURS
from .live import PER_S
from .rows import Block, Sheet, elapsed, fitted

_FOLDS = {TaskStatus.DONE: "tasks done", TaskStatus.PENDING: "tasks to come", TaskStatus.SKIPPED: "tasks skipped"}


@dataclass
class _Flying:
    since: float
    what: str = ""


class LiveBatchView(TextBatchView):
    """The tasks of a batch, drawn from what they tell."""

    def __init__(self) -> None:
        super().__init__()
        self._state: BatchState | None = None
        self._ends: dict[str, TaskEnd] = {}
        self._flying: dict[str, _Flying] = {}
        self._since = time.monotonic()
        self._ended = False
        self._drawing = threading.Lock()
        self._live = Live(
            console=self.console,
            get_renderable=self._frame,
            refresh_per_second=PER_S,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with self._drawing:
            self._ended = True
        self._live.stop()

    def batch_begins(self, state: BatchState, what: str) -> None:
        super().batch_begins(state, what)
        with self._drawing:
            self._state, self._ends = state, dict(state.ends)

    def task_started(self, task: BatchTask) -> None:
        with self._drawing:
            self._flying[task.id] = _Flying(time.monotonic())

    def task_event(self, task: BatchTask, event: Event) -> None:
        with self._drawing:
            flying = self._flying.get(task.id)
            told = _now(event)
            if flying is not None and told is not None:
                flying.what = told

    def task_ended(self, task: BatchTask, end: TaskEnd) -> None:
        with self._drawing:
            self._flying.pop(task.id, None)
            self._ends[task.id] = end

    def _frame(self) -> Group:
        with self._drawing:
            if self._state is None:
                return Group()
            sheet = Sheet.of(self.console)
            blocks = [Block(self._row(task, sheet), folds=self._folds(task)) for task in self._state.tasks]
            return Group(self._head(sheet), *fitted(blocks, sheet.height - 1))

    def _head(self, sheet: Sheet) -> Text:
        state = self._state
        assert state is not None
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

    def _row(self, task: BatchTask, sheet: Sheet) -> Text:
        glyphs, status, flying = sheet.glyphs, self._status(task), self._flying.get(task.id)
        signs = {TaskStatus.DONE: glyphs.done, TaskStatus.FAILED: glyphs.failed, TaskStatus.BLOCKED: glyphs.asks}
        moving = flying is not None and not self._ended
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
