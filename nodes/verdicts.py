"""From checks to verdicts: pure, and PASSED only where every check that was promised ran now and passed."""

from __future__ import annotations

from collections.abc import Iterable

from ..state.ids import CriterionId, StepId
from ..state.plan import Plan
from ..state.records import Check, CheckKind, Outcome, Verdict
from ..state.task import Task

_WORST_FIRST = (Outcome.FAILED, Outcome.UNVERIFIABLE, Outcome.PASSED)


def judge(task: Task, plan: Plan, checks: Iterable[Check], earlier: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts after a round, in file order.

    Args:
        checks: the checks of the newest round.
        earlier: verdicts before it; those of steps that were not looked at now still stand.
    """
    now = tuple(checks)
    looked_at = {check.step for check in now}
    kept = [verdict for verdict in earlier if verdict.step not in looked_at]
    fresh: list[Verdict] = []
    for step in (*(step.id for step in task.steps), None):
        if step in looked_at:
            fresh += _subject(step, plan, [check for check in now if check.step == step])
    order: dict[StepId | None, int] = {step.id: place for place, step in enumerate(task.steps)}
    return tuple(sorted((*kept, *fresh), key=lambda verdict: order.get(verdict.step, len(order))))


def _subject(step: StepId | None, plan: Plan, checks: list[Check]) -> list[Verdict]:
    whole_task_checked = step is not None or any(check.kind is not CheckKind.SCOPE for check in checks)
    rows = [row for row in plan.coverage if row.step == step] if whole_task_checked else []
    criteria = [_criterion(step, row.criterion, row.checks, checks) for row in rows]
    counted = [check for check in checks if not _replaced(check, checks)]
    outcomes = [check.outcome for check in counted] + [verdict.outcome for verdict in criteria]
    if step is not None and not criteria:
        outcomes.append(Outcome.UNVERIFIABLE)
    outcome = next((worst for worst in _WORST_FIRST if worst in outcomes), Outcome.UNVERIFIABLE)
    bad = [check for check in counted if check.outcome is not Outcome.PASSED]
    reason = "; ".join(f"{check.run}: {check.reason}" for check in bad) or _without_bad_check(outcome)
    whole = Verdict(
        step=step, criterion=None, outcome=outcome, reason=reason, checks=tuple(check.id for check in counted)
    )
    return [*criteria, whole]


def _without_bad_check(outcome: Outcome) -> str:
    return "every check passed" if outcome is Outcome.PASSED else "a criterion has no check"


def _criterion(step: StepId | None, criterion: CriterionId, refs: tuple[str, ...], checks: list[Check]) -> Verdict:
    wanted = set(refs)
    own = [check for check in checks if check.ref in wanted and not _replaced(check, checks)]
    seen = {check.ref for check in own}
    missing = [ref for ref in refs if ref not in seen]
    outcomes = [check.outcome for check in own] + [Outcome.UNVERIFIABLE for _ in missing]
    outcome = next((worst for worst in _WORST_FIRST if worst in outcomes), Outcome.UNVERIFIABLE)
    reasons = [f"{check.run}: {check.reason}" for check in own if check.outcome is not Outcome.PASSED]
    reasons += [f"{ref} did not run" for ref in missing]
    if not refs:
        reasons = ["no check is named for it"]
    return Verdict(
        step=step,
        criterion=criterion,
        outcome=outcome,
        reason="; ".join(reasons) or "every check passed",
        checks=tuple(check.id for check in own),
    )


def _replaced(check: Check, checks: list[Check]) -> bool:
    """A baseline command that does not exist is replaced by its equivalents; they are judged instead of it."""
    return check.kind is CheckKind.BASELINE and any(
        other.ref == check.ref and other.stands_for is not None for other in checks
    )
