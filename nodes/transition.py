"""Decide where the run goes after a round of checks. The only place that does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..state.ids import StepId
from ..state.pipeline import Blocked, PipelineState
from ..state.records import CheckKind, Order, Outcome, Verdict
from ..state.status import Route, Status
from ..state.task import Task
from .approvals import ask_to_accept, ask_to_start, free_and_held, unapproved_result, waits_for
from .budget import affordable, over_budget
from .context import Call
from .isolate.progress import integration, where_it_is
from .lost import asks_a_person, cannot_be_started, retried
from .manual import as_if_approved, ask_to_decide
from .move import Move
from .needs import need
from .orders import ready_orders, rework_order


def transition(state: PipelineState, call: Call) -> Move:
    """DONE, the next steps, rework, or BLOCKED: from the verdicts alone, never from what a worker said."""
    task = need(state.task, "task")
    whole = {verdict.step: verdict for verdict in state.verdicts if verdict.criterion is None}
    failed = _failed_steps(state, task, whole)
    if failed:
        return _rework(state, failed, whole)
    accepted = _accepted(state, task, whole)
    verdicts = as_if_approved(state, task)
    unverifiable = [verdict for verdict in verdicts if verdict.outcome is Outcome.UNVERIFIABLE]
    if unverifiable or not verdicts:
        return _unverifiable(state, unverifiable)
    if state.undecided:
        blocked = ask_to_decide(state, task, call.context.run_dir(state.run_id))
        update = {"accepted": accepted, "blocked": blocked}
        return Move(Status.BLOCKED, Route.APPROVAL_NEEDED, waits_for(blocked), update)
    if (waiting := unapproved_result(state, task, accepted)) is not None:
        blocked = ask_to_accept(state, task, waiting, call.context.run_dir(state.run_id))
        update = {"accepted": accepted, "blocked": blocked}
        return Move(Status.BLOCKED, Route.APPROVAL_NEEDED, waits_for(blocked), update)
    if (move := integration(state, accepted)) is not None:
        return move
    if len(accepted) == len(task.steps):
        reason = f"every step and criterion passed in round {state.round}{where_it_is(state)}"
        return Move(Status.DONE, Route.ACCEPTED_ALL, reason, {"accepted": accepted, "orders": (), "blocked": None})
    return _next_steps(state, task, accepted)


def _next_steps(state: PipelineState, task: Task, accepted: tuple[StepId, ...]) -> Move:
    """What needs no approval goes on first; a person is asked when nothing else is left to do."""
    free, held = free_and_held(state, task, ready_orders(task, accepted, state.attempts))
    update: dict[str, Any] = {"accepted": accepted}
    if (blocked := over_budget(state, free or held)) is not None:
        return _blocked(Route.OVER_BUDGET, blocked, update)
    if not free:
        blocked = ask_to_start(state, task, held[0])
        update |= {"orders": held, "blocked": blocked}
        return Move(Status.BLOCKED, Route.APPROVAL_NEEDED, waits_for(blocked), update)
    orders = affordable(state, free)
    names = ", ".join(order.step for order in orders)
    return Move(Status.EXECUTE, Route.ACCEPTED_NEXT, f"next: {names}", {**update, "orders": orders})


def _blocked(route: Route, blocked: Blocked, update: dict[str, Any]) -> Move:
    return Move(Status.BLOCKED, route, "; ".join(blocked.reasons), {**update, "blocked": blocked})


def _failed_steps(state: PipelineState, task: Task, whole: dict[StepId | None, Verdict]) -> list[StepId]:
    failed = [step.id for step in task.steps if step.id in whole and whole[step.id].outcome is Outcome.FAILED]
    of_task = whole.get(None)
    if of_task is not None and of_task.outcome is Outcome.FAILED and not failed:
        # What fails for the task as a whole is mended by those who worked last.
        failed = [order.step for order in state.orders]
    return failed


def _accepted(state: PipelineState, task: Task, whole: dict[StepId | None, Verdict]) -> tuple[StepId, ...]:
    newest = state.round
    looked_at = {check.step for check in state.checks if check.round == newest}
    return tuple(
        step.id
        for step in task.steps
        if (step.id in state.accepted and step.id not in looked_at)
        or (step.id in looked_at and step.id in whole and whole[step.id].outcome is Outcome.PASSED)
    )


def _rework(state: PipelineState, failed: Sequence[StepId], whole: dict[StepId | None, Verdict]) -> Move:
    reasons = tuple(f"{step}: {_why(state, step, whole)}" for step in failed)
    accepted = tuple(step for step in _accepted(state, need(state.task, "task"), whole) if step not in failed)
    update: dict[str, Any] = {"accepted": accepted}
    if (blocked := cannot_be_started(state, failed)) is not None:
        return _blocked(Route.NOT_STARTED, blocked, update)
    if (blocked := asks_a_person(state, failed)) is not None:
        return _blocked(Route.LOST, blocked, update)
    again = retried(state, failed)
    if (blocked := exhausted(state, [step for step in failed if step not in again], reasons)) is not None:
        return _blocked(Route.EXHAUSTED, blocked, update)
    orders = tuple(rework_order(state, step) for step in failed)
    if (blocked := over_budget(state, orders)) is not None:
        return _blocked(Route.OVER_BUDGET, blocked, update)
    orders = affordable(state, orders)
    reworked = [order.step for order in orders if order.step not in again]
    update |= {"orders": orders, "reworks": count_reworks(state, reworked)}
    return Move(Status.EXECUTE, Route.REWORK if reworked else Route.RETRY, "; ".join(reasons), update)


def exhausted(state: PipelineState, steps: Sequence[StepId], reasons: tuple[str, ...]) -> Blocked | None:
    """The question where one of the steps has had all its reworks; None where each may have another."""
    limit = state.limits.max_rework
    spent = [step for step in steps if state.reworks.get(step, 0) >= limit]
    if not spent:
        return None
    question = f"{', '.join(spent)} still fails after {limit} reworks. How shall it go on?"
    return Blocked(question=question, reasons=reasons)


def count_reworks(state: PipelineState, steps: Sequence[StepId]) -> dict[str, int]:
    """The reworks of each step, with one more for these."""
    return {**state.reworks, **{step: state.reworks.get(step, 0) + 1 for step in steps}}


def _why(state: PipelineState, step: StepId, whole: dict[StepId | None, Verdict]) -> str:
    own = whole.get(step)
    verdict = own if own is not None and own.outcome is Outcome.FAILED else whole.get(None)
    return verdict.reason if verdict else "no verdict"


def _unverifiable(state: PipelineState, verdicts: Sequence[Verdict]) -> Move:
    reasons = tuple(
        f"{verdict.step or 'task'}{f' {verdict.criterion}' if verdict.criterion else ''}: {verdict.reason}"
        for verdict in verdicts
    ) or ("no check ran",)
    missing = [
        f"{check.run}: {check.reason}"
        for check in state.checks
        if check.round == state.round and check.outcome is Outcome.UNVERIFIABLE and check.kind is not CheckKind.BASELINE
    ]
    question = "Some of what was asked cannot be verified here. Mend that and recheck, or give up?"
    return Move(
        Status.BLOCKED,
        Route.UNVERIFIABLE,
        "; ".join(dict.fromkeys(missing)) or "; ".join(reasons),
        {"blocked": Blocked(question=question, reasons=reasons)},
    )


def orders_after_recovery(state: PipelineState) -> tuple[Order, ...]:
    """What is dispatched when a person says "go on": every step in hand that is not accepted, told what failed."""
    task = need(state.task, "task")
    in_hand = [order.step for order in state.orders if order.step not in state.accepted]
    if in_hand:
        return tuple(rework_order(state, step) for step in in_hand)
    return ready_orders(task, state.accepted, state.attempts)
