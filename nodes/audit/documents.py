"""The reports: written again from the records, and the log read back entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from ...state.records import Check
from ..evidence import LogEntry, read_verification_log
from ..evidence.before import all_checks
from ..evidence.files import RunFolder
from ..evidence.log_reader import read_log_frames
from ..evidence.log_writer import entries_of
from ..evidence.write import AUDIT_SUMMARY, REPORT, VERIFICATION_LOG, evidence_again, is_as_written, report_folder
from ..needs import need
from .finding import Finding, ok, wrong


def audit_documents(state: PipelineState, run: RunFolder, run_dir: Path) -> Iterator[Finding]:
    """Whether the reports say what the records say."""
    if not state.evidence or state.task is None:
        yield wrong("documents", "reports", "the run has left no evidence")
        return
    try:
        # Comparing is quick where all is well; where it is not, hashes tell which of them it is.
        same = is_as_written(state, run)
        again = _as_they_are(state, run) if same else {f.path: f.sha256 for f in evidence_again(state, run_dir)}
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
    yield from _log(state, run_dir / report_folder(state.task) / VERIFICATION_LOG, whole=not same)


def _as_they_are(state: PipelineState, run: RunFolder) -> dict[str, str | None]:
    folder = report_folder(need(state.task, "task"))
    return {
        path: run.sha256(path) for path in (f"{folder}/{name}" for name in (REPORT, AUDIT_SUMMARY, VERIFICATION_LOG))
    }


def _log(state: PipelineState, path: Path, *, whole: bool) -> Iterator[Finding]:
    """The log entry by entry. `whole`: its outputs were not compared with the files they come from."""
    try:
        log = read_verification_log(path) if whole else read_log_frames(path)
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
