"""Whether the budgets of a run and its steps leave room for more work, and how much of them one attempt may use."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..state.budget import Allowance, Forgiven, Overrun, Resource
from ..state.ids import StepId
from ..state.pipeline import Blocked, PipelineState
from ..state.records import Attempt, AttemptOutcome, Order
from ..state.task import Step
from .needs import need

_SHORTEST_S = 1.0
_CHEAPEST_USD = 0.000001
_USES_NOTHING = frozenset({AttemptOutcome.NOT_STARTED, AttemptOutcome.RUNNING})


@dataclass(frozen=True)
class Share:
    """What one attempt may use: never more than is left."""

    timeout_s: float
    max_turns: int | None
    max_cost_usd: float | None


def over_budget(state: PipelineState, orders: Sequence[Order]) -> Blocked | None:
    """The question to a person where a limit leaves no room for `orders`; None where there is room."""
    found = overruns(state, [order.step for order in orders])
    if not found:
        return None
    return Blocked(
        question="A budget is used up. Go on with fresh ones, or give up?",
        reasons=tuple(str(overrun) for overrun in found),
        overruns=found,
    )


def overruns(state: PipelineState, steps: Sequence[StepId]) -> tuple[Overrun, ...]:
    """Every limit of the run, and of these steps, that leaves no room for more."""
    task = need(state.task, "task")
    found = list(_reached(state, None, run_allowance(state)))
    for step in dict.fromkeys(steps):
        found += _reached(state, step, step_allowance(state, task.step(step)))
    return tuple(found)


def affordable(state: PipelineState, orders: tuple[Order, ...]) -> tuple[Order, ...]:
    """The first of `orders`, as many as the run may still start side by side; what is cut off comes up again."""
    allowed = run_allowance(state)
    left = [
        int(limit - (used_of(state, None, resource)))
        for resource in (Resource.ATTEMPTS, Resource.TURNS)
        if (limit := allowed.limit(resource)) is not None
    ]
    return orders[: max(1, min(left))] if left else orders


def share(state: PipelineState, order: Order, side_by_side: int) -> Share:
    """What the attempt of `order` may use, where so many are dispatched together.

    Turns and cost of the run are divided among them, so that together they cannot use more than is left. Time is not:
    a step would be stopped early although the others need little.
    """
    step = need(state.task, "task").step(order.step)
    own, whole = step_allowance(state, step), run_allowance(state)
    times = [_left(state, order.step, own, Resource.TIME), _left(state, None, whole, Resource.TIME)]
    turns = [_left(state, order.step, own, Resource.TURNS), _left(state, None, whole, Resource.TURNS, side_by_side)]
    costs = [_left(state, order.step, own, Resource.COST), _left(state, None, whole, Resource.COST, side_by_side)]
    left_s, left_turns, left_usd = _least(times), _least(turns), _least(costs)
    # A step that was ordered while there was room is started with the least, not refused half-way.
    return Share(
        timeout_s=min(state.limits.step_timeout_s, math.inf if left_s is None else max(_SHORTEST_S, left_s)),
        max_turns=None if left_turns is None else max(1, int(left_turns)),
        max_cost_usd=None if left_usd is None else max(_CHEAPEST_USD, round(left_usd, 6)),
    )


def run_allowance(state: PipelineState) -> Allowance:
    """What the run may use: the smaller of what the command line and the card say."""
    return state.limits.of_run().within(state.task.limits if state.task else None)


def step_allowance(state: PipelineState, step: Step) -> Allowance:
    """What a step may use: the smaller of what the command line and the card say."""
    return state.limits.of_step().within(step.limits)


def forgive(state: PipelineState) -> Forgiven:
    """The mark of a fresh budget: what was used until now no longer counts."""
    newest: dict[StepId, int] = {}
    for attempt in state.attempts:
        newest[attempt.step] = max(attempt.number, newest.get(attempt.step, 0))
    return Forgiven(attempts=newest, round=state.round)


def exceeded(state: PipelineState) -> tuple[Overrun, ...]:
    """For the report: limits that were crossed or could not be held, also where nothing more was to be done."""
    steps = [step.id for step in state.task.steps] if state.task else []
    found = overruns(state, steps) if state.task else ()
    return tuple(overrun for overrun in found if overrun.used is None or overrun.used > overrun.limit)


def _reached(state: PipelineState, step: StepId | None, allowed: Allowance) -> Iterator[Overrun]:
    for resource in Resource:
        limit = allowed.limit(resource)
        if limit is None:
            continue
        silent = [attempt for attempt in _counted(state, step) if _says_nothing_of(resource, attempt)]
        used = None if silent else used_of(state, step, resource)
        if used is None or used >= limit:
            meant = silent or _counted(state, step)
            yield Overrun(
                resource=resource,
                step=step,
                used=used,
                limit=limit,
                attempts=tuple(f"{attempt.step}/{attempt.number}" for attempt in meant),
                workers=tuple(dict.fromkeys(attempt.worker for attempt in silent)),
            )


def _left(
    state: PipelineState, step: StepId | None, allowed: Allowance, resource: Resource, among: int = 1
) -> float | None:
    limit = allowed.limit(resource)
    return None if limit is None else (limit - (used_of(state, step, resource))) / among


def _least(values: list[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _counted(state: PipelineState, step: StepId | None) -> list[Attempt]:
    """The attempts of a step, or of the run, since the last fresh budget."""
    forgiven = state.forgiven.attempts
    return [
        attempt
        for attempt in state.attempts
        if step in (None, attempt.step) and attempt.number > forgiven.get(attempt.step, 0)
    ]


def used_of(state: PipelineState, step: StepId | None, resource: Resource) -> float:
    """What a step, or the run, is known to have used; an attempt that does not say counts as nothing here."""
    attempts = _counted(state, step)
    if resource is Resource.ATTEMPTS:
        return len(attempts)
    if resource is Resource.TURNS:
        return sum(attempt.usage.turns or 0 for attempt in attempts)
    if resource is Resource.COST:
        return sum(attempt.usage.cost_usd or 0.0 for attempt in attempts)
    checks = [c for c in state.checks if c.round > state.forgiven.round and step in (None, c.step)]
    worked = sum((a.ended_at - a.started_at).total_seconds() for a in attempts if a.started_at and a.ended_at)
    return worked + sum(check.duration_s or 0.0 for check in checks)


def _says_nothing_of(resource: Resource, attempt: Attempt) -> bool:
    said = {Resource.TURNS: attempt.usage.turns, Resource.COST: attempt.usage.cost_usd}
    return resource in said and said[resource] is None and attempt.outcome not in _USES_NOTHING
