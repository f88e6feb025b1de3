"""What a file said, before it is a Task: every piece of text with its line, in one shape for all formats."""

from __future__ import annotations

from dataclasses import dataclass

from ...state.budget import Allowance
from ...state.task import Action

MAX_ENTRIES = 1_000
"""Of one field. More is no card that a person wrote, and costs its square where ids are compared."""


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of text and the 1-based line it starts in."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What a criterion names as its check: a command, the id of a check, or a check of a kind.

    Attributes:
        kind: the name of the kind, where it is one; `text` is then its first subject.
        more: its other subjects.
        args: what else it says, by name.
    """

    text: str
    line: int
    is_command: bool
    kind: str = ""
    more: tuple[str, ...] = ()
    args: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RawCriterion:
    """A criterion; `id` is None where its position numbers it."""

    text: Words
    id: Words | None = None
    proofs: tuple[Proof, ...] = ()


@dataclass(frozen=True, slots=True)
class RawCommand:
    """A verification command, or a check of another kind; `proves` names criteria, or is the single word `all`.

    Attributes:
        run: the command, or the first subject of its kind.
        more: its other subjects.
        args: what else it says, by name.
    """

    run: Words
    ref: Words | None = None
    equivalents: tuple[Words, ...] = ()
    proves: tuple[Words, ...] = ()
    timeout_s: float | None = None
    kind: Words | None = None
    more: tuple[Words, ...] = ()
    args: tuple[tuple[str, Words], ...] = ()


@dataclass(frozen=True, slots=True)
class RawOutput:
    """An expected file."""

    path: Words
    ref: Words | None = None


@dataclass(frozen=True, slots=True)
class RawContract:
    """A task or a step as written; only a task has steps."""

    id: Words
    title: Words
    line: int
    goal: Words | None = None
    actions: tuple[Action, ...] = ()
    criteria: tuple[RawCriterion, ...] = ()
    outputs: tuple[RawOutput, ...] = ()
    verification: tuple[RawCommand, ...] = ()
    depends_on: tuple[Words, ...] = ()
    allowed_paths: tuple[Words, ...] = ()
    limits: Allowance | None = None
    approval: tuple[Words, ...] = ()
    red_before: tuple[Words, ...] = ()
    protected_paths: tuple[Words, ...] = ()
    changed_tests: tuple[Words, ...] = ()
    steps: tuple[RawContract, ...] = ()
