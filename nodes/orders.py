"""Which attempts come next: the numbers and kinds of orders, in file order."""

from __future__ import annotations

from collections.abc import Collection

from ..state.ids import StepId
from ..state.pipeline import PipelineState
from ..state.records import Attempt, AttemptKind, AttemptOutcome, CheckKind, Order
from ..state.status import Route
from ..state.task import Task


def ready_orders(task: Task, accepted: Collection[str], attempts: tuple[Attempt, ...]) -> tuple[Order, ...]:
    """Every step that is not accepted and whose dependencies all are."""
    done = set(accepted)
    return tuple(
        Order(step=step.id, number=_next_number(attempts, step.id), kind=AttemptKind.CREATE)
        for step in task.steps
        if step.id not in done and done.issuperset(step.depends_on)
    )


def rework_order(state: PipelineState, step: StepId) -> Order:
    """The next attempt of a step, with the checks it has to mend: its own, or the task's where its own passed."""
    known = state.attempts_of(step)
    asked = [order.number for order in state.orders if order.step == step]
    last = known[-1].outcome if known else None
    if last is None:
        return Order(step=step, number=max([*asked, 1]), kind=AttemptKind.CREATE)
    kind = AttemptKind.RESUME if last in (AttemptOutcome.LOST, AttemptOutcome.RUNNING) else AttemptKind.REWORK
    failing = [check for check in state.failing(step) if check.kind is not CheckKind.BASELINE] or list(
        state.failing(None)
    )
    return Order(
        step=step,
        number=max([*asked, known[-1].number]) + 1,
        kind=kind,
        failing=tuple(check.id for check in failing),
        feedback=_feedback(state, known[-1]),
    )


def _feedback(state: PipelineState, last: Attempt) -> str:
    """What a person said who rejected that attempt."""
    notes = [
        f"{decision.who} rejected this: {decision.note or 'no reason was given'}"
        for decision in state.decisions
        if decision.route is Route.REJECT_RESULT
        and decision.approval is not None
        and (decision.approval.step, decision.approval.attempt) == (last.step, last.number)
    ]
    return notes[-1] if notes else ""


def _next_number(attempts: tuple[Attempt, ...], step: StepId) -> int:
    return max((attempt.number for attempt in attempts if attempt.step == step), default=0) + 1
