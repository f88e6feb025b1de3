"""Where an isolated run is verified: each step in its own worktree, and what is merged in the run's.

Before and after a round a worktree holds exactly the commit that is judged: what checks leave behind is not part of it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ...state.errors import StateError, WorkspaceError
from ...state.ids import StepId
from ...state.isolation import Isolated
from ...state.pipeline import PipelineState
from ...state.records import Attempt, Check, Outcome
from ...state.task import Step, Task
from ...state.verified import VerifiedTree
from ..checks.repository import require_same_conversions
from ..checks.round import COMMIT_REF, Round
from ..checks.scope import allowed_globs
from ..checks.snapshot import Snapshot, snapshot_of_commit
from ..checks.tampering import Place
from ..checks.workspace import Change, changes_between
from ..ground import Checks, Ground
from ..needs import need
from ..workers.launcher.masking import Masker
from .names import run_worktree
from .progress import is_merged, newest
from .repository import Repository
from .steps import worktree_of
from .worktree import Worktree


def isolated_ground(state: PipelineState, this_round: Round) -> Ground:
    """The run's worktree where everything in hand is merged, else the worktrees of the steps in hand."""
    in_hand = [newest(state, order.step) for order in state.orders]
    if all(is_merged(state, attempt) for attempt in in_hand):
        return MergedGround(state, this_round)
    return StepGround(state, this_round)


def merged_worktree(state: PipelineState, run_dir: Path) -> Worktree:
    """The worktree of the run's branch, which need not be there."""
    branch = need(state.isolated, "isolated").branch
    return Worktree(Repository.at(Path(state.workspace)), run_worktree(run_dir), branch)


@contextmanager
def at_head(state: PipelineState, this_round: Round) -> Generator[Round]:
    """The round in the run's worktree, at the newest commit of its branch; the worktree is put back in the end."""
    isolated = need(state.isolated, "isolated")
    tree = merged_worktree(state, this_round.run_dir)
    _put(tree, isolated.head)
    try:
        yield _looking_at(this_round, tree, isolated, isolated.head)
    finally:
        _put(tree, isolated.head)


class StepGround:
    """Every step by itself: its checks and its changes, at the commit that its attempt left."""

    whole = False

    def __init__(self, state: PipelineState, this_round: Round) -> None:
        self.round = this_round
        self._state = state
        self._isolated = need(state.isolated, "isolated")
        self._entered: list[tuple[Worktree, str]] = []
        self._places: dict[StepId, Place] = {}

    def of_step(self, step: Step, attempt: Attempt) -> Iterator[Check]:
        """The checks of one step in its worktree, and its own changes against its own scope."""
        if attempt.commit is None:
            run = f"what attempt {attempt.number} of step {step.id} left, as a commit"
            yield self.round.git(COMMIT_REF, step.id, run, Outcome.FAILED, attempt.reason or "there is no commit")
            return
        tree = worktree_of(self._state.workspace, self.round.run, self.round.run_dir, step.id)
        self._entered.append((tree, attempt.commit))
        _put(tree, attempt.commit)
        here = _looking_at(self.round, tree, self._isolated, attempt.commit)
        yield from here.contract(step, step.id, attempt.number)
        began = tree.repo.git("merge-base", self._isolated.head, attempt.commit).text
        changes = changes_between(tree.repo.top, began, attempt.commit, folder=self._isolated.folder)
        self._places[step.id] = Place(here, tree.path, self._isolated.folder, self._since_the_start(attempt.commit))
        globs = step.allowed_paths or need(self._state.task, "task").allowed_paths
        yield self.round.scope(changes, globs, step=step.id, attempt=attempt.number)

    def place(self, step: StepId | None) -> Place:
        """The worktree of the step, with all that differs there from the start of the run."""
        return self._places[need(step, "step")]

    def _since_the_start(self, commit: str) -> tuple[Change, ...]:
        base, folder = need(self._state.baseline, "baseline").commit, self._isolated.folder
        return changes_between(Path(self._state.workspace), base, commit, folder=folder)

    def of_task(self, task: Task) -> Iterator[Check]:
        """Nothing: the task is checked on what is merged."""
        return iter(())

    def scope(self) -> Iterator[Check]:
        """Nothing more: each step has its own."""
        return iter(())

    def looked_at_again(self, task: Task, checks: tuple[Check, ...], *, disturbed: bool) -> tuple[Check, ...]:
        """Nothing is: what is delivered is a commit, which no command can change."""
        return checks

    def snapshot(self, masker: Masker) -> Snapshot:
        """None: what is delivered is merged first. Raises StateError."""
        raise StateError("the worktrees of single steps are no state that a run can end with")

    def settled(self, run: Checks) -> tuple[tuple[Check, ...], VerifiedTree | None]:
        """What `run` finds: what it looks at is a commit."""
        return run()

    def leave(self) -> None:
        """Put the worktrees back to their commits."""
        for tree, commit in self._entered:
            _put(tree, commit)

    def update(self, checks: Sequence[Check]) -> dict[str, Any]:
        """Nothing that is merged was looked at."""
        return {"isolated": self._isolated.model_copy(update={"verified": None})}


class MergedGround:
    """What is merged, at the newest commit of the run's branch."""

    whole = True

    def __init__(self, state: PipelineState, this_round: Round) -> None:
        self._state = state
        self._isolated = need(state.isolated, "isolated")
        self._tree = merged_worktree(state, this_round.run_dir)
        self._ready = False
        self.round = _looking_at(this_round, self._tree, self._isolated, self._isolated.head)

    def of_step(self, step: Step, attempt: Attempt) -> Iterator[Check]:
        """The checks of one step on the merged files."""
        self._enter()
        yield from self.round.contract(step, step.id, attempt.number)

    def of_task(self, task: Task) -> Iterator[Check]:
        """The checks of the task, and then whether all these checks have left the files as the commit has them."""
        self._enter()
        yield from self.round.contract(task, None, None)
        changed = self._tree.changed(untracked=False)
        moved = self._tree.head() != self._isolated.head
        what = f"changed by the checks: {', '.join(changed[:20])}" if changed else "the checks left it as it was"
        reason = "the checks moved the branch" if moved else what
        outcome = Outcome.FAILED if changed or moved else Outcome.PASSED
        yield self.round.git(COMMIT_REF, None, self._commit_line(), outcome, reason)

    def scope(self) -> Iterator[Check]:
        """What the run has changed, from the commit it counts from to what is merged."""
        top, folder = self._tree.repo.top, self._isolated.folder
        try:
            # Else what was checked could be right, and what is delivered wrong.
            require_same_conversions(top, need(self._state.baseline, "baseline").conversions_sha256)
        except WorkspaceError as error:
            yield self.round.scope_unknown(error)
            return
        changes = changes_between(top, self._isolated.base, self._isolated.head, folder=folder)
        yield self.round.scope(changes, allowed_globs(self._state))

    def place(self, step: StepId | None) -> Place:
        """The run's worktree, with all that differs there from the start of the run."""
        return Place(self.round, self._tree.path, self._isolated.folder, self._changes)

    @cached_property
    def _changes(self) -> tuple[Change, ...]:
        base, folder = need(self._state.baseline, "baseline").commit, self._isolated.folder
        return changes_between(self._tree.repo.top, base, self._isolated.head, folder=folder)

    def looked_at_again(self, task: Task, checks: tuple[Check, ...], *, disturbed: bool) -> tuple[Check, ...]:
        """Nothing is: what is delivered is a commit, which no command can change."""
        return checks

    def snapshot(self, masker: Masker) -> Snapshot:
        """The files of the commit."""
        top, isolated = Repository.at(Path(self._state.workspace)).top, self._isolated
        return snapshot_of_commit(top, isolated.base, isolated.head, folder=isolated.folder, masker=masker)

    def settled(self, run: Checks) -> tuple[tuple[Check, ...], VerifiedTree | None]:
        """What `run` finds: what it looks at is a commit."""
        return run()

    def leave(self) -> None:
        """Put the worktree back to its commit."""
        if self._ready:
            _put(self._tree, self._isolated.head)

    def update(self, checks: Sequence[Check]) -> dict[str, Any]:
        """The commit that was verified, if the round came to its end."""
        whole = any(check.ref == COMMIT_REF and check.outcome is Outcome.PASSED for check in checks)
        verified = self._isolated.head if whole else None
        return {"isolated": self._isolated.model_copy(update={"verified": verified})}

    def _enter(self) -> None:
        if not self._ready:
            _put(self._tree, self._isolated.head)
            self._ready = True

    def _commit_line(self) -> str:
        return f"commit {self._isolated.head} of {self._isolated.branch}, from {self._isolated.base}"


def _put(tree: Worktree, commit: str) -> None:
    with tree.locked() as mine:
        mine.place(commit)


def _looking_at(this_round: Round, tree: Worktree, isolated: Isolated, commit: str) -> Round:
    holds = partial(_holds, tree.repo, isolated.folder, commit)
    return replace(this_round, workspace=tree.path / isolated.folder, holds=holds)


def _holds(repo: Repository, folder: str, commit: str, path: str) -> bool:
    """True where the commit holds the file, or something below the folder, at `path` of the workspace."""
    said = repo.git("ls-tree", "-z", "--full-tree", commit, "--", posixpath.normpath(posixpath.join(folder, path)))
    return bool(said.out)
