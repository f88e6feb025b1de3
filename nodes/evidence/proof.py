"""What the newest checks prove, criterion by criterion. A verdict is never shown better than its checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...state.ids import CriterionId, StepId
from ...state.invariants import missing_for_done, missing_on_branch
from ...state.pipeline import PipelineState
from ...state.records import Check, CheckKind, Outcome, Verdict
from ...state.status import Status
from ...state.task import Contract, Criterion, Task


@dataclass(frozen=True)
class CriterionRow:
    """One criterion, the checks it rests on, and what that makes it. `round`: where they ran, 0 for nowhere."""

    step: StepId | None
    id: CriterionId
    text: str
    round: int
    refs: tuple[str, ...]
    checks: tuple[Check, ...]
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class BaselineRow:
    """A command that does not exist here (`absent`), and what ran in its place in the same round."""

    absent: Check
    equivalents: tuple[Check, ...]
    outcome: Outcome


def newest_checks(state: PipelineState) -> tuple[Check, ...]:
    """The checks that verdicts rest on: for each step, and for the task itself, those of the round that saw it last.

    A run that is DONE has one round that saw everything; before that, a round sees only the steps in hand.
    """
    last = _last_rounds(state)
    return tuple(check for check in state.checks if check.round == last[check.step])


def contracts(task: Task) -> tuple[tuple[StepId | None, Contract], ...]:
    """Every contract with the id of its step: the steps in file order, then the task itself."""
    return (*((step.id, step) for step in task.steps), (None, task))


def criterion_rows(state: PipelineState, task: Task) -> tuple[CriterionRow, ...]:
    """One row for each criterion of the task, also for those that nothing proves."""
    known = _index(state)
    return tuple(
        _criterion_row(known, step, criterion) for step, contract in contracts(task) for criterion in contract.criteria
    )


def baseline_rows(checks: Sequence[Check]) -> tuple[BaselineRow, ...]:
    """One row for each command that does not exist here, from `newest_checks`."""
    return tuple(_baseline_row(check, checks) for check in checks if check.kind is CheckKind.BASELINE)


def overall(state: PipelineState, rows: Sequence[CriterionRow]) -> tuple[Outcome, tuple[str, ...]]:
    """The verdict for the run, and everything in words that keeps it from PASSED."""
    missing = missing_for_done(state.task, state.plan, state.attempts, state.checks, state.verdicts, state.decisions)
    missing += missing_on_branch(state.isolated, state.task, state.attempts)
    if not missing:
        missing = [f"criterion {row.id} of {row.step or 'the task'}: {row.reason}" for row in rows if not _passed(row)]
    if state.status is not Status.DONE:
        missing.append(f"the run is {state.status}, not DONE")
    if not missing:
        return Outcome.PASSED, ()
    outcomes = [*(check.outcome for check in newest_checks(state)), *(row.outcome for row in rows)]
    failed = state.status is Status.FAILED or Outcome.FAILED in outcomes
    return Outcome.FAILED if failed else Outcome.UNVERIFIABLE, tuple(dict.fromkeys(missing))


@dataclass(frozen=True)
class _Index:
    rounds: dict[StepId | None, int]
    refs: dict[tuple[StepId | None, CriterionId | None], dict[str, None]]
    checks: dict[tuple[StepId | None, str], list[Check]]
    verdicts: dict[tuple[StepId | None, CriterionId | None], Verdict]


def _index(state: PipelineState) -> _Index:
    known = _Index(_last_rounds(state), {}, {}, {})
    for row in state.plan.coverage if state.plan else ():
        known.refs.setdefault((row.step, row.criterion), {}).update(dict.fromkeys(row.checks))
    for check in newest_checks(state):
        known.checks.setdefault((check.step, check.ref), []).append(check)
    for verdict in state.verdicts:
        # Of two verdicts on one criterion the one that is no pass counts.
        if verdict.outcome is not Outcome.PASSED or (verdict.step, verdict.criterion) not in known.verdicts:
            known.verdicts[verdict.step, verdict.criterion] = verdict
    return known


def _last_rounds(state: PipelineState) -> dict[StepId | None, int]:
    return {check.step: check.round for check in sorted(state.checks, key=lambda check: check.round)}


def _criterion_row(known: _Index, step: StepId | None, criterion: Criterion) -> CriterionRow:
    refs = tuple(known.refs.get((step, criterion.id), ()))
    checks = tuple(check for ref in refs for check in known.checks.get((step, ref), ()))
    number = known.rounds.get(step, 0)
    outcome, reason = _judge(known.verdicts.get((step, criterion.id)), refs, checks, number)
    return CriterionRow(step, criterion.id, criterion.text, number, refs, checks, outcome, reason)


def _judge(
    verdict: Verdict | None, refs: tuple[str, ...], checks: tuple[Check, ...], number: int
) -> tuple[Outcome, str]:
    doubts = _doubts(refs, checks, number)
    if verdict is None:
        return Outcome.UNVERIFIABLE, "; ".join(["no verdict is recorded", *doubts])
    if verdict.outcome is not Outcome.PASSED or not doubts:
        return verdict.outcome, verdict.reason
    failed = any(check.outcome is Outcome.FAILED for check in checks)
    return Outcome.FAILED if failed else Outcome.UNVERIFIABLE, "recorded as PASSED, but " + "; ".join(doubts)


def _doubts(refs: tuple[str, ...], checks: tuple[Check, ...], number: int) -> list[str]:
    if not refs:
        return ["no check is mapped to it"]
    ran = [check for check in checks if check.kind is not CheckKind.BASELINE]
    seen = {check.ref for check in ran}
    idle = [ref for ref in refs if ref not in seen]
    return [
        *(f"{ref} did not run in round {number}" if number else f"{ref} did not run" for ref in idle),
        *(f"check {check.id} is {check.outcome}" for check in ran if check.outcome is not Outcome.PASSED),
    ]


def _baseline_row(absent: Check, checks: Sequence[Check]) -> BaselineRow:
    own = tuple(c for c in checks if c.stands_for is not None and (c.step, c.ref) == (absent.step, absent.ref))
    outcomes = {check.outcome for check in own}
    if Outcome.FAILED in outcomes:
        return BaselineRow(absent, own, Outcome.FAILED)
    return BaselineRow(absent, own, Outcome.PASSED if outcomes == {Outcome.PASSED} else Outcome.UNVERIFIABLE)


def _passed(row: CriterionRow) -> bool:
    return row.outcome is Outcome.PASSED
