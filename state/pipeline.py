"""The state of a run: what LangGraph keeps in its channels."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .acceptance import Acceptance
from .budget import Allowance, Forgiven, Overrun
from .file_names import FileNames
from .frozen import Frozen
from .guarding import Before, Guarding, LeftByChecks, broken_demands
from .ids import RunIdField, StepIdField, TaskIdField
from .invariants import missing_for_done, missing_on_branch, start_approved
from .isolation import Isolated
from .model import Record
from .plan import Plan
from .records import (
    OUTPUT_LIMIT_BYTES,
    Approval,
    Attempt,
    AttemptOutcome,
    Check,
    Decision,
    EvidenceFile,
    OnLost,
    Order,
    Outcome,
    Transition,
    Verdict,
)
from .status import Status
from .task import Task
from .verified import VerifiedTree

_T = TypeVar("_T")


def newest(_old: Any, new: Any) -> Any:
    """Reducer: the newest value wins. Steps dispatched at the same time all report the same status."""
    return new


def join_attempts(old: tuple[Attempt, ...], new: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """Reducer: an attempt replaces the record of itself, and the order does not depend on who came first."""
    by_key = {(attempt.step, attempt.number): attempt for attempt in (*old, *new)}
    return tuple(by_key[key] for key in sorted(by_key, key=lambda key: (key[0], key[1])))


def append(old: tuple[_T, ...], new: tuple[_T, ...]) -> tuple[_T, ...]:
    """Reducer: a history only grows."""
    return (*old, *new)


class Limits(Record):
    """What a run may use. Saved with the run, so that a resumed run keeps its contract; None is no limit."""

    max_rework: int = Field(
        default=3, ge=0, le=100, description="Reworks that one step may have before a person is asked."
    )
    step_timeout_s: float = Field(default=3600.0, gt=0, description="Limit for one attempt of a worker, in seconds.")
    check_timeout_s: float = Field(
        default=600.0, gt=0, description="Limit for one verification command, in seconds, where its card names none."
    )
    budget_s: float | None = Field(
        default=None, gt=0, description="Limit for the time of all attempts and checks together, in seconds."
    )
    max_turns: int | None = Field(default=None, ge=1, description="Turns of all attempts, as their workers report.")
    max_cost_usd: float | None = Field(default=None, gt=0, description="Cost of all attempts, as their workers report.")
    max_attempts: int | None = Field(default=None, ge=1, description="How often a worker is started in the run.")
    step_budget_s: float | None = Field(default=None, gt=0, description="As budget_s, for each step by itself.")
    step_max_turns: int | None = Field(default=None, ge=1, description="As max_turns, for each step by itself.")
    step_max_cost_usd: float | None = Field(default=None, gt=0, description="As max_cost_usd, for each step by itself.")
    step_max_attempts: int | None = Field(default=None, ge=1, description="As max_attempts, for each step by itself.")
    output_limit_bytes: int = Field(
        default=OUTPUT_LIMIT_BYTES, gt=0, description="What one attempt, or one verification command, may print."
    )
    on_lost: OnLost = Field(
        default=OnLost.RETRY,
        description="What follows when a worker is gone without a result: it is started again and told (retry), that "
        "is counted as a rework (rework), or a person is asked (block).",
    )
    max_lost: int = Field(
        default=3, ge=0, le=100, description="Attempts of one step that may be lost in a row before a person is asked."
    )
    max_parallel: int = Field(default=8, ge=1, le=256, description="How many steps are worked on at the same time.")

    def of_run(self) -> Allowance:
        """What the run may use in all."""
        return Allowance(
            time_s=self.budget_s, turns=self.max_turns, cost_usd=self.max_cost_usd, attempts=self.max_attempts
        )

    def of_step(self) -> Allowance:
        """What each step may use."""
        return Allowance(
            time_s=self.step_budget_s,
            turns=self.step_max_turns,
            cost_usd=self.step_max_cost_usd,
            attempts=self.step_max_attempts,
        )


class Baseline(Record):
    """The workspace as it was before the first step: its commit, and the files that differed from it then.

    Attributes:
        ignored: patterns of files that git was told to ignore, from outside the worktree; what is added to them later
            hides nothing.
        files_sha256: over path, mode and content hash of the files of the commit; None in ledgers of older versions.
        conversions_sha256: over what makes git show other content than it stores; None in ledgers of older versions.
    """

    commit: str
    ignored: tuple[str, ...] = ()
    files_sha256: str | None = None
    conversions_sha256: str | None = None
    dirty: FileNames = Field(default_factory=dict, description="path -> SHA-256 of its content, or 'absent'")


class Blocked(Record):
    """Why a run waits for a person.

    Attributes:
        approval: what is to be approved, where that is the question.
        overruns: the limits that were reached, where that is the question.
    """

    question: str
    reasons: tuple[str, ...]
    approval: Approval | None = None
    overruns: tuple[Overrun, ...] = ()


class PipelineState(BaseModel):
    """Everything a run knows about itself. Small on purpose: output and diffs are files, named by hash."""

    model_config = ConfigDict(extra="forbid")

    run_id: RunIdField = Field(description="The run, and the LangGraph thread it lives in.")
    task_file: str = Field(description="The task file, as an absolute path.")
    task_id: TaskIdField | None = Field(default=None, description="Which task of the file; needed if it has several.")
    workspace: str = Field(description="The git repository that the work happens in, as an absolute path.")
    worker: str = Field(default="shell", description="Name of the worker that steps are handed to.")
    limits: Limits = Field(default_factory=Limits, description="What the run may use.")
    baseline: Baseline | None = Field(default=None, description="The workspace before the first step.")
    isolated: Isolated | None = Field(default=None, description="The run's branch, where it works in git worktrees.")
    created_at: datetime | None = Field(default=None, description="When the run was made.")
    writer_version: str = Field(default="", description="The version of Waypost that made the run.")

    guarding: Guarding = Field(default_factory=Guarding, description="What its checks are held against.")
    acceptance: Acceptance | None = Field(default=None, description="Of a foreign task file: what was accepted.")
    frozen: Frozen | None = Field(default=None, description="The plan that a person froze, and the run holds to.")

    status: Annotated[Status, newest] = Field(default=Status.PLANNING, description="Where the run stands.")
    task: Task | None = None
    plan: Plan | None = None
    before: Before | None = Field(default=None, description="How the checks ended before any work.")
    orders: tuple[Order, ...] = Field(default=(), description="What is dispatched next, or is in flight.")
    attempts: Annotated[tuple[Attempt, ...], join_attempts] = ()
    checks: Annotated[tuple[Check, ...], append] = ()
    verdicts: tuple[Verdict, ...] = Field(default=(), description="What is known now, after the newest checks.")
    accepted: tuple[StepIdField, ...] = Field(default=(), description="Steps whose checks passed when last run.")
    reworks: dict[str, int] = Field(default_factory=dict, description="Step id -> reworks since a person last decided.")
    forgiven: Forgiven = Field(default_factory=Forgiven, description="What no longer counts against the budgets.")
    work_sha256: str | None = Field(
        default=None, description="Over all changed files when the newest round ended, where a person has to accept it."
    )
    tree: VerifiedTree | None = Field(
        default=None, description="The files that the newest round has looked at, if all of it passed on all of them."
    )
    left_by_checks: LeftByChecks = Field(
        default_factory=LeftByChecks, description="Untracked files that nobody but the checks has written."
    )
    undecided: tuple[str, ...] = Field(
        default=(), description="Checks of the newest round that a person has still to decide."
    )
    blocked: Blocked | None = None
    decisions: Annotated[tuple[Decision, ...], append] = ()
    evidence: tuple[EvidenceFile, ...] = ()
    transitions: Annotated[tuple[Transition, ...], append] = ()

    @model_validator(mode="after")
    def _done_is_proved(self) -> PipelineState:
        if self.status is Status.DONE:
            missing = missing_for_done(self.task, self.plan, self.attempts, self.checks, self.verdicts, self.decisions)
            missing += missing_on_branch(self.isolated, self.task, self.attempts)
            missing += [f"{what} did not fail before the work" for what in broken_demands(self.task, self.before)]
            if missing:
                raise ValueError("status DONE without proof: " + "; ".join(missing))
        return self

    @model_validator(mode="after")
    def _nothing_started_without_approval(self) -> PipelineState:
        started = {attempt.step for attempt in self.attempts}
        for step in self.task.steps if self.task else ():
            if step.id in started and not start_approved(step, self.decisions):
                raise ValueError(f"step {step.id} was started without the approval that its card asks for")
        return self

    @property
    def round(self) -> int:
        """Number of the newest verification round, 0 before the first."""
        return max((check.round for check in self.checks), default=0)

    def attempt(self, step: str, number: int) -> Attempt | None:
        """That attempt, or None where it was never recorded."""
        return next((a for a in self.attempts if a.step == step and a.number == number), None)

    def attempts_of(self, step: str) -> tuple[Attempt, ...]:
        """The attempts of one step, oldest first."""
        return tuple(attempt for attempt in self.attempts if attempt.step == step)

    def in_flight(self) -> tuple[Order, ...]:
        """Orders whose attempt is not known to have ended."""
        return tuple(
            order
            for order in self.orders
            if (a := self.attempt(order.step, order.number)) is None or a.outcome is AttemptOutcome.RUNNING
        )

    def running(self) -> tuple[Order, ...]:
        """Orders whose worker was left alive when the run was asked to stop."""
        return tuple(
            order
            for order in self.orders
            if (a := self.attempt(order.step, order.number)) is not None and a.outcome is AttemptOutcome.RUNNING
        )

    def stopped(self) -> tuple[Order, ...]:
        """Orders whose worker was stopped, or lost, before it came to its end."""
        return tuple(
            order
            for order in self.orders
            if (a := self.attempt(order.step, order.number)) is not None and a.outcome is AttemptOutcome.LOST
        )

    def failing(self, step: str | None) -> tuple[Check, ...]:
        """Checks of the newest round that did not pass, for one step (None: the task itself)."""
        newest = self.round
        return tuple(c for c in self.checks if c.round == newest and c.step == step and c.outcome is not Outcome.PASSED)
