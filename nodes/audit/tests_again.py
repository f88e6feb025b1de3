"""What was found about the tests of commands, worked out again from what was written down of them."""

from __future__ import annotations

from collections.abc import Iterator

from ...state.errors import EvidenceError, StateError
from ...state.pipeline import PipelineState
from ...state.records import Check, CheckKind, Outcome
from ...state.task import Command, Task, TestsMay
from ..checks.judge_seen import allowances, declared_as, judge_seen
from ..checks.kinds import Kinds
from ..checks.kinds.bounded import Bounded
from ..checks.kinds.command import CommandKind, as_probe
from ..checks.looking import judge_again
from ..checks.seen_tests import Seen, read_seen
from ..checks.watch_tests import is_pytest
from ..evidence.files import RunFolder
from .finding import Finding, ok, wrong

_RUN = frozenset({CheckKind.COMMAND, CheckKind.PROBE})


def audit_tests(state: PipelineState, run: RunFolder, kinds: Kinds) -> Iterator[Finding]:
    """Each check of the newest round that saw tests, against the record of what that means."""
    task = state.task
    if task is None:
        return
    found = {check.id: check for check in state.checks if check.kind in (CheckKind.TESTS, CheckKind.ORIGINALS)}
    good = 0
    for check in state.checks:
        if check.kind in _RUN and check.outcome is Outcome.PASSED and check.round == state.round:
            complaint = _complaint(state, task, check, found.get(f"{check.id}.tests"), run, kinds)
            if complaint:
                yield wrong("tests", check.id, complaint)
            good += not complaint and f"{check.id}.tests" in found
    with Bounded() as bounded:
        for check in found.values():
            if check.kind is CheckKind.ORIGINALS and (complaint := _about_originals(task, check, run, kinds, bounded)):
                yield wrong("tests", check.id, complaint)
    if good:
        yield ok("tests", "all", f"{good} commands ran the tests that their records say")


def _complaint(
    state: PipelineState, task: Task, check: Check, found: Check | None, run: RunFolder, kinds: Kinds
) -> str:
    before = state.before.of(task, check) if state.before else None
    try:
        seen, seen_before = _seen(check, run), _seen(before, run)
        judged = judge_seen(task, kinds, check, seen, before, seen_before)
    except (EvidenceError, ValueError) as error:
        return f"what was written down about its tests cannot be read: {error}"
    except (LookupError, StateError):
        return "is of nothing that the task declares"
    if judged is None:
        return ""
    if found is None:
        return "saw tests, and no record says what that means" if state.before else ""
    if (found.outcome, found.reason) != (judged.outcome, judged.reason):
        return f"recorded is {found.outcome} ({found.reason}), the tests say {judged.outcome} ({judged.reason})"
    return ""


def _about_originals(task: Task, check: Check, run: RunFolder, kinds: Kinds, bounded: Bounded) -> str:
    """Where no tests were seen, the check itself has to have passed with the first versions."""
    by_its_tests = check.tests is not None and is_pytest(check.argv)
    if check.outcome is not Outcome.PASSED or by_its_tests or TestsMay.ORIGINALS_FAIL in allowances(task):
        return ""
    ref = check.id.removeprefix(f"{check.round}.{check.step or 'task'}.").partition(".")[0]
    about = check.model_copy(update={"ref": ref})
    try:
        declared = declared_as(task, about)
    except (LookupError, StateError):
        return "is of nothing that the task declares"
    kind = CommandKind() if isinstance(declared, Command) else kinds.get(declared.kind)
    if kind is None:
        return "is PASSED, and nobody here knows how to judge it"
    probe = as_probe(declared) if isinstance(declared, Command) else declared
    again = judge_again(kind, probe, check, run, bounded)
    said = f"with exit code {check.exit_code}, which the card does not accept: {again.reason}"
    return "" if again.outcome is Outcome.PASSED else f"is PASSED {said}"


def _seen(check: Check | None, run: RunFolder) -> Seen | None:
    return None if check is None or check.tests is None else read_seen(run.read(check.tests))
