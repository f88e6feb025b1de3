"""The files that records name: there, regular, and with the bytes that were recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from ...state.records import Attempt, AttemptOutcome
from ..evidence.before import all_checks
from ..evidence.files import RunFolder
from .finding import Finding, ok, wrong

_STARTED = frozenset({AttemptOutcome.FINISHED, AttemptOutcome.NO_RESULT, AttemptOutcome.REPORTED_FAILURE})


def audit_files(state: PipelineState, run: RunFolder) -> Iterator[Finding]:
    """Every hash in the state, worked out again from the file it belongs to."""
    evidence = ((file.path, file.sha256) for file in state.evidence)
    recorded = [*_of_checks(state), *_of_attempts(state), *_of_tree(state), *evidence]
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


def _of_checks(state: PipelineState) -> Iterator[tuple[str, str]]:
    for check in all_checks(state):
        for path, sha256 in ((check.log, check.log_sha256), (check.tests, check.tests_sha256)):
            if path is not None and sha256 is not None:
                yield path, sha256
        yield from ((file.path, file.sha256) for file in check.kept)


def _of_attempts(state: PipelineState) -> Iterator[tuple[str, str]]:
    for attempt in state.attempts:
        hashes = (attempt.stdout_sha256, attempt.stderr_sha256, attempt.permissions.sha256)
        for name, sha256 in zip(("stdout.log", "stderr.log", "permissions.jsonl"), hashes, strict=True):
            if sha256 is not None:
                yield f"{attempt.folder}/{name}", sha256


def _of_tree(state: PipelineState) -> Iterator[tuple[str, str]]:
    if state.tree is not None and state.tree.patch is not None:
        yield state.tree.patch, state.tree.patch_sha256 or "no hash"


def _exit(attempt: Attempt, run: RunFolder) -> Iterator[Finding]:
    """The exit record of a launcher against what the run says of the attempt."""
    if attempt.outcome not in _STARTED:
        return
    if attempt.stdout_sha256 is None or attempt.stderr_sha256 is None:
        yield wrong("files", attempt.folder, f"attempt {attempt.number} ended, and its output is not recorded")
    path = f"{attempt.folder}/exit.json"
    try:
        found = _json(run, path)
        code = found["exit_code"] if isinstance(found, dict) else "unreadable"
    except (EvidenceError, ValueError, KeyError) as error:
        yield wrong("files", path, f"cannot be read: {error}")
        return
    if code != attempt.exit_code:
        yield wrong("files", path, f"says exit code {code}, the run recorded {attempt.exit_code}")


def _json(run: RunFolder, path: str) -> dict[str, Any] | None:
    found: object = json.loads(run.read(path))
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None
