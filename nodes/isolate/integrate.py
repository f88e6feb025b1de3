"""Bring together what passed: merge steps into the run's branch, and what was verified there into the user's branch.

Never both at once: whatever a merge makes is verified before it goes any further.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ...state.errors import StateError
from ...state.isolation import Isolated
from ...state.pipeline import Blocked, PipelineState
from ...state.records import Attempt, Check, CheckKind, Order, Outcome
from ...state.status import Route, Status
from ..checks.round import MERGE_REF
from ..context import Call
from ..move import Move
from ..needs import need
from .deliver import Delivered, deliver
from .grounds import merged_worktree
from .merged import merge_message, with_step, with_target
from .progress import unmerged
from .worktree import Worktree


def integrate(state: PipelineState, call: Call) -> Move:
    """Merge what waits; else bring the verified commit to the user's branch. A conflict is a question to a person."""
    isolated = need(state.isolated, "isolated")
    tree = merged_worktree(state, call.context.run_dir(state.run_id))
    waiting = unmerged(state, state.accepted)
    with tree.locked() as mine:
        if waiting:
            return _merge_steps(state, isolated, mine, waiting)
        if isolated.onto is not None:
            return _merge_target(state, isolated, mine, isolated.onto)
        if isolated.verified != isolated.head:
            raise StateError(f"commit {isolated.head} of {isolated.branch} was not verified: it goes nowhere")
        return _delivered(isolated, deliver(mine.repo, isolated))


def _merge_steps(state: PipelineState, isolated: Isolated, tree: Worktree, waiting: tuple[Attempt, ...]) -> Move:
    """One after the other, in file order: the same attempts always give the same commit."""
    done: list[Attempt] = []
    for attempt in waiting:
        commit = need(attempt.commit, "commit")
        head = tree.merge(isolated.head, commit, merge_message(state, commit))
        if isinstance(head, tuple):
            return _step_conflict(state, isolated, tree, waiting[len(done) :], head)
        isolated = with_step(isolated, head, attempt)
        done.append(attempt)
    names = ", ".join(attempt.step for attempt in done)
    reason = f"merged {names} into {isolated.branch}: {isolated.head}"
    return Move(Status.EXECUTE, Route.MERGED, reason, {"isolated": isolated, "orders": _orders(done)})


def _merge_target(state: PipelineState, isolated: Isolated, tree: Worktree, onto: str) -> Move:
    """The user's branch moved on, and a person said that the run shall take that in."""
    head = tree.merge(isolated.head, onto, merge_message(state, onto))
    if isinstance(head, tuple):
        what = f"{isolated.target} at {onto}"
        update = {"isolated": isolated.model_copy(update={"merging": onto, "conflicts": head})}
        return _conflict(what, isolated, tree, head, update, again="")
    reason = f"merged {isolated.target} at {onto} into {isolated.branch}: {head}"
    return Move(Status.EXECUTE, Route.MERGED, reason, {"isolated": with_target(isolated, head, onto)})


def _step_conflict(
    state: PipelineState, isolated: Isolated, tree: Worktree, waiting: tuple[Attempt, ...], files: tuple[str, ...]
) -> Move:
    attempt = waiting[0]
    commit = need(attempt.commit, "commit")
    update: dict[str, Any] = {
        "isolated": isolated.model_copy(update={"merging": commit, "conflicts": files}),
        "orders": _orders(waiting),
        # A person may send it back to its worker: then it is in hand again.
        "accepted": tuple(step for step in state.accepted if step != attempt.step),
        "checks": (_failed_merge(state, isolated, attempt, files),),
    }
    again = " or recover: the worker tries again;"
    return _conflict(f"step {attempt.step} at {commit}", isolated, tree, files, update, again=again)


def _conflict(
    what: str, isolated: Isolated, tree: Worktree, files: tuple[str, ...], update: dict[str, Any], *, again: str
) -> Move:
    reason = f"{what} does not merge into {isolated.branch}: {', '.join(files)}"
    question = (
        f"{what} is in conflict with {isolated.branch}. Resolve the files in {tree.path}, `git add` them, and recheck;"
        f"{again} or give up?"
    )
    blocked = Blocked(question=question, reasons=tuple(f"in conflict: {file}" for file in files))
    return Move(Status.BLOCKED, Route.CONFLICT, reason, {**update, "blocked": blocked})


def _failed_merge(state: PipelineState, isolated: Isolated, attempt: Attempt, files: tuple[str, ...]) -> Check:
    return Check(
        id=f"{state.round}.{attempt.step}.{MERGE_REF}",
        round=state.round,
        step=attempt.step,
        attempt=attempt.number,
        ref=MERGE_REF,
        kind=CheckKind.GIT,
        run=f"git merge {isolated.head} (what {isolated.branch} holds)",
        outcome=Outcome.FAILED,
        reason=f"in conflict: {', '.join(files)}; merge that commit in this worktree, and resolve them",
        started_at=datetime.now(UTC),
    )


def _orders(attempts: list[Attempt] | tuple[Attempt, ...]) -> tuple[Order, ...]:
    """What is in hand while the merged state is verified: the steps that were just merged."""
    return tuple(Order(step=attempt.step, number=attempt.number, kind=attempt.kind) for attempt in attempts)


def _delivered(isolated: Isolated, result: Delivered) -> Move:
    if result.blocked is None:
        update: dict[str, Any] = {"isolated": isolated.model_copy(update={"delivered": isolated.head, "onto": None})}
        return Move(Status.ACCEPT, Route.DELIVERED, f"{isolated.target} is at {isolated.head}", update)
    update = {"isolated": isolated.model_copy(update={"onto": result.onto}), "blocked": result.blocked}
    return Move(Status.BLOCKED, Route.NOT_DELIVERED, "; ".join(result.blocked.reasons), update)
