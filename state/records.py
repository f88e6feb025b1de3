"""What happened in a run: attempts, checks, verdicts, transitions, decisions. Bulk stays in files, named by hash."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from .ids import CheckRefField, CriterionIdField, StepIdField
from .model import Record
from .status import Node, Route, Status
from .task import ApprovalPoint

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


class Denial(Record):
    """Something a worker asked for and was not allowed: what, and why not."""

    what: str
    why: str


class Permissions(Record):
    """What a worker asked to be allowed. Every decision stands in `permissions.jsonl` of the attempt's folder.

    Attributes:
        asked, denied: how many decisions there were.
        denials: the first of those that were denied.
        sha256: of `permissions.jsonl`; None where the worker keeps no such file.
    """

    asked: int = Field(default=0, ge=0)
    denied: int = Field(default=0, ge=0)
    denials: tuple[Denial, ...] = ()
    sha256: str | None = None


class Attempt(Record):
    """One dispatch of one step to a worker. `folder` and log paths are relative to the run's folder.

    Attributes:
        session: the worker's own name for its conversation, by which a later attempt can continue it.
        commit: what it left in its worktree; None where the run is not isolated, or git could not commit it.
        permissions: what it asked to be allowed, where its kind of worker asks.
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
    commit: str | None = None
    permissions: Permissions = Permissions()

    @property
    def succeeded(self) -> bool:
        """True only for a worker that ran to its end and exited 0."""
        return self.outcome is AttemptOutcome.FINISHED and self.exit_code == 0


class Order(Record):
    """A step that is to be dispatched next: which attempt it will be, and what it has to mend.

    Attributes:
        failing: ids of the checks that failed.
        feedback: why a person rejected what the attempt before it left.
    """

    step: StepIdField
    number: int = Field(ge=1)
    kind: AttemptKind
    failing: tuple[str, ...] = ()
    feedback: str = ""


class Outcome(StrEnum):
    """What a check or a verdict says. Nothing but PASSED is a pass."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    UNVERIFIABLE = "UNVERIFIABLE"


class CheckKind(StrEnum):
    """What verify did. A BASELINE check records that a command does not exist here; its equivalents ran instead.

    PROBE: a check of a registered kind, whose name stands in `probe`.
    TESTS: the tests that a command ran, against those that it ran before the work. ORIGINALS: a command once more, with
    the first versions of protected files.
    """

    WORKER = "worker"
    COMMAND = "command"
    BASELINE = "baseline"
    OUTPUT = "output"
    PROBE = "probe"
    SCOPE = "scope"
    GIT = "git"
    TESTS = "tests"
    ORIGINALS = "originals"


class EvidenceFile(Record):
    """A file that was left behind and that records rest on, relative to the run's folder."""

    path: str
    sha256: str


class Check(Record):
    """One thing verify did in one round.

    Attributes:
        id: unique in the run: `<round>.<step or "task">.<ref>` (`.e1`, `.e2` for equivalents).
        step: the step it belongs to, None for the task itself.
        round: 0 for what ran before the work.
        ref: what the card calls it (V1, O1), or WORKER / SCOPE / COMMIT / MERGE / TESTS / ORIGINALS.
        run: the command as written, or what was looked at.
        argv: what was really started; empty where nothing was.
        stands_for: the baseline command that does not exist and that this one replaces; `ref` is the baseline's.
        log: output file relative to the run's folder, with its SHA-256; None where there is no output.
        probe: the name of its kind, where it is a probe.
        kept: what else its outcome was worked out from, and can be worked out from again.
        tests: what was seen of the tests that the command ran, beside the log; None where nothing was.
    """

    id: str
    round: int = Field(ge=0)
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
    probe: str = ""
    kept: tuple[EvidenceFile, ...] = ()
    tests: str | None = None
    tests_sha256: str | None = None


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


class Approval(Record):
    """What a person is asked to approve, and nothing else is approved by the answer.

    Attributes:
        attempt: before acceptance: the attempt whose result was shown; a later one has to be approved again.
        round: before acceptance: the round of checks that was shown.
        work_sha256: before acceptance: over all changed files, as they were when they were checked.
        check: the id of the one check that the answer decides, where a person is the check.
    """

    step: StepIdField
    point: ApprovalPoint
    attempt: int | None = None
    round: int | None = None
    work_sha256: str | None = None
    check: str | None = None

    @property
    def name(self) -> str:
        """What an answer can name to say that it is meant for this question and no other."""
        if self.check is not None:
            return f"check {self.check}"
        if self.point is ApprovalPoint.BEFORE_DISPATCH:
            return f"dispatch of {self.step}"
        return f"acceptance of {self.step} attempt {self.attempt} round {self.round}"


class Decision(Record):
    """What a person decided about a run that waits: who, when, why; `approval` is what was approved or rejected.

    Attributes:
        envelope: the decision signed by that person's key (DSSE, as text); empty where it was not signed.
    """

    route: Route
    who: str
    note: str
    at: datetime
    approval: Approval | None = None
    envelope: str = ""
