"""The run as an in-toto statement: what it is about, what was tested, and how that ended.

Statement v1 (https://in-toto.io/Statement/v1) with the test-result predicate
(https://in-toto.io/attestation/test-result/v0.1). One hash of a manifest covers every file of the run, one line of the
ledger covers its history.
"""

from __future__ import annotations

from typing import Any

import orjson

from ...state.pipeline import PipelineState
from ...state.records import Outcome
from ...state.task import Task
from ...state.verified import VerifiedTree
from .proof import criterion_rows, overall

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
# The predicate knows no "could not be verified"; it is no pass, so it counts among the failed.
_RESULT = {Outcome.PASSED: "PASSED", Outcome.FAILED: "FAILED", Outcome.UNVERIFIABLE: "FAILED"}


def statement(state: PipelineState, task: Task, *, digests: dict[str, str], ledger: tuple[int, str]) -> bytes:
    """The statement over a run, always the same bytes for the same run.

    Args:
        digests: name -> SHA-256 of each evidence file.
        ledger: number and SHA-256 of the ledger line that this is true for.
    """
    rows = criterion_rows(state, task)
    outcome, _missing = overall(state, rows)
    names = {kind: [_test_name(row.step, row.id) for row in rows if row.outcome is kind] for kind in Outcome}
    whole: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": _subjects(state, digests, ledger),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": _RESULT[outcome],
            "configuration": [{"name": "task file", "digest": {"sha256": task.source.sha256}}],
            "passedTests": names[Outcome.PASSED],
            "warnedTests": [],
            "failedTests": [*names[Outcome.FAILED], *names[Outcome.UNVERIFIABLE]],
        },
    }
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _subjects(state: PipelineState, digests: dict[str, str], ledger: tuple[int, str]) -> list[dict[str, Any]]:
    commit = state.baseline.commit if state.baseline else None
    subjects: list[dict[str, Any]] = []
    if commit:
        subjects.append({"name": "base commit", "digest": {"gitCommit": commit}})
    subjects += _tree(state.tree)
    line, sha256 = ledger
    subjects.append({"name": f"ledger.jsonl line {line}", "digest": {"sha256": sha256}})
    subjects += [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(digests.items())]
    return subjects


def _tree(tree: VerifiedTree | None) -> list[dict[str, Any]]:
    if tree is None:
        return []
    subjects: list[dict[str, Any]] = [{"name": "verified tree", "digest": {"gitTree": tree.tree}}]
    if tree.patch_sha256 is not None:
        subjects.append({"name": tree.patch, "digest": {"sha256": tree.patch_sha256}})
    return subjects


def _test_name(step: str | None, criterion: str) -> str:
    return f"{step or 'task'}/{criterion}"
