"""The files that records name: there, regular, and with the bytes that were recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from ...state.records import Attempt, AttemptOutcome, Check, CheckKind, Outcome
from ..checks.scope import allowed_globs, judge_changes
from ..checks.workspace import Change
from ..evidence.before import all_checks
from ..evidence.files import RunFolder
from .finding import Finding, not_checked, ok, wrong
from .tests_again import audit_tests

_STARTED = frozenset({AttemptOutcome.FINISHED, AttemptOutcome.NO_RESULT, AttemptOutcome.REPORTED_FAILURE})
_SCOPE_LOG_MOST = 64 << 20


def audit_files(state: PipelineState, run: RunFolder) -> Iterator[Finding]:
    """Every hash in the state, worked out again from the file it belongs to."""
    recorded = [*_of_checks(state), *_of_attempts(state), *((file.path, file.sha256) for file in state.evidence)]
    good = 0
    for path, sha256 in dict.fromkeys(recorded):
        try:
            run.verify(path, sha256)
            good += 1
        except EvidenceError as error:
            yield wrong("files", path, error.what)
    if not recorded:
        yield wrong("files", "all", "the run records no file at all")
    elif good:
        yield ok("files", "all", f"{good} recorded files have the recorded bytes")
    for attempt in state.attempts:
        yield from _exit(attempt, run)
    yield from _scope(state, run)
    yield from audit_tests(state, partial(_content, run))


def _of_checks(state: PipelineState) -> Iterator[tuple[str, str]]:
    for check in all_checks(state):
        for path, sha256 in ((check.log, check.log_sha256), (check.tests, check.tests_sha256)):
            if path is not None and sha256 is not None:
                yield path, sha256


def _of_attempts(state: PipelineState) -> Iterator[tuple[str, str]]:
    for attempt in state.attempts:
        for name, sha256 in (("stdout.log", attempt.stdout_sha256), ("stderr.log", attempt.stderr_sha256)):
            if sha256 is not None:
                yield f"{attempt.folder}/{name}", sha256


def _exit(attempt: Attempt, run: RunFolder) -> Iterator[Finding]:
    """The exit record of a launcher against what the run says of the attempt."""
    if attempt.outcome not in _STARTED:
        return
    path = f"{attempt.folder}/exit.json"
    try:
        found = _json(run, path)
        code = found["exit_code"] if isinstance(found, dict) else "unreadable"
    except (EvidenceError, ValueError, KeyError) as error:
        yield wrong("files", path, f"cannot be read: {error}")
        return
    if code != attempt.exit_code:
        yield wrong("files", path, f"says exit code {code}, the run recorded {attempt.exit_code}")


def _scope(state: PipelineState, run: RunFolder) -> Iterator[Finding]:
    """The newest scope check: its outcome worked out again from its list of changed files and the task's globs."""
    checks = [check for check in state.checks if check.kind is CheckKind.SCOPE]
    if not checks:
        yield wrong("scope", "changed files", "no scope check is recorded")
        return
    newest = checks[-1]
    try:
        judged = judge_changes(_changes(newest, run), allowed_globs(state))
    except (EvidenceError, ValueError, KeyError, TypeError) as error:
        yield wrong("scope", newest.id, f"its list of changed files cannot be read: {error}")
        return
    outside = [change.path for change, allowed in judged if not allowed]
    if (newest.outcome is Outcome.PASSED) != (not outside):
        yield wrong("scope", newest.id, f"is {newest.outcome}, outside the allowed scope are {outside[:5] or 'none'}")
        return
    yield ok("scope", newest.id, f"{len(judged)} changed files against the globs of the task: {newest.outcome}")
    yield not_checked("scope", "git", "that these are all changes cannot be told without the repository")


def _changes(check: Check, run: RunFolder) -> list[Change]:
    if check.log is None:
        raise EvidenceError("it has no log")
    rows = [json.loads(line) for line in _content(run, check.log).splitlines()]
    return [Change(str(row["path"]), str(row["change"])) for row in rows]


def _json(run: RunFolder, path: str) -> dict[str, Any] | None:
    found: object = json.loads(_content(run, path))
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _content(run: RunFolder, path: str) -> bytes:
    with run.open(path) as file:
        if file.size > _SCOPE_LOG_MOST:
            raise EvidenceError(f"{path} has {file.size} bytes, too many to be what it should be")
        pieces: list[bytes] = []
        file.copy(pieces.append)
        return b"".join(pieces)
