"""What the scope checks of a run say: each outcome again from its list of changed files and what the task allows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from ...state.records import Check, CheckKind, Outcome
from ..checks.scope import allowed_globs, judge_changes
from ..checks.workspace import Change
from ..evidence.files import RunFolder
from .finding import Finding, ok, wrong


@dataclass(frozen=True)
class Row:
    """One changed file as a scope check recorded it."""

    change: Change
    allowed: bool


def audit_scope(state: PipelineState, run: RunFolder) -> Iterator[Finding]:
    """Every scope check: its outcome follows from its rows, and those of the newest from the globs of the task."""
    checks = [check for check in state.checks if check.kind is CheckKind.SCOPE]
    if not checks:
        yield wrong("scope", "changed files", "no scope check is recorded")
        return
    good = 0
    for check in checks:
        try:
            complaint = _complaint(state, check, rows_of(check, run), newest=check is checks[-1])
        except EvidenceError as error:
            complaint = error.what
        if complaint:
            yield wrong("scope", check.id, complaint)
        else:
            good += 1
    if good == len(checks):
        rows = rows_of(checks[-1], run)
        yield ok("scope", checks[-1].id, f"{len(rows)} changed files against the globs of the task: PASSED")


def rows_of(check: Check, run: RunFolder) -> tuple[Row, ...]:
    """The changed files in the log of a scope check; of one that git could not answer there are none.

    Raises:
        EvidenceError: it cannot be read.
    """
    if check.log is None:
        if check.outcome is Outcome.PASSED:
            raise EvidenceError("passed, and has no list of changed files")
        return ()
    try:
        return tuple(_row(json.loads(line)) for line in run.read(check.log).splitlines())
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceError(f"its list of changed files cannot be read: {error}") from None


def _row(row: dict[str, object]) -> Row:
    return Row(Change(str(row["path"]), str(row["change"])), row["allowed"] is True)


def _complaint(state: PipelineState, check: Check, rows: tuple[Row, ...], *, newest: bool) -> str:
    outside = [row.change.path for row in rows if not row.allowed]
    if check.log is not None and (check.outcome is Outcome.PASSED) != (not outside):
        return f"is {check.outcome}, outside the allowed scope are {outside[:5] or 'none'}"
    globs = _globs(state, check) if newest or check.step is not None else None
    if globs is None:
        return ""
    judged = judge_changes([row.change for row in rows], globs)
    differs = [change.path for (change, allowed), row in zip(judged, rows, strict=True) if allowed != row.allowed]
    return f"calls allowed, or not allowed, what the globs of the task do not: {differs[:5]}" if differs else ""


def _globs(state: PipelineState, check: Check) -> tuple[str, ...]:
    """What the check was held against: the newest has seen every step, and one of a step that step alone."""
    if check.step is None or state.task is None:
        return allowed_globs(state)
    return state.task.step(check.step).allowed_paths or state.task.allowed_paths
