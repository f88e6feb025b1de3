"""What a task file of another tool says, before anything of it is accepted: tasks, their order, what may prove them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ....state.task import ActionKind
from ..raw import Words
from ..source import SourceFile


class Progress(StrEnum):
    """Where the file says a task stands. DROPPED: cancelled, deferred or deleted. What a file says proves nothing."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class Guess(StrEnum):
    """What a piece of code in a text looks like."""

    RUNNABLE = "runnable"
    CODE = "code or path"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A piece of code that may be a check. Only a runnable one is taken up, and only once it was shown and accepted."""

    run: str
    guess: Guess
    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class ForeignCriterion:
    """Something that has to be true.

    Attributes:
        key: names it in `waypost.checks.toml`; stable while the file says the same.
        origin: which part of the file said it.
        implied: the file states no criterion; the task's own sentence stands for one.
    """

    key: str
    text: str
    line: int
    origin: str
    proposals: tuple[Proposal, ...] = ()
    implied: bool = False


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing to do, in the file's words."""

    kind: ActionKind
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of one line to be replaced; `line` is 1-based, `column` counts characters, `old` is what stands there."""

    line: int
    column: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ForeignTask:
    """One task of a foreign file.

    Attributes:
        file: the file it stands in, as shown.
        status: the file's own word for its progress.
        details: what is to be done, in the file's words.
        outputs: files that the task says it leaves behind.
        depends_on: ids as the file names them, also those it does not hold.
        parent: the task it is a part of.
        group: the phase, milestone or tag it stands in.
        by_model: a language model wrote this, not the file.
        mark: the edit that sets it to done; None where the format has no place for that.
    """

    id: str
    title: str
    file: str
    line: int
    progress: Progress
    status: str
    goal: str = ""
    details: tuple[Detail, ...] = ()
    criteria: tuple[ForeignCriterion, ...] = ()
    outputs: tuple[Words, ...] = ()
    depends_on: tuple[str, ...] = ()
    parent: str | None = None
    group: str = ""
    labels: tuple[str, ...] = ()
    optional: bool = False
    by_model: bool = False
    mark: Edit | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something in the file that was not understood, or not taken up."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class TaskList:
    """What a reader found in one input.

    Attributes:
        tasks: in file order, ids unique.
        stages: ids of tasks that wait for all tasks of the stage before them; tasks in no stage only have dependencies.
        files: every file that was read, the sidecar not included.
    """

    format: str
    tasks: tuple[ForeignTask, ...]
    stages: tuple[tuple[str, ...], ...]
    notes: tuple[Note, ...]
    files: tuple[SourceFile, ...]
