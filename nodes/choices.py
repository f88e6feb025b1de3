"""What a person can answer to a run that waits."""

from __future__ import annotations

from enum import StrEnum

from ..state.guarding import broken_demands
from ..state.pipeline import PipelineState
from ..state.records import AttemptOutcome
from .transition import orders_after_recovery


class Choice(StrEnum):
    """What a person can answer."""

    APPROVE = "approve"
    REJECT = "reject"
    RECOVER = "recover"
    RECHECK = "recheck"
    GIVE_UP = "give_up"


def choices(state: PipelineState) -> tuple[Choice, ...]:
    """What a person may decide now. Rechecking needs finished attempts to look at, recovering something to dispatch."""
    attempts = [state.attempt(order.step, order.number) for order in state.orders]
    checkable = bool(attempts) and all(a is not None and a.outcome is not AttemptOutcome.RUNNING for a in attempts)
    recheck = (Choice.RECHECK,) if checkable else ()
    if state.blocked is not None and state.blocked.approval is not None:
        return (Choice.APPROVE, Choice.REJECT, *recheck, Choice.GIVE_UP)
    recover = (Choice.RECOVER,) if state.isolated is None or orders_after_recovery(state) else ()
    if state.plan is not None and not state.plan.gaps and broken_demands(state.task, state.before):
        # What should have failed before the work cannot be made to have failed by working.
        recover = ()
    return (*recover, *recheck, Choice.GIVE_UP)
