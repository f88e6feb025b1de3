"""Which steps wait for a person's approval, and what that person is shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from ..state.ids import StepId
from ..state.invariants import result_approved, start_approved
from ..state.pipeline import Blocked, PipelineState
from ..state.records import Approval, Order, Verdict
from ..state.task import ActionKind, ApprovalPoint, Step, Task
from .checks.scope import changed_paths
from .needs import need

_SHOWN_LINES = 12
_SHOWN_FILES = 20
_LINE_WIDTH = 160


def free_and_held(
    state: PipelineState, task: Task, orders: tuple[Order, ...]
) -> tuple[tuple[Order, ...], tuple[Order, ...]]:
    """The orders that may be dispatched now, and those whose step has to be approved before."""
    held = tuple(order for order in orders if not start_approved(task.step(order.step), state.decisions))
    return tuple(order for order in orders if order not in held), held


def unapproved_result(state: PipelineState, task: Task, passed: Collection[StepId]) -> StepId | None:
    """The first step whose checks passed, and whose result a person has not approved yet."""
    return next(
        (
            step.id
            for step in task.steps
            if step.id in passed and not result_approved(step, state.attempts_of(step.id)[-1].number, state.decisions)
        ),
        None,
    )


def ask_to_start(state: PipelineState, task: Task, order: Order) -> Blocked:
    """The question before a step is dispatched: what will be done, by whom, and where."""
    step = task.step(order.step)
    return Blocked(
        question=f'Start step {step.id} "{step.title}"? Its card asks for approval before it is dispatched.',
        reasons=tuple(_plan_of(state, task, step)),
        approval=Approval(step=step.id, point=ApprovalPoint.BEFORE_DISPATCH),
    )


def ask_to_accept(state: PipelineState, task: Task, name: StepId, run_dir: Path) -> Blocked:
    """The question before a step is accepted: what was done, what the checks said, and where to look."""
    step, attempt = task.step(name), state.attempts_of(name)[-1]
    return Blocked(
        question=(
            f'Accept step {step.id} "{step.title}", attempt {attempt.number}? Its checks passed; '
            "its card asks for approval before it is accepted."
        ),
        reasons=tuple(result_of(state, task, step, run_dir)),
        approval=Approval(
            step=step.id,
            point=ApprovalPoint.BEFORE_ACCEPTANCE,
            attempt=attempt.number,
            round=state.round,
            work_sha256=state.work_sha256,
        ),
    )


def waits_for(blocked: Blocked) -> str:
    """In short what the question is about, for the record of the move."""
    return f"waits for approval: {blocked.approval.name}" if blocked.approval else blocked.question


def _plan_of(state: PipelineState, task: Task, step: Step) -> Iterator[str]:
    if step.goal:
        yield f"goal: {_short(step.goal)}"
    yield f'worker: "{state.worker}" in {state.workspace}'
    lines = [line for action in step.actions for line in _action_lines(action.kind, action.text)]
    yield from (f"will do: {_short(line)}" for line in lines[:_SHOWN_LINES])
    if len(lines) > _SHOWN_LINES:
        yield f"will do: {len(lines) - _SHOWN_LINES} more lines"
    yield f"may change: {', '.join(step.allowed_paths) or 'anything in the workspace'}"
    yield f"card: {task.source.path}{f':{step.line}' if step.line else ''}"


def _action_lines(kind: ActionKind, text: str) -> Iterator[str]:
    mark = "" if kind is ActionKind.PROSE else f"[{kind}] "
    yield from (f"{mark}{line}" for line in text.splitlines() if line.strip())


def result_of(state: PipelineState, task: Task, step: Step, run_dir: Path) -> Iterator[str]:
    """What a person is shown of what a step has left: files, verdicts, and where to look."""
    paths = changed_paths(state.checks, run_dir)
    if paths is None:
        yield "changed since the start of the run: not known"
    else:
        yield from (f"changed since the start of the run: {path}" for path in paths[:_SHOWN_FILES] or ["nothing"])
        if len(paths) > _SHOWN_FILES:
            yield f"changed since the start of the run: {len(paths) - _SHOWN_FILES} more files"
    texts = {criterion.id: criterion.text for criterion in step.criteria}
    for verdict in state.verdicts:
        if verdict.step == step.id and verdict.criterion is not None:
            yield _verdict_line(verdict, texts.get(verdict.criterion, ""))
    yield f"look at: {run_dir / 'reports' / task.id / 'report.md'}"
    yield f"look at: {run_dir / state.attempts_of(step.id)[-1].folder}"
    if state.baseline:
        yield f"look at: {_diff_command(state, step)}"


def _diff_command(state: PipelineState, step: Step) -> str:
    """How a person sees the change: that of the step's commit where it has one, or of the checkout."""
    base, commit = need(state.baseline, "baseline").commit, state.attempts_of(step.id)[-1].commit
    if commit is not None:
        return f"git -C {state.workspace} diff {base[:12]} {commit[:12]}"
    return f"git -C {state.workspace} diff {base[:12]} (and git status, for new files)"


def _verdict_line(verdict: Verdict, text: str) -> str:
    return f"{verdict.outcome} {verdict.criterion}: {_short(text)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LINE_WIDTH else line[: _LINE_WIDTH - 3] + "..."
