"""What one `Send` to dispatch carries: everything a worker has to be told, and nothing else of the state."""

from __future__ import annotations

from pydantic import Field

from .ids import RunIdField, TaskIdField
from .isolation import Place
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
        max_parallel: how many jobs of the run may be worked on at the same time.
        timeout_s: limit for the attempt: the step's timeout, or less where less is left of a time budget.
        max_turns, max_cost_usd: what is left of the budgets for this attempt, None for no limit.
        workspace: the folder that the worker is started in.
        place: the worktree to work in, in an isolated run; `folder` is then the workspace relative to its top.
        commit: what this attempt left, where that is known already.
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
    place: Place | None = None
    folder: str = "."
    commit: str | None = None
    worker: str
    timeout_s: float = Field(gt=0)
    max_turns: int | None = Field(default=None, ge=1)
    max_cost_usd: float | None = Field(default=None, gt=0)
    output_limit_bytes: int = Field(default=OUTPUT_LIMIT_BYTES, gt=0)
    max_parallel: int = Field(default=8, ge=1)
