"""What a person or a script sees of a batch: a few lines per task, a live line on a terminal, or JSON lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, Self

from rich.status import Status as Spinner
from rich.text import Text

from ..nodes.evidence.batch import batch_record, counts
from ..nodes.formats.foreign.write_back import Written
from ..state.batch import BatchState, BatchTask, TaskEnd, TaskStatus
from ..state.errors import WaypostError
from ..state.events import Event
from ..state.status import Node
from .answers import runs_option
from .batch_ending import exit_code_of
from .view import JsonView, TextView, printable

_SHOWN = 20
_TOLD = frozenset({Node.TRANSITION, Node.PERSON, Node.INTEGRATE, Node.ADOPT})
_ENDS = ("DONE", "BLOCKED", "FAILED")


class BatchView(Protocol):
    """Receives what happens, from several threads. Entered while the batch is driven."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
    def batch_begins(self, state: BatchState, what: str) -> None: ...
    def task_started(self, task: BatchTask) -> None: ...
    def task_event(self, task: BatchTask, event: Event) -> None: ...
    def task_ended(self, task: BatchTask, end: TaskEnd) -> None: ...
    def draining(self, signal_name: str, *, by_hand: bool) -> None: ...
    def stopping(self, signal_name: str, told: int | None) -> None: ...
    def batch_ended(self, state: BatchState, folder: Path, reports: tuple[Path, ...]) -> None: ...
    def wrote_back(self, written: Written) -> None: ...
    def failed(self, error: WaypostError) -> int: ...


def choose_batch_view(*, json: bool) -> BatchView:
    """JSON lines where asked for; a live line on a terminal; plain lines anywhere else."""
    if json:
        return JsonBatchView()
    live = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return LiveBatchView() if live else TextBatchView()


class JsonBatchView(JsonView):
    """Every event of every run, with `task_started`, `task_ended` and one `batch_result` or `error`."""

    def batch_begins(self, state: BatchState, what: str) -> None:
        self._print({"event": "batch_started", "batch_id": state.batch_id, "text": what, "tasks": len(state.tasks)})

    def task_started(self, task: BatchTask) -> None:
        self._print({"event": "task_started", "task_id": task.id, "run_id": task.run_id, "text": task.title})

    def task_event(self, task: BatchTask, event: Event) -> None:
        self._print({**event, "task_id": task.id})

    def task_ended(self, task: BatchTask, end: TaskEnd) -> None:
        told = {"outcome": end.status.value, "text": end.reason}
        self._print({"event": "task_ended", "task_id": task.id, "run_id": task.run_id, **told})

    def batch_ended(self, state: BatchState, folder: Path, reports: tuple[Path, ...]) -> None:
        record = {**batch_record(state), "batch_dir": str(folder), "reports": [str(path) for path in reports]}
        commands = list(next_commands(state, folder))
        self._print({"event": "batch_result", **record, "next": commands, "exit_code": exit_code_of(state)})


class TextBatchView(TextView):
    """Two lines per task, and one more for each move that is out of the ordinary."""

    def batch_begins(self, state: BatchState, what: str) -> None:
        self._line("batch", state.batch_id)
        self._line("", what)
        done = len(state.left_out)
        for one in state.left_out[:_SHOWN]:
            self._line("left out", f"{one.id}: {one.why}")
        if done > _SHOWN:
            self._line("", f"and {done - _SHOWN} more")

    def task_started(self, task: BatchTask) -> None:
        self._line(task.id, f"started: {task.title}")

    def task_event(self, task: BatchTask, event: Event) -> None:
        outcome = event.get("outcome", "")
        if event["event"] == "node_finished" and event["node"] in _TOLD and not outcome.startswith(_ENDS):
            self._line(task.id, f"{outcome}: {event.get('text', '')}")
        elif event["event"] == "attempt_adopted":
            self._line(task.id, "its worker is still running: adopted")

    def task_ended(self, task: BatchTask, end: TaskEnd) -> None:
        took = (end.ended_at - end.started_at).total_seconds() if end.started_at and end.ended_at else None
        self._line(task.id, f"{end.status} {end.reason}", took)

    def batch_ended(self, state: BatchState, folder: Path, reports: tuple[Path, ...]) -> None:
        for label, text in batch_lines(state, folder, reports):
            self._line(label, text)


class LiveBatchView(TextBatchView):
    """The same lines, with one below them that says how far the batch is and what is worked on now."""

    def __init__(self) -> None:
        super().__init__()
        self._now: dict[str, str] = {}
        self._counts: dict[TaskStatus, int] = {}
        self._total = 0
        self._spinner = Spinner(_Live(self.now), console=self.console)

    def __enter__(self) -> Self:
        self._spinner.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._spinner.stop()

    def batch_begins(self, state: BatchState, what: str) -> None:
        super().batch_begins(state, what)
        self._total = len(state.tasks)
        self._counts = {status: len(state.of_status(status)) for status in TaskStatus}

    def task_started(self, task: BatchTask) -> None:
        super().task_started(task)
        self._now[task.id] = ""

    def task_event(self, task: BatchTask, event: Event) -> None:
        super().task_event(task, event)
        if event["event"] == "node_started":
            self._now[task.id] = event["node"]

    def task_ended(self, task: BatchTask, end: TaskEnd) -> None:
        super().task_ended(task, end)
        self._now.pop(task.id, None)
        self._counts[end.status] = self._counts.get(end.status, 0) + 1

    def now(self) -> Text:
        """The live line."""
        told = [f"{self._counts.get(TaskStatus.DONE, 0)} of {self._total} done"]
        others = (TaskStatus.FAILED, TaskStatus.BLOCKED)
        told += [f"{self._counts[status]} {status.value.lower()}" for status in others if self._counts.get(status)]
        flying = ", ".join(f"{id} {node}".rstrip() for id, node in list(self._now.items()))
        return Text(printable(f"{', '.join(told)}; {flying}"), style="dim", overflow="ellipsis", no_wrap=True)


class _Live:
    def __init__(self, now: Callable[[], Text]) -> None:
        self._now = now

    def __rich__(self) -> Text:
        return self._now()


def batch_lines(state: BatchState, folder: Path, reports: tuple[Path, ...]) -> Iterator[tuple[str, str]]:
    """Label and text of each line of the closing summary."""
    yield "", ""
    yield "result", f"{state.outcome()} {told_counts(state)}"
    undone = [task for task in state.tasks if state.status_of(task.id) is not TaskStatus.DONE]
    for task in undone[:_SHOWN]:
        yield task.id, f"{state.status_of(task.id)} {state.reason_of(task.id)}"
    if len(undone) > _SHOWN:
        yield "", f"and {len(undone) - _SHOWN} more: waypost status {state.batch_id}{runs_option(folder.parent)}"
    for path in reports:
        yield "report", str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    for command in next_commands(state, folder):
        yield "next", command


def told_counts(state: BatchState) -> str:
    """`12 DONE, 1 FAILED of 14 tasks`."""
    return ", ".join(f"{number} {status}" for status, number in counts(state).items()) + f" of {len(state.tasks)} tasks"


def next_commands(state: BatchState, folder: Path) -> Iterator[str]:
    """What a person can type now."""
    option = runs_option(folder.parent)
    for task in state.of_status(TaskStatus.BLOCKED)[:_SHOWN]:
        yield f"waypost resume {task.run_id}{option}"
    if state.outcome() is TaskStatus.INTERRUPTED or state.of_status(TaskStatus.BLOCKED):
        yield f"waypost resume {state.batch_id}{option}"
