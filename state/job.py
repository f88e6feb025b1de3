"""What one `Send` to dispatch carries: everything a worker has to be told, and nothing else of the state."""

from __future__ import annotations

from pydantic import Field

from .ids import RunIdField, TaskIdField
from .model import Record
from .records import OUTPUT_LIMIT_BYTES, Check, Order
from .status import Status
from .task import Step


class Job(Record):
    """One step on its way to one worker.

    Attributes:
        status: where the run stood when the job was made; the guard needs it.
        failing: the checks of the last round that this attempt has to mend.
        session: the worker's conversation that a `resume` or `rework` attempt continues, where the last one had one.
    """

    run_id: RunIdField
    status: Status
    task_id: TaskIdField
    task_title: str
    task_goal: str
    step: Step
    order: Order
    failing: tuple[Check, ...] = ()
    session: str | None = None
    workspace: str
    worker: str
    timeout_s: float = Field(gt=0)
    output_limit_bytes: int = Field(default=OUTPUT_LIMIT_BYTES, gt=0)
