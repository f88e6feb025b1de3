"""What a person has mended in the worktrees of a blocked run is committed before anything else touches it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...state.isolation import Isolated
from ...state.pipeline import PipelineState
from ...state.records import Attempt
from ...state.status import Route
from ..context import Call
from ..needs import need
from .grounds import merged_worktree
from .merged import merge_message, moved, with_step, with_target
from .names import put_by_ref
from .progress import is_merged, place_for
from .steps import worktree_of
from .worktree import CannotCommit, Worktree


class StillInConflict(Exception):
    """A person said that a conflict is resolved, and it is not.

    Attributes:
        reasons: one row for each file.
    """

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(f"still in conflict: {', '.join(files)}")
        self.reasons = tuple(f"still in conflict: {file}" for file in files)


def pick_up(state: PipelineState, call: Call, decision: Route, who: str) -> dict[str, Any]:
    """Commit what stands in the worktrees, and return the update of the state that names it.

    Raises:
        StillInConflict: the run is to be checked again, and files are still in conflict.
    """
    if state.isolated is None or decision is Route.GIVE_UP:
        return {}
    in_hand = dict.fromkeys(order.step for order in state.orders)
    attempts = tuple(filter(None, (_mended(state, call, step, who) for step in in_hand)))
    tree = merged_worktree(state, call.context.run_dir(state.run_id))
    with tree.locked() as mine:
        isolated = _branch(state, state.isolated, mine, decision, who) if mine.admin() else state.isolated
    return {"attempts": attempts, "isolated": isolated}


def _mended(state: PipelineState, call: Call, step: str, who: str) -> Attempt | None:
    """The newest attempt of a step in hand with what now stands in its worktree; None where that is nothing new."""
    order = next(order for order in state.orders if order.step == step)
    attempt, place = state.attempt(order.step, order.number), place_for(state, order)
    if attempt is None or place is None or is_merged(state, attempt):
        return None
    tree = worktree_of(state.workspace, state.run_id, call.context.run_dir(state.run_id), step)
    message = f"{step}: mended by {_one_line(who)}\n\nWaypost-Run: {state.run_id}\nWaypost-Step: {step}"
    try:
        with tree.locked() as mine:
            commit = mine.snapshot(attempt.commit or place.start, message, state.transitions[-1].at)
    except CannotCommit:
        return None
    return attempt.model_copy(update={"commit": commit}) if commit != attempt.commit else None


def _branch(state: PipelineState, isolated: Isolated, tree: Worktree, decision: Route, who: str) -> Isolated:
    if isolated.merging is None:
        message = f"Mended by {_one_line(who)}\n\nWaypost-Run: {state.run_id}"
        head = tree.snapshot(isolated.head, message, state.transitions[-1].at)
        return moved(isolated, head) if head != isolated.head else isolated
    commit = isolated.merging
    if decision is Route.RECOVER:
        tree.put_by(isolated.head, put_by_ref(state.run_id, commit))
        return moved(isolated, isolated.head)
    found = tree.resolved(isolated.head, commit, isolated.conflicts, merge_message(state, commit))
    if isinstance(found, tuple):
        raise StillInConflict(found)
    if found is None:
        return moved(isolated, isolated.head)
    if commit == isolated.onto:
        return with_target(isolated, found, commit)
    attempt = next(attempt for attempt in state.attempts if attempt.commit == commit)
    return with_step(isolated, found, need(attempt, "attempt"))


def _one_line(who: str) -> str:
    return " ".join(who.split()) or "a person"
