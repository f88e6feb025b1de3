"""What was asked: a task, its steps, and how each criterion is to be proved."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from .budget import Allowance
from .ids import CheckRef, CheckRefField, CriterionIdField, StepId, StepIdField, TaskIdField
from .model import Record

MANUAL = "manual"
"""The kind of check that a person decides."""

KindName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]


class ActionKind(StrEnum):
    """Who an action is written for."""

    PROSE = "prose"
    BASH = "bash"
    SCRIPTED = "scripted"


class Action(Record):
    """One thing to do: prose for an agent, or a fenced block for the worker its info string names."""

    kind: ActionKind
    text: str
    line: int | None = None


class Command(Record):
    """A verification command.

    Attributes:
        ref: the id that criteria refer to (V1, V2, ...).
        run: the command as written.
        equivalents: what runs instead, all of it, where `run` does not exist on this machine or in this project.
        timeout_s: limit for one command, None for the run's default.
        output: a pattern (of Python's `re`) that its output has to hold.
        exit_code: the one exit code that is a success.
    """

    ref: CheckRefField
    run: str = Field(min_length=1)
    equivalents: tuple[str, ...] = ()
    timeout_s: float | None = Field(default=None, gt=0)
    output: str | None = Field(default=None, min_length=1)
    exit_code: int = Field(default=0, ge=0, le=255)
    line: int | None = None


class Probe(Record):
    """A check of another kind than a command or an expected output.

    Attributes:
        kind: the name of the kind, which says what the rest means.
        subject: what is looked at: a path, ids of tests, a question.
        args: what the kind has to know besides, by name.
        timeout_s: limit for it, None for the run's default.
    """

    ref: CheckRefField
    kind: KindName
    subject: tuple[str, ...] = ()
    args: dict[str, str] = Field(default_factory=dict[str, str])
    timeout_s: float | None = Field(default=None, gt=0)
    line: int | None = None


class Output(Record):
    """A file the step must leave behind, relative to the workspace, not empty."""

    ref: CheckRefField
    path: str = Field(min_length=1)
    line: int | None = None


class Criterion(Record):
    """One acceptance criterion and the checks that prove it; all of them must pass."""

    id: CriterionIdField
    text: str
    verified_by: tuple[CheckRefField, ...] = ()
    line: int | None = None


class ApprovalPoint(StrEnum):
    """When a person has to agree: before a worker is started, or before what it did is accepted."""

    BEFORE_DISPATCH = "before_dispatch"
    BEFORE_ACCEPTANCE = "before_acceptance"


class TestsMay(StrEnum):
    """What a worker may do to tests that judge it, where the card says so."""

    ORIGINALS_FAIL = "originals_fail"
    TESTS_GO = "tests_go"


class Contract(Record):
    """What a step and a task share: what is promised, how that is proved, and what it may use.

    Attributes:
        red_before: ids of criteria whose checks have to fail before the work.
        protected_paths: globs of files that are put back to their first version and run again where they were changed.
        changed_tests: what of a change to tests is accepted.
    """

    title: str
    goal: str = ""
    criteria: tuple[Criterion, ...] = ()
    outputs: tuple[Output, ...] = ()
    allowed_paths: tuple[str, ...] = ()
    verification: tuple[Command, ...] = ()
    probes: tuple[Probe, ...] = ()
    limits: Allowance | None = None
    red_before: tuple[CriterionIdField, ...] = ()
    protected_paths: tuple[str, ...] = ()
    changed_tests: tuple[TestsMay, ...] = ()
    line: int | None = None

    @property
    def refs(self) -> tuple[CheckRef, ...]:
        """The ids a criterion of this contract may name."""
        return tuple(item.ref for item in (*self.verification, *self.probes, *self.outputs))

    def probe(self, ref: str) -> Probe | None:
        """The probe of that id; None where the id is that of a command, an output, or of nothing."""
        return next((probe for probe in self.probes if probe.ref == ref), None)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Contract:
        named = (("criterion", [str(c.id) for c in self.criteria]), ("check", [str(ref) for ref in self.refs]))
        for kind, ids in named:
            twice = sorted(name for name, times in Counter(ids).items() if times > 1)
            if twice:
                raise ValueError(f"{kind} id {twice[0]!r} stands twice in {self.title!r}")
        return self


class Step(Contract):
    """One contract inside a task, handed to one worker at a time."""

    id: StepIdField
    actions: tuple[Action, ...] = ()
    depends_on: tuple[StepIdField, ...] = ()
    approval: tuple[ApprovalPoint, ...] = ()


class Source(Record):
    """Where a task was read: the user's file, the bytes it had then, and the format it was read in.

    Attributes:
        checks_sha256: of the `waypost.checks.toml` beside it, where one was read with it.
    """

    path: str
    sha256: str
    line: int | None = None
    format: str = "card"
    checks_sha256: str | None = None


class Task(Contract):
    """What was asked. Criteria and commands of the task itself are checked after its last step."""

    id: TaskIdField
    steps: tuple[Step, ...] = Field(min_length=1)
    depends_on: tuple[TaskIdField, ...] = ()
    source: Source

    def contract(self, step_id: str | None) -> Contract:
        """That step, or the task itself for None. Raises KeyError."""
        return self if step_id is None else self.step(step_id)

    def contracts(self) -> tuple[tuple[StepId | None, Contract], ...]:
        """Every contract with the id of its step: the steps in file order, then the task itself."""
        return (*((step.id, step) for step in self.steps), (None, self))

    def step(self, step_id: str) -> Step:
        """The step of that id. Raises KeyError."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)
