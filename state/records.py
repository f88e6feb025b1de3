"""What happened in a run: attempts, checks, verdicts, transitions, decisions. Bulk stays in files, named by hash."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from .ids import CheckRefField, CriterionIdField, StepIdField
from .model import Record
from .status import Node, Route, Status

OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024


class AttemptKind(StrEnum):
    """Why a worker was started."""

    CREATE = "create"
    RESUME = "resume"
    REWORK = "rework"


class AttemptOutcome(StrEnum):
    """How a worker ended; only FINISHED with exit code 0 lets its step be accepted.

    NO_RESULT: it exited 0 without the typed result that its kind promises. REPORTED_FAILURE: its typed result says
    that it failed. TOO_MUCH_OUTPUT: it was killed because it printed more than it may.
    """

    RUNNING = "running"
    FINISHED = "finished"
    NOT_STARTED = "not_started"
    TIMED_OUT = "timed_out"
    TOO_MUCH_OUTPUT = "too_much_output"
    LOST = "lost"
    NO_RESULT = "no_result"
    REPORTED_FAILURE = "reported_failure"


class OnLost(StrEnum):
    """What follows when a worker is gone without a result."""

    RETRY = "retry"
    REWORK = "rework"
    BLOCK = "block"


class Usage(Record):
    """What an attempt used, from the worker's own typed records; None where it does not say."""

    turns: int | None = Field(default=None, ge=0)
    cost_usd: float | None = Field(default=None, ge=0)
    input_tokens: int | None = Field(default=None, ge=0)
    output_tokens: int | None = Field(default=None, ge=0)


class Attempt(Record):
    """One dispatch of one step to a worker. `folder` and log paths are relative to the run's folder.

    Attributes:
        session: the worker's own name for its conversation, by which a later attempt can continue it.
    """

    step: StepIdField
    number: int = Field(ge=1)
    kind: AttemptKind
    worker: str
    outcome: AttemptOutcome
    folder: str
    exit_code: int | None = None
    reason: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stdout_sha256: str | None = None
    stderr_sha256: str | None = None
    session: str | None = None
    usage: Usage = Usage()

    @property
    def succeeded(self) -> bool:
        """True only for a worker that ran to its end and exited 0."""
        return self.outcome is AttemptOutcome.FINISHED and self.exit_code == 0


class Order(Record):
    """A step that is to be dispatched next: which attempt it will be, and which checks it has to mend."""

    step: StepIdField
    number: int = Field(ge=1)
    kind: AttemptKind
    failing: tuple[str, ...] = ()


class Outcome(StrEnum):
    """What a check or a verdict says. Nothing but PASSED is a pass."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    UNVERIFIABLE = "UNVERIFIABLE"


class CheckKind(StrEnum):
    """What verify did. A BASELINE check records that a command does not exist here; its equivalents ran instead."""

    WORKER = "worker"
    COMMAND = "command"
    BASELINE = "baseline"
    OUTPUT = "output"
    SCOPE = "scope"


class Check(Record):
    """One thing verify did in one round.

    Attributes:
        id: unique in the run: `<round>.<step or "task">.<ref>` (`.e1`, `.e2` for equivalents).
        step: the step it belongs to, None for the task itself.
        ref: what the card calls it (V1, O1), or WORKER / SCOPE.
        run: the command as written, or what was looked at.
        argv: what was really started; empty where nothing was.
        stands_for: the baseline command that does not exist and that this one replaces; `ref` is the baseline's.
        log: output file relative to the run's folder, with its SHA-256; None where there is no output.
    """

    id: str
    round: int = Field(ge=1)
    step: StepIdField | None
    attempt: int | None
    ref: CheckRefField
    kind: CheckKind
    run: str
    outcome: Outcome
    reason: str
    argv: tuple[str, ...] = ()
    cwd: str = ""
    exit_code: int | None = None
    started_at: datetime | None = None
    duration_s: float | None = None
    stands_for: str | None = None
    log: str | None = None
    log_sha256: str | None = None


class Verdict(Record):
    """What is known about one subject: a criterion, a step or the task. `checks` are the ids it rests on."""

    step: StepIdField | None
    criterion: CriterionIdField | None
    outcome: Outcome
    reason: str
    checks: tuple[str, ...] = ()


class Transition(Record):
    """One move of the run."""

    source: Status
    target: Status
    node: Node
    route: Route
    reason: str
    at: datetime


class Decision(Record):
    """What a person decided about a blocked run: who, when, why."""

    route: Route
    who: str
    note: str
    at: datetime


class EvidenceFile(Record):
    """A report that was left behind, relative to the run's folder."""

    path: str
    sha256: str
