"""How the checks ended before any work, and what that says about their passing now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...state.ids import CriterionId, StepId
from ...state.pipeline import PipelineState
from ...state.records import Check, CheckKind, Outcome
from ...state.task import Task
from .proof import CriterionRow, newest_checks

_HELD = (CheckKind.TESTS, CheckKind.ORIGINALS)


@dataclass(frozen=True)
class BeforeRow:
    """One criterion: the checks that prove it as they ended before the work, and what follows."""

    step: StepId | None
    criterion: CriterionId
    checks: tuple[Check, ...]
    said: str


@dataclass(frozen=True)
class TestsRow:
    """A command that passed: what was found about its tests; `found` is empty where they were not compared."""

    command: Check
    found: tuple[Check, ...]
    why_not: str


@dataclass(frozen=True)
class BeforeView:
    """What a report shows of it.

    Attributes:
        known: whether anything is recorded; a run of an older version has nothing.
        skipped: why the checks did not run before the work.
        left: files that the commands have left in the tree then, which are nobody's work.
    """

    known: bool
    skipped: str = ""
    rows: tuple[BeforeRow, ...] = ()
    left: tuple[str, ...] = ()
    tests: tuple[TestsRow, ...] = ()


def all_checks(state: PipelineState) -> tuple[Check, ...]:
    """Those before the work, and then those of every round."""
    return (*(state.before.checks if state.before else ()), *state.checks)


def before_view(state: PipelineState, task: Task, criteria: Sequence[CriterionRow]) -> BeforeView:
    """Work out what the reports show of the time before the work."""
    tests = tuple(_tests(state))
    if state.before is None:
        return BeforeView(False, tests=tests)
    outcome = {(row.step, row.id): row.outcome for row in criteria}
    rows = () if state.before.skipped else tuple(_rows(state, task, outcome))
    return BeforeView(True, state.before.skipped, rows, tuple(sorted(state.before.left)), tests)


def _rows(
    state: PipelineState, task: Task, now: dict[tuple[StepId | None, CriterionId], Outcome]
) -> Iterator[BeforeRow]:
    before = state.before
    for step, contract in task.contracts():
        for criterion in contract.criteria:
            if before is None:
                continue
            proofs = before.proofs(step, criterion)
            passes = now.get((step, criterion.id)) is Outcome.PASSED
            yield BeforeRow(step, criterion.id, proofs, _said(before.was_green(step, criterion), proofs, passes))


def _said(green: bool, proofs: Sequence[Check], passes: bool) -> str:
    if green:
        return "was green before: its passing proves no change"
    if any(check.outcome is Outcome.FAILED for check in proofs):
        return "red before, green after" if passes else "red before"
    return "what it was before is not known: " + ("a check could not run" if proofs else "no check ran")


def _tests(state: PipelineState) -> Iterator[TestsRow]:
    newest = newest_checks(state)
    for check in newest:
        if check.kind in (CheckKind.COMMAND, CheckKind.PROBE) and check.outcome is Outcome.PASSED:
            found = tuple(c for c in newest if c.kind in _HELD and c.id.rpartition(".")[0] == check.id)
            if check.kind is CheckKind.PROBE and not found:
                continue
            compared = any(c.kind is CheckKind.TESTS for c in found)
            yield TestsRow(check, found, "" if compared else _why_not(state, check))


def _why_not(state: PipelineState, check: Check) -> str:
    if check.tests is None:
        return "not compared: it is no pytest whose tests could be seen"
    return "not compared: pytest ran no tests before the work" if state.before else "not compared: nothing ran before"
