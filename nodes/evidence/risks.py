"""What a reader should know before trusting a run: facts from the records, nothing guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...state.pipeline import PipelineState
from ...state.records import Attempt, AttemptKind, AttemptOutcome, CheckKind, Outcome
from ...state.status import Route
from ...state.task import Task
from ..budget import exceeded
from ..checks.programs import TOOLS_REF
from ..checks.standing import FILES_REF
from ..checks.weak import weak_criteria
from .before import before_view
from .moments import moment
from .proof import CriterionRow, newest_checks
from .scope import Scope


@dataclass(frozen=True)
class Risk:
    """One fact, and the part of the run's state that it is read from."""

    text: str
    record: tuple[str, ...]


def risks(state: PipelineState, task: Task, criteria: Sequence[CriterionRow], scope: Scope) -> tuple[Risk, ...]:
    """One sentence per fact, in a fixed order; empty if the records hold none."""
    found = (
        (("verdicts",), _unproved(state, criteria)),
        (("attempts",), _attempts(state)),
        (("attempts",), _budgets(state)),
        (("transitions",), _interruptions(state)),
        (("baseline",), _workspace(state)),
        (("before",), _before(state, task, criteria)),
        (("isolated",), _branches(state)),
        (("checks",), _scope(task, scope)),
        (("tree",), _tree(state)),
        (("decisions",), _people(state)),
    )
    return tuple(Risk(text, record) for record, texts in found for text in texts)


def _unproved(state: PipelineState, criteria: Sequence[CriterionRow]) -> Iterator[str]:
    if not state.checks:
        yield "No check is recorded: nothing was verified."
    for row in criteria:
        if row.outcome is Outcome.UNVERIFIABLE:
            yield f"Criterion {row.id} of {_owner(row.step)} is UNVERIFIABLE: {row.reason}"
        if row.round < state.round and row.checks:
            yield f"Criterion {row.id} of {_owner(row.step)} was last checked in round {row.round} of {state.round}."
    for check in newest_checks(state):
        if check.outcome is Outcome.UNVERIFIABLE:
            yield f"Check {check.id} is UNVERIFIABLE: {check.reason}"
        if check.ref in (FILES_REF, TOOLS_REF):
            yield f"Check {check.id}: {check.reason}."
    for gap in state.plan.gaps if state.plan else ():
        yield f"The plan has a gap in {_owner(gap.step)}: {gap.reason}"


def _attempts(state: PipelineState) -> Iterator[str]:
    reworks = Counter(attempt.step for attempt in state.attempts if attempt.kind is AttemptKind.REWORK)
    for step, times in reworks.items():
        yield f"Step {step} was reworked {times} time{'s' if times > 1 else ''} (limit {state.limits.max_rework})."
    for attempt in state.attempts:
        if attempt.outcome is not AttemptOutcome.FINISHED:
            words = attempt.outcome.replace("_", " ")
            tail = f": {attempt.reason}" if attempt.reason else "."
            yield f"Attempt {attempt.number} of step {attempt.step} is recorded as {words}{tail}"
        yield from _denials(attempt)
    for order in state.orders:
        if state.attempt(order.step, order.number) is None:
            yield f"Attempt {order.number} of step {order.step} was ordered; no result of it is recorded."


def _budgets(state: PipelineState) -> Iterator[str]:
    for overrun in exceeded(state):
        said = str(overrun)
        yield f"{said[0].upper()}{said[1:]}."
    if state.forgiven.attempts:
        mark = ", ".join(f"{step}/{number}" for step, number in sorted(state.forgiven.attempts.items()))
        yield f"A person granted fresh budgets: attempts up to {mark} no longer count against any limit."


def _denials(attempt: Attempt) -> Iterator[str]:
    asked, name = attempt.permissions, f"Attempt {attempt.number} of step {attempt.step}"
    yield from (f"{name} was denied: {denial.what}: {denial.why}" for denial in asked.denials)
    if more := asked.denied - len(asked.denials):
        yield f"{name} was denied {more} more requests, listed in {attempt.folder}/permissions.jsonl."


def _interruptions(state: PipelineState) -> Iterator[str]:
    drained = sum(move.route is Route.DRAIN for move in state.transitions)
    if drained:
        yield f"The run was drained {drained} time{'s' if drained > 1 else ''}."
    if state.blocked:
        yield f"The run waits for a person: {state.blocked.question}"
        yield from (f"It is blocked because: {reason}" for reason in state.blocked.reasons)


def _workspace(state: PipelineState) -> Iterator[str]:
    if state.baseline is None:
        yield "The commit and the files of the workspace before the first step are not recorded."
        return
    for path in sorted(state.baseline.dirty):
        yield f"File {path} differed from the commit before the first step."


def _before(state: PipelineState, task: Task, criteria: Sequence[CriterionRow]) -> Iterator[str]:
    view = before_view(state, task, criteria)
    if not view.known:
        yield "How the checks ended before the work is not recorded."
    if view.skipped:
        yield f"The checks did not run before the work ({view.skipped})."
    for name, step, what in weak_criteria(task):
        yield f"Criterion {name} of {_owner(step)}: {what}."
    for row in view.rows:
        if row.said != "red before, green after":
            yield f"Criterion {row.criterion} of {_owner(row.step)}: {row.said}."
    for tests in view.tests:
        yield from (f"{check.run}: {check.reason}" for check in tests.found if check.kind is CheckKind.ORIGINALS)
        yield from (f"{check.run}: {check.reason}" for check in tests.found if "accepts" in check.reason)


def _branches(state: PipelineState) -> Iterator[str]:
    if state.isolated is None:
        return
    for path in state.isolated.submodules:
        yield f"Submodule {path} was an empty folder in the worktrees."
    if state.isolated.merging:
        yield f"The merge of {state.isolated.merging} waits for a person: {', '.join(state.isolated.conflicts)}"
    if state.isolated.delivered is None:
        yield f"The result is on branch {state.isolated.branch} alone."


def _scope(task: Task, scope: Scope) -> Iterator[str]:
    for step in task.steps:
        if not (step.allowed_paths or task.allowed_paths):
            yield f"No allowed scope is declared for step {step.id}."
    if not scope.known:
        yield "No list of changed files is recorded."
    if scope.outside:
        yield f"Changes outside the allowed scope: {scope.outside}."


def _tree(state: PipelineState) -> Iterator[str]:
    if state.tree is None:
        return
    if state.tree.patch is None:
        yield f"The change was not kept: {state.tree.why_no_patch}."
    for path in state.tree.omitted:
        yield f"{path} differs from the commit, and is a repository of its own: its files are not in the change."


def _people(state: PipelineState) -> Iterator[str]:
    if state.frozen is not None:
        note = f": {state.frozen.note}" if state.frozen.note else "."
        yield f"{state.frozen.who} froze the plan {state.frozen.digest} at {moment(state.frozen.at)}{note}"
    for decision in state.decisions:
        note = f": {decision.note}" if decision.note else "."
        about = f" ({decision.approval.name})" if decision.approval else ""
        signed = "signed" if decision.envelope else "not signed"
        yield f"{decision.who} decided {decision.route}{about} at {moment(decision.at)}, {signed}{note}"


def _owner(step: str | None) -> str:
    return f"step {step}" if step else "the task"
