"""What follows when a worker is gone without a result, or never came: one rule, however it is noticed."""

from __future__ import annotations

from collections.abc import Sequence

from ..state.ids import StepId
from ..state.pipeline import Blocked, PipelineState
from ..state.records import AttemptOutcome, OnLost

QUESTION = "A worker is gone without a result. Nobody knows how far it came. Start it again, or give up?"

UNSTARTED = "A worker cannot be started. Mend that and let it try again, or give up?"


def lost_steps(state: PipelineState, steps: Sequence[StepId]) -> list[StepId]:
    """Those of `steps` whose newest attempt was lost."""
    return [step for step in steps if _lost_in_a_row(state, step)]


def retried(state: PipelineState, steps: Sequence[StepId]) -> list[StepId]:
    """Those of `steps` whose next attempt only makes good for a lost one, and is no rework."""
    return lost_steps(state, steps) if state.limits.on_lost is OnLost.RETRY else []


def asks_a_person(state: PipelineState, steps: Sequence[StepId]) -> Blocked | None:
    """The question, where the policy wants it asked or the same step was lost too often; None where it goes on."""
    lost, limits = lost_steps(state, steps), state.limits
    if limits.on_lost is OnLost.RETRY:
        lost = [step for step in lost if _lost_in_a_row(state, step) > limits.max_lost]
    elif limits.on_lost is OnLost.REWORK:
        lost = []
    if not lost:
        return None
    reasons = tuple(
        f"{step} attempt {last.number}: {last.reason or last.outcome} ({_lost_in_a_row(state, step)} in a row)"
        for step in lost
        for last in state.attempts_of(step)[-1:]
    )
    return Blocked(question=QUESTION, reasons=reasons)


def cannot_be_started(state: PipelineState, steps: Sequence[StepId]) -> Blocked | None:
    """The question where a worker could not even be started: its next attempt would end the same way."""
    newest = [last for step in steps for last in state.attempts_of(step)[-1:]]
    refused = [attempt for attempt in newest if attempt.outcome is AttemptOutcome.NOT_STARTED]
    if not refused:
        return None
    reasons = tuple(f'{one.step} attempt {one.number}, worker "{one.worker}": {one.reason}' for one in refused)
    return Blocked(question=UNSTARTED, reasons=reasons)


def _lost_in_a_row(state: PipelineState, step: StepId) -> int:
    count = 0
    for attempt in reversed(state.attempts_of(step)):
        if attempt.outcome is not AttemptOutcome.LOST:
            break
        count += 1
    return count
