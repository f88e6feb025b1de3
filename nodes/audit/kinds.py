"""The outcome of every check that a kind judges, worked out again from the log and the files that it has kept."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ...state.errors import EvidenceError
from ...state.frozen import task_digest
from ...state.pipeline import PipelineState
from ...state.records import Check, CheckKind, Outcome
from ...state.task import MANUAL, Task
from ..checks.bench import KeptFiles
from ..checks.kinds import Kinds
from ..checks.kinds.bounded import Bounded
from ..checks.kinds.kind import NotKept
from ..checks.kinds.notes import facts_of
from ..checks.looking import declared, judge_again
from ..evidence.before import all_checks
from ..evidence.files import RunFolder
from ..manual import decision_behind
from .finding import Finding, ok, wrong

_JUDGED = frozenset({CheckKind.COMMAND, CheckKind.PROBE})


def audit_kinds(state: PipelineState, run: RunFolder, kinds: Kinds) -> Iterator[Finding]:
    """Whether each outcome is what its kind says about what was kept. A pass that nobody here can judge is wrong."""
    task = state.task
    checks = [check for check in all_checks(state) if check.kind in _JUDGED and not _is_repeated(check)]
    if task is None or not checks:
        return
    good = 0
    with Bounded() as bounded:
        for check in checks:
            complaint = _complaint(state, task, check, run, kinds, bounded)
            if complaint:
                yield wrong("kinds", check.id, complaint)
            else:
                good += 1
    if good == len(checks):
        yield ok("kinds", "all", f"{good} checks, each outcome is what its kind says about what was kept")


def _is_repeated(check: Check) -> bool:
    """Before the work a command that several steps name ran once; the records of the others are held against it."""
    return check.round == 0 and check.kind is CheckKind.COMMAND and not check.argv


def audit_frozen(state: PipelineState) -> Iterator[Finding]:
    """The task that was run against the plan that was frozen before, where one was."""
    if state.frozen is None or state.task is None:
        return
    found = task_digest(state.task)
    if found != state.frozen.digest:
        yield wrong("mapping", "frozen plan", f"frozen is {state.frozen.digest}, run was {found}")
    else:
        yield ok("mapping", "frozen plan", f"is what was run; frozen by {state.frozen.who}, sha256 {found}")


def _complaint(state: PipelineState, task: Task, check: Check, run: RunFolder, kinds: Kinds, bounded: Bounded) -> str:
    """Why an outcome is not borne out; empty if it is. What could not be verified never was a pass."""
    if check.outcome is Outcome.UNVERIFIABLE:
        return ""
    said = declared(task, check, kinds)
    passed = check.outcome is Outcome.PASSED
    if said is None:
        return (
            f'is {check.outcome}, and nobody here knows how to judge it (kind "{check.probe or check.kind}")' * passed
        )
    kind, probe = said
    if passed and not (check.log and check.log_sha256):
        return "passed without a log"
    again = judge_again(kind, probe, check, run, bounded)
    if passed and (again.outcome, again.reason) != (Outcome.PASSED, check.reason):
        return f"is PASSED ({check.reason}), what was kept says {again.outcome} ({again.reason})"
    if not passed and again.outcome is Outcome.PASSED:
        return f"is {check.outcome} ({check.reason}), what was kept says PASSED ({again.reason})"
    if check.probe == MANUAL and not _is_decided(state, check, run):
        return "is decided in its log as no person has decided in the run"
    return ""


def _is_decided(state: PipelineState, check: Check, run: RunFolder) -> bool:
    try:
        return decision_behind(check, facts_of(KeptFiles(check, run).log()), state.decisions)
    except (NotKept, EvidenceError, json.JSONDecodeError):
        return False
