"""After a drain: are the workers that were left behind still there, or have they ended with a record?"""

from __future__ import annotations

from ..state.pipeline import Blocked, PipelineState
from ..state.records import AttemptOutcome, OnLost
from ..state.status import Route, Status
from .context import Call
from .lost import QUESTION
from .move import Move
from .workers.attempt import AttemptFolder, Stage


def adopt(state: PipelineState, call: Call) -> Move:
    """Back to EXECUTE, where dispatch finds every attempt; BLOCKED where one is lost and the policy is to ask."""
    dispatch = call.context.run_dir(state.run_id) / "dispatch"
    flying = state.in_flight()
    stages = {
        (order.step, order.number): AttemptFolder(dispatch / order.step / f"attempt-{order.number}").stage()
        for order in flying
    }
    lost = [f"{step} attempt {number}" for (step, number), stage in stages.items() if stage is Stage.LOST]
    if lost and state.limits.on_lost is OnLost.BLOCK:
        reason = f"gone without a result: {', '.join(lost)}"
        records = tuple(
            attempt.model_copy(update={"outcome": AttemptOutcome.LOST, "reason": "gone without a result"})
            for (step, number), stage in stages.items()
            if stage is Stage.LOST and (attempt := state.attempt(step, number)) is not None
        )
        blocked = Blocked(question=QUESTION, reasons=(reason,))
        return Move(Status.BLOCKED, Route.NOT_ADOPTED, reason, {"blocked": blocked, "attempts": records})
    if state.before is None and not state.attempts and set(stages.values()) <= {Stage.UNCLAIMED}:
        return Move(Status.FREEZE, Route.NOT_MEASURED, "no worker was started; the checks before it run again")
    found = ", ".join(f"{step} attempt {number} ({stage})" for (step, number), stage in stages.items())
    return Move(Status.EXECUTE, Route.ADOPTED, found or "nothing was in flight", {"blocked": None})
