"""What a person or a script sees of a batch: a few lines per task, nothing but what needs them, or JSON lines."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, Self

from ..state.batch import BatchState, BatchTask, TaskEnd, TaskStatus
from ..state.batch_record import batch_record
from ..state.events import Event
from ..state.status import Node
from .batch_ending import exit_code_of
from .batch_text import closing_lines, next_commands
from .view import CalmConsole, JsonView, TextView, Told

SHOWN = 20
_TOLD = frozenset({Node.TRANSITION, Node.PERSON, Node.INTEGRATE, Node.ADOPT})
_ENDS = ("DONE", "BLOCKED", "FAILED")


class BatchView(Told, Protocol):
    """Receives what happens, from several threads. Entered while the batch is driven."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
    def batch_begins(self, state: BatchState, what: str) -> None: ...
    def task_started(self, task: BatchTask) -> None: ...
    def task_event(self, task: BatchTask, event: Event) -> None: ...
    def task_ended(self, task: BatchTask, end: TaskEnd) -> None: ...
    def batch_ended(self, state: BatchState, folder: Path, reports: tuple[Path, ...]) -> None: ...


class JsonBatchView(JsonView):
    """Every event of every run, with `task_started`, `task_ended` and one `batch_result` or `error`."""

    def batch_begins(self, state: BatchState, what: str) -> None:
        self.tell({"event": "batch_started", "batch_id": state.batch_id, "text": what, "tasks": len(state.tasks)})

    def task_started(self, task: BatchTask) -> None:
        self.tell({"event": "task_started", "task_id": task.id, "run_id": task.run_id, "text": task.title})

    def task_event(self, task: BatchTask, event: Event) -> None:
        self.tell({**event, "task_id": task.id})

    def task_ended(self, task: BatchTask, end: TaskEnd) -> None:
        told = {"outcome": end.status.value, "text": end.reason}
        self.tell({"event": "task_ended", "task_id": task.id, "run_id": task.run_id, **told})

    def batch_ended(self, state: BatchState, folder: Path, reports: tuple[Path, ...]) -> None:
        record = {**batch_record(state), "batch_dir": str(folder), "reports": [str(path) for path in reports]}
        commands = list(next_commands(state, folder))
        self.tell({"event": "batch_result", **record, "next": commands, "exit_code": exit_code_of(state)})


class TextBatchView(TextView):
    """Two lines per task, and one more for each move that is out of the ordinary."""

    def batch_begins(self, state: BatchState, what: str) -> None:
        self.line("batch", state.batch_id)
        self.line("", what)
        done = len(state.left_out)
        for one in state.left_out[:SHOWN]:
            self.line("left out", f"{one.id}: {one.why}")
        if done > SHOWN:
            self.line("", f"and {done - SHOWN} more")

    def task_started(self, task: BatchTask) -> None:
        self.line(task.id, f"started: {task.title}")

    def task_event(self, task: BatchTask, event: Event) -> None:
        if event["event"] == "node_finished":
            if event["node"] in _TOLD and not event["outcome"].startswith(_ENDS):
                self.line(task.id, f"{event['outcome']}: {event['text']}")
        elif event["event"] == "attempt_adopted":
            self.line(task.id, "its worker is still running: adopted")

    def task_ended(self, task: BatchTask, end: TaskEnd) -> None:
        took = (end.ended_at - end.started_at).total_seconds() if end.started_at and end.ended_at else None
        self.line(task.id, f"{end.status} {end.reason}", took)

    def batch_ended(self, state: BatchState, folder: Path, reports: tuple[Path, ...]) -> None:
        for label, text in closing_lines(state, folder, reports):
            self.line(label, text)


class QuietBatchView(TextBatchView):
    """Nothing at all of a batch that is DONE; of any other the summary, on stderr."""

    def __init__(self) -> None:
        super().__init__()
        self.console = CalmConsole(stderr=True)

    def batch_begins(self, state: BatchState, what: str) -> None:
        return None

    def task_started(self, task: BatchTask) -> None:
        return None

    def task_event(self, task: BatchTask, event: Event) -> None:
        return None

    def task_ended(self, task: BatchTask, end: TaskEnd) -> None:
        return None

    def batch_ended(self, state: BatchState, folder: Path, reports: tuple[Path, ...]) -> None:
        if state.outcome() is not TaskStatus.DONE:
            self.line("batch", state.batch_id)
            for label, text in closing_lines(state, folder, reports):
                if label or text:
                    self.line(label, text)
