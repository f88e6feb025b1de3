"""The last words on a run: what happened, where the proof is, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..nodes.person import choices
from ..state.pipeline import PipelineState
from ..state.records import Outcome
from ..state.status import ENDS, Status
from .answers import APPROVALS, from_here, runs_option

_JUDGED = frozenset({Status.BLOCKED, Status.FAILED})


def summary_lines(state: PipelineState, run_dir: Path) -> Iterator[tuple[str, str]]:
    """Label and text of each line of the closing summary."""
    yield "", ""
    yield "result", f"{state.status} {headline(state)}"
    for verdict in state.verdicts if state.status in _JUDGED else ():
        if verdict.outcome is not Outcome.PASSED and verdict.criterion is not None:
            yield "", f"{verdict.outcome} {verdict.step or 'task'} {verdict.criterion}: {verdict.reason}"
    if state.blocked is not None and state.status is Status.BLOCKED:
        yield "question", state.blocked.question
        for reason in state.blocked.reasons:
            yield "", reason
    for order in state.running() if state.status not in ENDS else ():
        yield "in flight", f"{order.step} attempt {order.number}: the worker goes on and is adopted on resume"
    for order in state.stopped() if state.status is Status.DRAINING else ():
        yield "stopped", f"{order.step} attempt {order.number}: the worker was stopped; resume starts another attempt"
    for file in state.evidence:
        yield "evidence", from_here(run_dir / file.path)
    for command in next_commands(state, run_dir):
        yield "next", command


def summary_record(state: PipelineState, run_dir: Path) -> dict[str, Any]:
    """The same facts for a script."""
    stopped = state.stopped() if state.status is Status.DRAINING else ()
    return {
        "run_id": state.run_id,
        "task_id": state.task_id,
        "status": state.status.value,
        "reason": headline(state),
        "attempts": len(state.attempts),
        "checks": {outcome.value: sum(c.outcome is outcome for c in state.checks) for outcome in Outcome},
        "waits_for": waits_for(state),
        "blocked": state.blocked.model_dump(mode="json") if state.blocked else None,
        "in_flight": [f"{order.step}/{order.number}" for order in state.running()] if state.status not in ENDS else [],
        "stopped": [f"{order.step}/{order.number}" for order in stopped],
        "evidence": [str(run_dir / file.path) for file in state.evidence],
        "run_dir": str(run_dir),
        "next": list(next_commands(state, run_dir)),
    }


def headline(state: PipelineState) -> str:
    """Why the run is where it is: the reason of its last move."""
    return state.transitions[-1].reason if state.transitions else "not begun"


def waits_for(state: PipelineState) -> str | None:
    """What a person is needed for; None where nobody is."""
    if state.status is not Status.BLOCKED:
        return None
    approval = state.blocked.approval if state.blocked else None
    return f"approval: {approval.name}" if approval else "a decision"


def next_commands(state: PipelineState, run_dir: Path) -> Iterator[str]:
    """What a person can type now."""
    run = f"{state.run_id}{runs_option(run_dir.parent)}"
    if state.status is Status.BLOCKED:
        offered = choices(state)
        resuming = [f"--{choice.replace('_', '-')}" for choice in offered if choice not in APPROVALS]
        yield from (f"waypost {choice} {run} --note WHY" for choice in offered if choice in APPROVALS)
        yield f"waypost resume {run} {'|'.join(resuming)} --note WHY"
    elif state.status not in ENDS:
        yield f"waypost resume {run}"
