"""What was found about the tests of commands, worked out again from what was written down of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from ...state.records import Check, CheckKind, Outcome
from ...state.task import Task, TestsMay
from ..checks.judge_seen import allowances
from ..checks.judge_tests import judge_tests
from ..checks.seen_tests import Seen, read_seen
from .finding import Finding, ok, wrong

Read = Callable[[str], bytes]


def audit_tests(state: PipelineState, read: Read) -> Iterator[Finding]:
    """Each command of the newest round that saw tests, against the record of what that means.

    Args:
        read: the bytes of a file of the run; raises EvidenceError.
    """
    if state.task is None:
        return
    found = {check.id: check for check in state.checks if check.kind in (CheckKind.TESTS, CheckKind.ORIGINALS)}
    good = 0
    for check in state.checks:
        if check.kind is CheckKind.COMMAND and check.outcome is Outcome.PASSED and check.round == state.round:
            complaint = _complaint(state, state.task, check, found.get(f"{check.id}.tests"), read)
            if complaint:
                yield wrong("tests", check.id, complaint)
            good += not complaint and f"{check.id}.tests" in found
    for check in found.values():
        if check.kind is CheckKind.ORIGINALS and (complaint := _about_originals(state.task, check)):
            yield wrong("tests", check.id, complaint)
    if good:
        yield ok("tests", "all", f"{good} commands ran the tests that their records say")


def _complaint(state: PipelineState, task: Task, check: Check, found: Check | None, read: Read) -> str:
    before = state.before.of_command(check.run) if state.before else None
    try:
        seen, seen_before = _seen(check, read), _seen(before, read)
    except (EvidenceError, ValueError) as error:
        return f"what was written down about its tests cannot be read: {error}"
    passed_before = before is not None and before.outcome is Outcome.PASSED
    judged = judge_tests(seen, seen_before, passed_before, allowances(task))
    if judged is None:
        return ""
    if found is None:
        return "saw tests, and no record says what that means" if state.before else ""
    if (found.outcome, found.reason) != (judged.outcome, judged.reason):
        return f"recorded is {found.outcome} ({found.reason}), the tests say {judged.outcome} ({judged.reason})"
    return ""


def _about_originals(task: Task, check: Check) -> str:
    accepted = TestsMay.ORIGINALS_FAIL in allowances(task)
    if check.outcome is Outcome.PASSED and check.exit_code != 0 and check.tests is None and not accepted:
        return f"is PASSED with exit code {check.exit_code}, which the card does not accept"
    return ""


def _seen(check: Check | None, read: Read) -> Seen | None:
    return None if check is None or check.tests is None else read_seen(read(check.tests))
