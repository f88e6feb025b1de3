"""What an isolated run knows about its branch: where it began, what was merged, what was verified, where it went."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from .ids import StepIdField
from .model import Record


class Isolation(StrEnum):
    """Where steps work: in the user's checkout, or in git worktrees of their own."""

    NONE = "none"
    WORKTREE = "worktree"


class MergePolicy(StrEnum):
    """Where the result goes: the user's branch is fast-forwarded to it, or it stays on the run's branch."""

    FF = "ff"
    NONE = "none"


class Place(Record):
    """Where one attempt works.

    Attributes:
        branch: the step's branch.
        start: the commit that the attempt begins with.
        keep: the worktree stays as the last attempt left it, because that could not be committed.
    """

    branch: str
    start: str
    keep: bool = False


class Merge(Record):
    """One attempt's commit on the run's branch, and the commit of that branch which holds it."""

    step: StepIdField
    attempt: int = Field(ge=1)
    commit: str
    head: str


class Isolated(Record):
    """The branch of an isolated run.

    Attributes:
        branch: the run's branch.
        target: the user's branch that the result is brought to; None where it stays on `branch`.
        base: the commit of the user's branch that the changes of the run are counted from.
        head: the newest commit of the run's branch; what is dispatched next begins with it.
        folder: the workspace, relative to the top of the repository.
        submodules: paths of submodules, which stay empty in worktrees.
        merging: a commit whose merge into `branch` waits for a person, with the files in `conflicts`.
        onto: where `target` had moved to when a person was asked about it.
        verified: the commit that the newest round over everything has looked at.
        delivered: the commit that `target` was fast-forwarded to.
    """

    branch: str
    target: str | None = None
    base: str
    head: str
    folder: str = "."
    submodules: tuple[str, ...] = ()
    merges: tuple[Merge, ...] = ()
    merging: str | None = None
    conflicts: tuple[str, ...] = ()
    onto: str | None = None
    verified: str | None = None
    delivered: str | None = None

    def holds(self, step: str, attempt: int, commit: str | None) -> bool:
        """True where that commit of that attempt is merged."""
        return any((m.step, m.attempt, m.commit) == (step, attempt, commit) for m in self.merges)
