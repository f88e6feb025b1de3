"""The reports: written again from the records, and the log read back entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from ...state.records import Check
from ..evidence import LogEntry, read_verification_log
from ..evidence.before import all_checks
from ..evidence.log_writer import entries_of
from ..evidence.write import VERIFICATION_LOG, evidence_again, report_folder
from .finding import Finding, ok, wrong


def audit_documents(state: PipelineState, run_dir: Path) -> Iterator[Finding]:
    """Whether the reports say what the records say."""
    if not state.evidence or state.task is None:
        yield wrong("documents", "reports", "the run has left no evidence")
        return
    try:
        again = {file.path: file.sha256 for file in evidence_again(state, run_dir)}
    except EvidenceError as error:
        yield wrong("documents", "reports", f"cannot be written again: {error.what}")
        return
    for file in state.evidence:
        if again.pop(file.path, None) != file.sha256:
            yield wrong("documents", file.path, "is not what the records and files give when it is written again")
        else:
            yield ok("documents", file.path, "the same bytes when it is written again from the records")
    for path in again:
        yield wrong("documents", path, "belongs to the evidence, and the run does not record it")
    yield from _log(state, run_dir / report_folder(state.task) / VERIFICATION_LOG)


def _log(state: PipelineState, path: Path) -> Iterator[Finding]:
    try:
        log = read_verification_log(path)
    except EvidenceError as error:
        yield wrong("documents", VERIFICATION_LOG, error.what)
        return
    expected = [_facts_of_check(entry.check) for entry in entries_of(all_checks(state))]
    found = [_facts_of_entry(entry) for entry in log.entries]
    if log.header.run != state.run_id or found != expected:
        yield wrong("documents", VERIFICATION_LOG, "its entries are not the checks that the run records")
        return
    yield ok("documents", VERIFICATION_LOG, f"{len(found)} entries with the recorded commands, exit codes and outputs")


def _facts_of_check(check: Check) -> tuple[object, ...]:
    return check.id, check.run, check.argv, check.exit_code, check.outcome.value, check.log_sha256


def _facts_of_entry(entry: LogEntry) -> tuple[object, ...]:
    return entry.check, entry.command, entry.argv, entry.exit_code, entry.outcome, entry.sha256
