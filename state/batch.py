"""The state of a batch: many tasks of one file, each with a run of its own, and how each of them ended."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from .acceptance import Acceptance
from .guarding import Guarding
from .ids import RunIdField
from .isolation import Isolation, MergePolicy
from .model import Record
from .pipeline import Limits


class TaskStatus(StrEnum):
    """Where a task of a batch stands. SKIPPED: it will not be run in this batch, and so it is not done."""

    PENDING = "PENDING"
    DONE = "DONE"
    BLOCKED = "BLOCKED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    INTERRUPTED = "INTERRUPTED"


LOOKED_AT_AGAIN = frozenset({TaskStatus.BLOCKED, TaskStatus.INTERRUPTED})
_IN_VAIN = frozenset({TaskStatus.FAILED, TaskStatus.SKIPPED})


class BatchTask(Record):
    """A task of a batch, as it was chosen before the first one began.

    Attributes:
        run_id: the run that it has, whether that has begun or not.
        waits_for: tasks of this batch that have to be DONE before it begins.
    """

    id: str
    title: str
    run_id: RunIdField
    waits_for: tuple[str, ...] = ()


class LeftOut(Record):
    """A task of the file that is not in the batch, and why."""

    id: str
    title: str
    why: str


class TaskEnd(Record):
    """How a task came to its end, or to its newest stop."""

    status: TaskStatus
    reason: str
    started_at: datetime | None = None
    ended_at: datetime | None = None


def join_ends(old: Mapping[str, TaskEnd], new: Mapping[str, TaskEnd | None]) -> dict[str, TaskEnd]:
    """Reducer: the newest end of each task; None takes one back."""
    return {id: end for id, end in {**old, **new}.items() if end is not None}


def join_files(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Reducer: the newest of each file."""
    return {**old, **new}


class BatchState(BaseModel):
    """Everything a batch knows about itself. What is to be done in each task is a file, named by hash."""

    model_config = ConfigDict(extra="forbid")

    batch_id: RunIdField = Field(description="The batch, and the LangGraph thread it lives in.")
    task_file: str = Field(description="The task file, as an absolute path.")
    workspace: str = Field(description="The git repository that the work happens in, as an absolute path.")
    worker: str = "shell"
    limits: Limits = Field(default_factory=Limits, description="What each run may use.")
    guarding: Guarding = Field(default_factory=Guarding, description="What the checks of each run are held against.")
    isolate: Isolation = Isolation.NONE
    merge: MergePolicy = MergePolicy.FF
    max_parallel: int = Field(default=1, ge=1, description="How many tasks are worked on at the same time.")
    fail_fast: bool = Field(default=False, description="Start nothing more once a task has failed, or needs a person.")
    write_back: bool = Field(default=False, description="Set what is DONE to done in the file, at the end.")
    acceptance: Acceptance
    contracts_sha256: str = Field(description="Of the file that holds the tasks as they were accepted.")
    created_at: datetime
    writer_version: str = ""

    tasks: tuple[BatchTask, ...] = Field(min_length=1, description="In an order in which they can be run one by one.")
    left_out: tuple[LeftOut, ...] = ()
    ends: Annotated[dict[str, TaskEnd], join_ends] = Field(default_factory=dict)
    written: Annotated[dict[str, str], join_files] = Field(
        default_factory=dict, description="File -> SHA-256 it had after it was last written back to."
    )
    over: bool = Field(default=False, description="Nothing is being worked on, and nothing can be started now.")

    def status_of(self, id: str) -> TaskStatus:
        """Where a task of the batch stands."""
        end = self.ends.get(id)
        return end.status if end else TaskStatus.PENDING

    def of_status(self, status: TaskStatus) -> tuple[BatchTask, ...]:
        """The tasks that stand there, in order."""
        return tuple(task for task in self.tasks if self.status_of(task.id) is status)

    def startable(self, flying: Collection[str]) -> Iterator[BatchTask]:
        """Tasks that can begin now, in order: pending, not being worked on, and all they wait for is DONE."""
        if self._stopped_by() is not None:
            return
        done = {task.id for task in self.of_status(TaskStatus.DONE)}
        for task in self.of_status(TaskStatus.PENDING):
            if task.id not in flying and done.issuperset(task.waits_for):
                yield task

    def after(self, ends: Mapping[str, TaskEnd], flying: Collection[str], now: datetime) -> dict[str, TaskEnd]:
        """`ends`, and with them the end of every task that can no longer begin because of what has failed."""
        known = {**self.ends, **ends}
        failed = next((id for id, end in known.items() if end.status is TaskStatus.FAILED), None)
        added: dict[str, TaskEnd] = {}
        for task in self.tasks:
            if task.id in known or task.id in flying:
                continue
            cause = next((id for id in task.waits_for if _in_vain(known.get(id))), None)
            if cause is not None:
                reason = f'it waits for "{cause}", which is {known[cause].status}'
            elif self.fail_fast and failed is not None:
                reason = f'"{failed}" has failed, and nothing more was to be started then (--fail-fast)'
            else:
                continue
            known[task.id] = added[task.id] = TaskEnd(status=TaskStatus.SKIPPED, reason=reason, ended_at=now)
        return {**ends, **added}

    def held(self) -> dict[str, str]:
        """Pending tasks that cannot begin before a blocked one is answered -> the task that they wait for."""
        stopped = {task.id for task in self.of_status(TaskStatus.BLOCKED)}
        first = self._stopped_by()
        if first is not None:
            return {task.id: first for task in self.of_status(TaskStatus.PENDING)}
        held: dict[str, str] = {}
        for task in self.of_status(TaskStatus.PENDING):
            cause = next((id for id in task.waits_for if id in stopped), None)
            if cause is not None:
                held[task.id] = cause
                stopped.add(task.id)
        return held

    def outcome(self) -> TaskStatus:
        """Where the batch stands as a whole: DONE only if every task of it is.

        INTERRUPTED where `waypost resume` can go on by itself, else FAILED where something has failed, else BLOCKED.
        """
        held = self.held()
        if self.of_status(TaskStatus.INTERRUPTED) or any(t.id not in held for t in self.of_status(TaskStatus.PENDING)):
            return TaskStatus.INTERRUPTED
        if any(self.status_of(task.id) in _IN_VAIN for task in self.tasks):
            return TaskStatus.FAILED
        if all(self.status_of(task.id) is TaskStatus.DONE for task in self.tasks):
            return TaskStatus.DONE
        return TaskStatus.BLOCKED

    def _stopped_by(self) -> str | None:
        """The task whose stop keeps all others from being started; None unless one is to do so."""
        if not self.fail_fast:
            return None
        stops = (TaskStatus.BLOCKED, TaskStatus.FAILED)
        return next((task.id for task in self.tasks if self.status_of(task.id) in stops), None)

    def reason_of(self, id: str) -> str:
        """Why a task stands where it stands."""
        end = self.ends.get(id)
        if end is not None:
            return end.reason
        cause = self.held().get(id)
        if cause is not None and self.fail_fast:
            return f'"{cause}" is {self.status_of(cause)}, and nothing more was to be started then (--fail-fast)'
        return f'it waits for "{cause}", which is {self.status_of(cause)}' if cause else "not begun"


def _in_vain(end: TaskEnd | None) -> bool:
    return end is not None and end.status in _IN_VAIN
