"""The last words on a run: what passed and what did not, where the proof is, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..nodes.choices import Choice, choices
from ..nodes.excerpt import error_line
from ..state.events import FailedCheck
from ..state.pipeline import PipelineState
from ..state.records import Check, CheckKind, Outcome
from ..state.status import ENDS, Status
from .answers import APPROVALS, from_here, runs_option
from .safe import output_line

_JUDGED = frozenset({Status.BLOCKED, Status.FAILED})
_ERROR_MAX = 300
_LABELS = {Outcome.FAILED: "failed", Outcome.UNVERIFIABLE: "unverified"}
_SHOWN = 20
MEANING = {
    Choice.APPROVE: "agree to it",
    Choice.REJECT: "refuse it, and say why",
    Choice.RECOVER: "let a worker try again, with fresh reworks and budgets",
    Choice.RECHECK: "you mended the cause: only verify again",
    Choice.GIVE_UP: "end the run as FAILED",
}


def summary_lines(state: PipelineState, run_dir: Path) -> Iterator[tuple[str, str]]:
    """Label and text of each line of the closing summary."""
    yield "", ""
    yield "result", f"{state.status} {headline(state)}"
    if state.status is not Status.DONE:
        yield from _passed(state)
        yield from _failures(state, run_dir)
    told = {check.id for check in _failing(state)}
    for verdict in state.verdicts if state.status in _JUDGED else ():
        if verdict.outcome is not Outcome.PASSED and verdict.criterion is not None and told.isdisjoint(verdict.checks):
            yield "", f"{verdict.outcome} {verdict.step or 'task'} {verdict.criterion}: {verdict.reason}"
    if state.blocked is not None and state.status is Status.BLOCKED:
        yield "question", state.blocked.question
        yield from (("", reason) for reason in state.blocked.reasons if reason != headline(state))
    for order in state.running() if state.status not in ENDS else ():
        yield "in flight", f"{order.step} attempt {order.number}: the worker goes on and is adopted on resume"
    for order in state.stopped() if state.status is Status.DRAINING else ():
        yield "stopped", f"{order.step} attempt {order.number}: the worker was stopped; resume starts another attempt"
    for file in state.evidence:
        yield "evidence", from_here(run_dir / file.path)
    for command, meaning in next_steps(state, run_dir):
        yield "next", command
        if meaning:
            yield "", f"  {meaning}"


def _passed(state: PipelineState) -> Iterator[tuple[str, str]]:
    if state.accepted:
        total = len(state.task.steps) if state.task else 0
        yield "passed", f"{', '.join(state.accepted[:_SHOWN])} ({len(state.accepted)} of {total} steps)"


def _failures(state: PipelineState, run_dir: Path) -> Iterator[tuple[str, str]]:
    for check in _failing(state)[:_SHOWN]:
        failed = _failed(check, run_dir)
        criteria = [v.criterion for v in state.verdicts if v.criterion is not None and check.id in v.checks]
        about = " ".join([check.step or "task", *criteria])
        yield _LABELS[check.outcome], f"{about}: {check.run}: {check.reason}"
        if failed["error"]:
            yield "", f"  {failed['error']}"
        if failed["log"]:
            yield "log", from_here(Path(failed["log"]))


def failed_checks(state: PipelineState, run_dir: Path) -> list[FailedCheck]:
    """The checks of the newest round that did not pass, each with the line of its output that shows why."""
    return [_failed(check, run_dir) for check in _failing(state)]


def _failing(state: PipelineState) -> list[Check]:
    newest = state.round
    checks = [check for check in state.checks if check.round == newest and check.outcome is not Outcome.PASSED]
    return [check for check in checks if check.kind is not CheckKind.BASELINE]


def _failed(check: Check, run_dir: Path) -> FailedCheck:
    log = run_dir / check.log if check.log and check.kind is not CheckKind.SCOPE else None
    said = error_line(log) if log is not None and log.is_file() else None
    error = output_line(said.encode())[:_ERROR_MAX].strip() if said else None
    return FailedCheck(
        step=check.step,
        run=check.run,
        outcome=check.outcome,
        reason=check.reason,
        error=error or None,
        log=str(log) if log else None,
    )


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
        "failed": failed_checks(state, run_dir) if state.status is not Status.DONE else [],
        "waits_for": waits_for(state),
        "blocked": state.blocked.model_dump(mode="json") if state.blocked else None,
        "in_flight": [f"{order.step}/{order.number}" for order in state.running()] if state.status not in ENDS else [],
        "stopped": [f"{order.step}/{order.number}" for order in stopped],
        "evidence": [str(run_dir / file.path) for file in state.evidence],
        "run_dir": str(run_dir),
        "next": [command for command, _ in next_steps(state, run_dir)],
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


def next_steps(state: PipelineState, run_dir: Path) -> Iterator[tuple[str, str]]:
    """What a person can type now, and what that does where there is a choice."""
    run = f"{state.run_id}{runs_option(run_dir.parent)}"
    if state.status is Status.BLOCKED:
        for choice in choices(state):
            command = choice.value if choice in APPROVALS else "resume"
            option = "" if choice in APPROVALS else f" --{choice.value.replace('_', '-')}"
            yield f"waypost {command} {run}{option} --note WHY", MEANING[choice]
    elif state.status not in ENDS:
        yield f"waypost resume {run}", ""
