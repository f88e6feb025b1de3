"""What a run tells while it happens. Never evidence: the ledger is.

These types are the whole vocabulary of `waypost run --json`, and `docs/events.schema.json` is made from them.
`Event` is what the stages say (`stream_mode="custom"` of the graph); the others are added by the command line.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from .batch import TaskStatus
from .records import AttemptKind, AttemptOutcome, Outcome
from .status import Node, Status


class _Told(TypedDict):
    """What every record may have.

    Attributes:
        at: when it was told, in ISO 8601 with its offset; `waypost watch` gives the time at which it happened.
        task_id: in a batch, the task whose run tells it.
    """

    at: NotRequired[str]
    task_id: NotRequired[str]


class _Staged(_Told):
    """Something a stage of a run says."""

    run_id: str
    node: Node


class NodeStarted(_Staged):
    """A stage begins."""

    event: Literal["node_started"]


class NodeFinished(_Staged):
    """A stage has moved the run: `outcome` is the new status and the route, `text` the reason of the move."""

    event: Literal["node_finished"]
    outcome: str
    text: str
    duration_s: NotRequired[float]


class _OfAttempt(_Staged):
    """About one attempt of one step; `text` is the title of the step and the worker, or the newest of its output."""

    step: str
    attempt: int
    worker: NotRequired[str]
    text: str


class AttemptStarted(_OfAttempt):
    """A worker is started."""

    event: Literal["attempt_started"]
    kind: NotRequired[AttemptKind]


class AttemptAdopted(_OfAttempt):
    """A worker of an earlier process is still running, and is waited for."""

    event: Literal["attempt_adopted"]


class AttemptProgress(_OfAttempt):
    """What a worker that can be read says that it does; `text` is of the worker, and proves nothing."""

    event: Literal["attempt_progress"]


class AttemptFinished(_OfAttempt):
    """A worker has come to its end: how, with which exit code where it has one, and what it says that it used."""

    event: Literal["attempt_finished"]
    outcome: AttemptOutcome
    exit_code: NotRequired[int]
    usage: NotRequired[dict[str, float]]
    duration_s: NotRequired[float]


class CheckStarted(_Staged):
    """A command of the verification is started, as the check of that id; without a step it is one of the task."""

    event: Literal["check_started"]
    check: NotRequired[str]
    step: NotRequired[str]
    text: str


class CheckFinished(_Staged):
    """A check has ended; `text` is the command, or what was looked at."""

    event: Literal["check_finished"]
    check: NotRequired[str]
    step: NotRequired[str]
    text: str
    outcome: Outcome
    duration_s: NotRequired[float]


class EvidenceWritten(_Staged):
    """A report was left; `text` is its path in the folder of the run."""

    event: Literal["evidence_written"]
    text: str


Event = (
    NodeStarted
    | NodeFinished
    | AttemptStarted
    | AttemptAdopted
    | AttemptProgress
    | AttemptFinished
    | CheckStarted
    | CheckFinished
    | EvidenceWritten
)


class RunStarted(_Told):
    """First of a run: what is begun, or gone on with."""

    event: Literal["run_started"]
    run_id: str
    text: str


class Draining(_Told):
    """A stop signal came: the run stops at its next checkpoint."""

    event: Literal["draining"]
    text: str


class Stopping(_Told):
    """Another stop signal: so many workers are stopped too; null where that had been told."""

    event: Literal["stopping"]
    text: str
    workers: int | None


class WrittenBack(_Told):
    """The task file says now that the task is done, in these lines; none where it said so before."""

    event: Literal["written_back"]
    file: str
    lines: list[int]


class Viewing(_Told):
    """`waypost view` can be asked now: the folder of runs, and the address that lets a browser in."""

    event: Literal["viewing"]
    runs: str
    address: str


class FailedCheck(TypedDict):
    """A check of the newest round that did not pass.

    Attributes:
        error: the first line of its output that shows a failure; null where there is none.
        log: its output, as a path.
    """

    step: str | None
    run: str
    outcome: Outcome
    reason: str
    error: str | None
    log: str | None


class Result(_Told):
    """Last of a run: where it stands, why, where the proof is, and what can be typed next."""

    event: Literal["result"]
    run_id: str
    status: Status
    reason: str
    attempts: int
    checks: dict[Outcome, int]
    failed: list[FailedCheck]
    waits_for: str | None
    blocked: dict[str, Any] | None
    in_flight: list[str]
    stopped: list[str]
    evidence: list[str]
    run_dir: str
    next: list[str]
    exit_code: int


class Failure(_Told):
    """Last where a command could not do what was asked: the name of the error, what happened, and what to do."""

    event: Literal["error"]
    error: str
    text: str
    facts: dict[str, str]
    next: str
    exit_code: int


@with_config(ConfigDict(extra="allow"))
class TaskPlanned(_Told):
    """A task of a foreign file as it was understood; see docs/formats.md for its fields."""

    event: Literal["task"]


@with_config(ConfigDict(extra="allow"))
class PlanShown(_Told):
    """The plan that has to be accepted before anything runs; see docs/formats.md for its fields."""

    event: Literal["plan"]


class BatchStarted(_Told):
    """First of a batch."""

    event: Literal["batch_started"]
    batch_id: str
    text: str
    tasks: int


class TaskStarted(_Told):
    """The run of a task of a batch is begun, or gone on with; `text` is the title of the task."""

    event: Literal["task_started"]
    run_id: str
    text: str


class TaskEnded(_Told):
    """The run of a task of a batch has stopped."""

    event: Literal["task_ended"]
    run_id: str
    outcome: TaskStatus
    text: str


class BatchResult(_Told):
    """Last of a batch: every task with its status, run and reason."""

    event: Literal["batch_result"]
    batch_id: str
    status: TaskStatus
    counts: dict[TaskStatus, int]
    task_file: str
    workspace: str
    worker: str
    created_at: str
    tasks: list[dict[str, Any]]
    left_out: list[dict[str, Any]]
    batch_dir: str
    reports: list[str]
    next: list[str]
    exit_code: int


Told = (
    Event
    | RunStarted
    | Draining
    | Stopping
    | WrittenBack
    | Result
    | Failure
    | TaskPlanned
    | PlanShown
    | BatchStarted
    | TaskStarted
    | TaskEnded
    | BatchResult
    | Viewing
)
