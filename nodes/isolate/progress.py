"""What is merged and what is not: read from the state alone."""

from __future__ import annotations

from collections.abc import Iterable

from ...state.isolation import Place
from ...state.pipeline import PipelineState
from ...state.records import Attempt, Order
from ...state.status import Route, Status
from ..move import Move
from ..needs import need
from .names import step_branch


def newest(state: PipelineState, step: str) -> Attempt | None:
    """The newest attempt of a step."""
    return next(reversed(state.attempts_of(step)), None)


def is_merged(state: PipelineState, attempt: Attempt | None) -> bool:
    """True where what the attempt left is on the run's branch."""
    isolated = need(state.isolated, "isolated")
    return attempt is not None and isolated.holds(attempt.step, attempt.number, attempt.commit)


def unmerged(state: PipelineState, steps: Iterable[str]) -> tuple[Attempt, ...]:
    """The newest attempts of these steps that are not on the run's branch, in file order."""
    wanted = set(steps)
    found = (newest(state, step.id) for step in need(state.task, "task").steps if step.id in wanted)
    return tuple(attempt for attempt in found if attempt is not None and not is_merged(state, attempt))


def place_for(state: PipelineState, order: Order) -> Place | None:
    """Where an attempt works: on what the step has left so far, or on everything that is merged."""
    if state.isolated is None:
        return None
    earlier = [attempt for attempt in state.attempts_of(order.step) if attempt.number < order.number]
    last = earlier[-1] if earlier else None
    start, keep = state.isolated.head, False
    if last is not None and not is_merged(state, last):
        kept = [attempt.commit for attempt in earlier if attempt.commit]
        start, keep = (kept[-1] if kept else start), last.commit is None
    return Place(branch=step_branch(state.run_id, order.step), start=start, keep=keep)


def integration(state: PipelineState, accepted: tuple[str, ...]) -> Move | None:
    """The move to `integrate`, where something that passed waits for it; None where nothing does."""
    if state.isolated is None:
        return None
    update = {"accepted": accepted}
    if waiting := unmerged(state, accepted):
        names = ", ".join(attempt.step for attempt in waiting)
        return Move(Status.ACCEPT, Route.INTEGRATE, f"to merge into {state.isolated.branch}: {names}", update)
    whole = len(accepted) == len(need(state.task, "task").steps)
    if whole and state.isolated.target is not None and state.isolated.delivered != state.isolated.head:
        reason = f"to bring to {state.isolated.target}: {state.isolated.head}"
        return Move(Status.ACCEPT, Route.INTEGRATE, reason, update)
    return None


def where_it_is(state: PipelineState) -> str:
    """For the last sentence on a run: which branch holds the result."""
    isolated = state.isolated
    return f"; commit {isolated.head} is on branch {isolated.target or isolated.branch}" if isolated else ""
