"""What must be true of a run that is DONE. Checked on the data itself, whoever wrote it."""

from __future__ import annotations

from .isolation import Isolated
from .plan import Plan
from .records import Attempt, Check, CheckKind, Decision, Outcome, Verdict
from .status import Route
from .task import MANUAL, ApprovalPoint, Step, Task

_PROOF = frozenset({CheckKind.COMMAND, CheckKind.OUTPUT, CheckKind.PROBE})


def missing_for_done(
    task: Task | None,
    plan: Plan | None,
    attempts: tuple[Attempt, ...],
    checks: tuple[Check, ...],
    verdicts: tuple[Verdict, ...],
    decisions: tuple[Decision, ...],
) -> list[str]:
    """Everything that keeps this record from proving DONE, in words; empty only if nothing is missing."""
    if task is None or plan is None:
        return ["there is no task or no plan"]
    missing: list[str] = []
    newest_round = max((check.round for check in checks), default=0)
    final = [check for check in checks if check.round == newest_round]
    if not plan.coverage:
        missing.append("no criterion is mapped to a check")
    if not any(check.outcome is Outcome.PASSED and check.kind in _PROOF for check in final):
        missing.append("no check ran and passed")
    replaced = {(check.step, check.ref) for check in final if check.stands_for and check.outcome is Outcome.PASSED}
    missing += [
        f"check {check.id} is {check.outcome}"
        for check in final
        if check.outcome is not Outcome.PASSED
        and not (check.kind is CheckKind.BASELINE and (check.step, check.ref) in replaced)
    ]
    missing += [
        f"check {check.id} passed without a decision of a person"
        for check in final
        if check.probe == MANUAL and check.outcome is Outcome.PASSED and not decisions_on(check.id, decisions)
    ]
    missing += [f"{_name(v)} is {v.outcome}" for v in verdicts if v.outcome is not Outcome.PASSED]
    for step in task.steps:
        own = [attempt for attempt in attempts if attempt.step == step.id]
        if not own or not own[-1].succeeded:
            missing.append(f"step {step.id} has no successful attempt")
        elif not start_approved(step, decisions):
            missing.append(f"step {step.id} was started without approval")
        elif not result_approved(step, own[-1].number, decisions):
            missing.append(f"attempt {own[-1].number} of step {step.id} is not approved")
    proved = {(v.step, v.criterion) for v in verdicts if v.outcome is Outcome.PASSED and v.checks}
    passed = {(check.step, check.ref) for check in final if check.outcome is Outcome.PASSED}
    for row in plan.coverage:
        if (row.step, row.criterion) not in proved:
            missing.append(f"criterion {row.criterion} of {row.step or 'the task'} has no PASSED verdict")
        missing += [
            f"criterion {row.criterion} rests on {ref}, which did not pass in the last round"
            for ref in row.checks
            if (row.step, ref) not in passed
        ]
    criteria = {(step.id, c.id) for step in task.steps for c in step.criteria} | {(None, c.id) for c in task.criteria}
    covered = {(row.step, row.criterion) for row in plan.coverage if row.checks}
    missing += [f"criterion {c} has no check" for _, c in sorted(criteria - covered, key=str)]
    return missing


def start_approved(step: Step, decisions: tuple[Decision, ...]) -> bool:
    """True where the step needs no approval before it is dispatched, or has it; reworks of it need no other."""
    return ApprovalPoint.BEFORE_DISPATCH not in step.approval or any(
        decision.route is Route.APPROVE_START
        and decision.approval is not None
        and (decision.approval.step, decision.approval.point) == (step.id, ApprovalPoint.BEFORE_DISPATCH)
        for decision in decisions
    )


def result_approved(step: Step, attempt: int, decisions: tuple[Decision, ...]) -> bool:
    """True where the step needs no approval before it is accepted, or has it for exactly that attempt."""
    wanted = (step.id, ApprovalPoint.BEFORE_ACCEPTANCE, attempt)
    return ApprovalPoint.BEFORE_ACCEPTANCE not in step.approval or any(
        decision.route is Route.APPROVE_RESULT
        and decision.approval is not None
        and decision.approval.check is None
        and (decision.approval.step, decision.approval.point, decision.approval.attempt) == wanted
        for decision in decisions
    )


def decisions_on(check: str, decisions: tuple[Decision, ...]) -> list[Decision]:
    """The approvals of a check that a person decides, also those of earlier rounds; `check` is its id."""
    _, _, name = check.partition(".")
    return [
        decision
        for decision in decisions
        if decision.route is Route.APPROVE_RESULT
        and decision.approval is not None
        and decision.approval.check is not None
        and decision.approval.check.partition(".")[2] == name
    ]


def missing_on_branch(isolated: Isolated | None, task: Task | None, attempts: tuple[Attempt, ...]) -> list[str]:
    """What keeps an isolated run from DONE: the commit that was verified has to be what its branch holds."""
    if isolated is None:
        return []
    missing: list[str] = []
    if isolated.verified != isolated.head:
        missing.append(f"commit {isolated.head} of {isolated.branch} was not verified")
    if isolated.target is not None and isolated.delivered != isolated.head:
        missing.append(f"commit {isolated.head} was not brought to {isolated.target}")
    for step in task.steps if task else ():
        newest = next((attempt for attempt in reversed(attempts) if attempt.step == step.id), None)
        if newest is None or not isolated.holds(newest.step, newest.number, newest.commit):
            missing.append(f"the newest attempt of step {step.id} is not merged into {isolated.branch}")
    return missing


def _name(verdict: Verdict) -> str:
    where = f"step {verdict.step}" if verdict.step else "the task"
    return f"criterion {verdict.criterion} of {where}" if verdict.criterion else where
