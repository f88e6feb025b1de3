"""Where a round of verification happens: in the user's checkout, or in the worktrees of an isolated run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from ..state.errors import WorkspaceError
from ..state.guarding import LeftByChecks
from ..state.ids import StepId
from ..state.pipeline import PipelineState
from ..state.records import Attempt, Check, CheckKind, Outcome
from ..state.task import Step, Task
from ..state.verified import VerifiedTree
from .checks.commit_files import CommitFiles
from .checks.killed_round import Began, began_before, note
from .checks.round import Round
from .checks.scope import allowed_globs
from .checks.snapshot import Snapshot, snapshot_of_workspace
from .checks.standing import FILES_REF, Standing, standing
from .checks.tampering import Place
from .checks.workspace import Change, Look, changes_in, changes_since, commit_at, content_of, look, of_the_work
from .needs import need
from .workers.launcher.masking import Masker

_SHOWN = 20
_LEFT_MOST = 200
Checks = Callable[[], tuple[tuple[Check, ...], VerifiedTree | None]]


class Ground(Protocol):
    """What verify asks of the place that it looks at.

    Attributes:
        round: the round that is under way.
        whole: whether everything that was worked on stands here together, so that DONE can rest on it.
    """

    @property
    def round(self) -> Round: ...
    @property
    def whole(self) -> bool: ...

    def of_step(self, step: Step, attempt: Attempt) -> Iterator[Check]:
        """The checks of one step, where it stands."""
        ...

    def of_task(self, task: Task) -> Iterator[Check]:
        """The checks of the task itself, the last of a round."""
        ...

    def scope(self) -> Iterator[Check]:
        """The changed files against what is allowed."""
        ...

    def place(self, step: StepId | None) -> Place:
        """Where the checks of that step (None: of the task itself) have just passed."""
        ...

    def looked_at_again(self, task: Task, checks: tuple[Check, ...], *, disturbed: bool) -> tuple[Check, ...]:
        """The checks with what can have become otherwise by the last command.

        Args:
            disturbed: a process was found that a check had left behind.
        """
        ...

    def snapshot(self, masker: Masker) -> Snapshot:
        """What the checks have looked at, as a tree. Raises WorkspaceError."""
        ...

    def settled(self, run: Checks) -> tuple[tuple[Check, ...], VerifiedTree | None]:
        """What `run` finds where the checks leave the files as they are."""
        ...

    def leave(self) -> None:
        """Tidy up, also after a round that was stopped."""
        ...

    def update(self, checks: Sequence[Check]) -> dict[str, Any]:
        """What else the state has to know after a whole round."""
        ...


class SharedGround:
    """The workspace itself: all steps work in it, and what is checked is what they have left there."""

    whole = True

    def __init__(self, state: PipelineState, this_round: Round) -> None:
        self.round = this_round
        self._state = state
        self._seen: Look | None = None
        self._before: Standing | None = None
        self._killed: Began | None = None
        self._changes: tuple[Change, ...] = ()

    def of_step(self, step: Step, attempt: Attempt) -> Iterator[Check]:
        """The checks of one step."""
        yield from self.round.contract(step, step.id, attempt.number)

    def of_task(self, task: Task) -> Iterator[Check]:
        """The checks of the task itself."""
        yield from self.round.contract(task, None, None)

    def scope(self) -> Iterator[Check]:
        """What differs from the state before the first step, against the scope of all steps so far."""
        baseline = need(self._state.baseline, "baseline")
        runs_dir = self.round.call.context.runs_dir
        try:
            left = self._state.before.left if self._state.before else {}
            self._seen = look(self.round.workspace, baseline, runs_dir=runs_dir)
            changes = changes_in(self._seen, self.round.workspace, baseline, left=left)
        except WorkspaceError as error:
            yield self.round.scope_unknown(error)
            return
        self._changes = changes
        yield self.round.scope(changes, allowed_globs(self._state))

    def place(self, step: StepId | None) -> Place:
        """The workspace, with what had changed when the scope was looked at."""
        top = need(self._seen, "look at the workspace").places.top.resolve()
        folder = self.round.workspace.resolve().relative_to(top).as_posix()
        return Place(self.round, top, folder, self._changes)

    def looked_at_again(self, task: Task, checks: tuple[Check, ...], *, disturbed: bool) -> tuple[Check, ...]:
        """Outputs and changed files as they are after the last command: one of the commands may have changed them."""
        kinds = [check.kind for check in checks]
        looked = kinds.index(CheckKind.SCOPE) if CheckKind.SCOPE in kinds else len(kinds)
        ran_since = disturbed or any(check.argv or check.kind is CheckKind.BASELINE for check in checks[looked:])

        def again(check: Check) -> Check:
            if check.kind is CheckKind.SCOPE:
                return next(self.scope()) if ran_since else check
            if check.kind is CheckKind.OUTPUT:
                contract = task.step(check.step) if check.step else task
                return next(self.round.output(item, check) for item in contract.outputs if item.ref == check.ref)
            if check.kind is CheckKind.PROBE:
                return self.round.probe_again(task, check)
            return check

        return tuple(again(check) for check in checks)

    def snapshot(self, masker: Masker) -> Snapshot:
        """The files that the last look at the scope has named: nothing ran since."""
        seen, baseline = need(self._seen, "look at the workspace"), need(self._state.baseline, "baseline")
        return snapshot_of_workspace(self.round.workspace, baseline.commit, seen, masker=masker)

    def settled(self, run: Checks) -> tuple[tuple[Check, ...], VerifiedTree | None]:
        """What `run` finds over files that stand there afterwards as they did before.

        A check that changes files has judged others than those that are left: then everything is looked at once more,
        on what was left. Where that is changed again, nothing has been verified.
        """
        before = self._begin()
        checks, tree = run()
        if not (first := self._moved(before, checks)):
            return checks, tree
        self.round.for_people.clear()
        self.round.begin()
        before = self._standing()
        checks, tree = run()
        if moved := self._moved(before, checks):
            return (*checks, self._changed(moved)), None
        return (*checks, self._left_alone(first)), tree

    def _standing(self) -> Standing:
        began, commit = self._state.created_at, self._commit
        at_top = commit is not None and commit[1].resolve() == self.round.workspace.resolve()
        return standing(
            self.round.workspace,
            left_out=self.round.call.context.runs_dir,
            known=commit[0] if commit is not None and at_top else None,
            since_ns=int(began.timestamp() * 1e9) if began else 0,
        )

    @cached_property
    def _commit(self) -> tuple[CommitFiles, Path] | None:
        """The files that the work counts from, and the top of the checkout; None where git cannot tell."""
        try:
            return commit_at(self.round.workspace, need(self._state.baseline, "baseline"))
        except WorkspaceError:
            return None

    def _moved(self, before: Standing, checks: tuple[Check, ...]) -> tuple[str, ...]:
        """The files of the work that are others than before these checks, if they are to prove anything.

        In words where git cannot tell.
        """
        if not all(passed_or_replaced(check) for check in checks):
            return ()
        moved, left = before.moved(self.round.workspace), self._state.before.left if self._state.before else {}
        surely = [path for path in moved.surely if not self._is_of_checks(path, before)]
        if not surely and not moved.perhaps:
            return ()
        baseline, runs_dir = need(self._state.baseline, "baseline"), self.round.call.context.runs_dir
        try:
            if moved.perhaps:
                changed = {c.path for c in changes_since(self.round.workspace, baseline, runs_dir=runs_dir, left=left)}
                surely += sorted(changed.intersection(moved.perhaps))
            return tuple(sorted(of_the_work(self.round.workspace, baseline, surely, runs_dir=runs_dir)))
        except WorkspaceError as error:
            return (error.what,)

    def _begin(self) -> Standing:
        """How the files stand now, noted for the case that the round is killed: what it leaves is no worker's then."""
        self._before = self._standing()
        self._killed = began_before(self.round.run_dir, self.round.number)
        loose = {path: found.content for path, found in self._before.facts.items() if self._is_loose(path)}
        now = None if self._commit is None else Began(loose)
        note(self.round.run_dir, self.round.number, self._killed or now)
        return self._before

    def _is_of_checks(self, path: str, at: Standing) -> bool:
        """True for a file that only checks have written, before the work or in earlier rounds: it is nobody's work."""
        left = self._state.before.left if self._state.before else {}
        theirs = {left.get(path), self._state.left_by_checks.files.get(path)} - {None, ""}
        if at.content(path) in theirs:
            return True
        killed = self._killed
        return killed is not None and self._is_loose(path) and killed.files.get(path) in {None, *theirs}

    def _is_loose(self, path: str) -> bool:
        """True for a file that surely is in no commit."""
        return self._commit is not None and not self._commit[0].holds(os.path.normpath(f"{self._folder}/{path}"))

    @cached_property
    def _folder(self) -> str:
        """The workspace, from the top of the checkout."""
        return os.path.relpath(self.round.workspace.resolve(), self._commit[1].resolve()) if self._commit else "."

    def _left_alone(self, first: tuple[str, ...]) -> Check:
        what = f"the checks changed {_some(first)}, and left everything alone when they ran again on that"
        return self._files(Outcome.PASSED, what)

    def _changed(self, moved: tuple[str, ...]) -> Check:
        why = "so that nobody knows whether they would pass on what they have left"
        cure = "remove a file that only the checks write before you end, or let them leave it alone"
        return self._files(Outcome.FAILED, f"changed by the checks each time they ran, {why}: {_some(moved)}; {cure}")

    def _files(self, outcome: Outcome, reason: str) -> Check:
        step = self._state.orders[-1].step if self._state.orders else None
        return self.round.git(FILES_REF, step, "the files as the checks have left them", outcome, reason)

    def leave(self) -> None:
        """Nothing: the workspace is the user's."""

    def update(self, checks: Sequence[Check]) -> dict[str, Any]:
        """The untracked files that the checks of this round have made, or changed where they were theirs before."""
        before, seen = self._before, self._seen
        files: dict[str, str] = {}
        if before is not None and seen is not None:
            untracked = [c.path for c in seen.found if c.kind == "untracked" and not c.path.startswith("../")]
            theirs = [path for path in untracked if path not in before.facts or self._is_of_checks(path, before)]
            with contextlib.suppress(WorkspaceError, OSError):
                files = {path: content_of(self.round.workspace / path) for path in theirs[:_LEFT_MOST]}
        return {"left_by_checks": LeftByChecks(files=files)}


def passed_or_replaced(check: Check) -> bool:
    """True for a check that passed, and for a command that does not exist: what ran instead is judged for itself."""
    return check.outcome is Outcome.PASSED or check.kind is CheckKind.BASELINE


def _some(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
