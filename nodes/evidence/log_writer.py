"""Writing verification.log: every check of every round with its output, then the coverage mapping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from ...state.records import Check, CheckKind
from ...state.task import Task
from . import log_format as form
from .before import all_checks
from .files import RunFolder
from .moments import moment, seconds
from .proof import BaselineRow, CriterionRow, baseline_rows, criterion_rows, newest_checks
from .staging import Sink

_WITHOUT_PROCESS = frozenset({CheckKind.OUTPUT, CheckKind.SCOPE, CheckKind.TESTS})


@dataclass(frozen=True)
class Entry:
    """A check that stands in verification.log as `COMMAND ENTRY <number>`."""

    number: int
    check: Check


def entries_of(checks: Sequence[Check]) -> tuple[Entry, ...]:
    """The checks that started a process or recorded output, numbered in the order they were recorded."""
    return tuple(Entry(number, check) for number, check in enumerate(filter(_has_entry, checks), 1))


def quiet_checks(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The other checks: nothing was started and there is no output to keep."""
    return tuple(check for check in checks if not _has_entry(check))


def write_verification_log(out: Sink, state: PipelineState, task: Task, run: RunFolder) -> None:
    """Write the whole log; outputs pass through in chunks.

    Raises:
        EvidenceError: an output is missing, or is not what was recorded.
    """
    entries = entries_of(all_checks(state))
    out.write(
        f"{form.TITLE}\n".encode()
        + _field("Format", form.FORMAT)
        + _field("Run", state.run_id)
        + _field("Task", task.id)
        + _field("Entries", str(len(entries)))
    )
    for entry in entries:
        out.write(f"\n{form.entry_start(entry.number)}\n".encode())
        out.write(b"".join(_before_output(entry.check)))
        _output(out, entry.check, run)
        out.write(b"".join(_after_output(entry.check)))
        out.write(f"{form.entry_end(entry.number)}\n".encode())
    out.write(b"".join(_coverage(state, task)))


def _has_entry(check: Check) -> bool:
    return bool(check.argv) or check.log is not None


def _field(key: str, value: str) -> bytes:
    return f"{key}: {form.encode(value)}\n".encode()


def _framed(key: str, value: str) -> bytes:
    return f"{key}: {value}\n".encode()


def _before_output(check: Check) -> Iterator[bytes]:
    yield _field("Command", check.run)
    yield _framed("Argv", form.encode_argv(check.argv))
    yield _field("Directory", check.cwd or form.NOT_RECORDED)
    yield _field("Check", check.id)
    if check.stands_for is not None:
        yield _field("Stands For", check.stands_for)
    yield _field("Started", moment(check.started_at))
    yield _field("Duration", seconds(check.duration_s))


def _output(out: Sink, check: Check, run: RunFolder) -> None:
    if check.log is None:
        out.write(_framed("Output", form.NOT_RECORDED))
        return
    if check.log_sha256 is None:
        raise EvidenceError(f"check {check.id} names a log without its hash", facts={"log": check.log})
    with run.open(check.log) as file:
        out.write(_framed("Output", form.output_line(file.size, check.log_sha256)))
        out.write(f"{form.OUTPUT_START}\n".encode())
        copied = file.copy(out.write)
        file.require(check.log_sha256, copied.sha256)
    if copied.last not in (b"", b"\n"):
        out.write(b"\n")
    out.write(f"{form.OUTPUT_END}\n".encode())


def _after_output(check: Check) -> Iterator[bytes]:
    without = check.kind in _WITHOUT_PROCESS or (check.kind is CheckKind.PROBE and not check.argv)
    why_none = "no process" if without else check.reason
    code = form.reasoned(form.NONE, why_none) if check.exit_code is None else str(check.exit_code)
    yield _framed("Exit Code", code)
    yield _framed("Result", form.reasoned(check.outcome, check.reason))


def _coverage(state: PipelineState, task: Task) -> Iterator[bytes]:
    yield f"\n{form.COVERAGE_START}\n".encode()
    yield _framed("Round", str(state.round) if state.round else form.NONE)
    for row in criterion_rows(state, task):
        yield from _criterion(row)
    for row in baseline_rows(newest_checks(state)):
        yield from _baseline(row)
    for check in quiet_checks(all_checks(state)):
        yield from _quiet(check)
    yield f"\n{form.COVERAGE_END}\n".encode()


def _criterion(row: CriterionRow) -> Iterator[bytes]:
    yield b"\n" + _field("Criterion", row.id)
    yield _field("Step", row.step or form.TASK_ITSELF)
    yield _field("Text", row.text)
    yield _framed("Round", str(row.round) if row.round else form.NONE)
    for check in row.checks:
        yield _framed("Check", f"{check.outcome} {form.encode(check.id)}")
    yield _framed("Verdict", form.reasoned(row.outcome, row.reason))


def _baseline(row: BaselineRow) -> Iterator[bytes]:
    yield b"\n" + _field("Baseline", row.absent.run)
    yield _framed("Check", f"{row.absent.outcome} {form.encode(row.absent.id)}")
    yield _field("Absent Because", row.absent.reason)
    for check in row.equivalents:
        yield _framed("Equivalent", f"{check.outcome} {form.encode(check.id)}")
    yield _framed("Verdict", row.outcome)


def _quiet(check: Check) -> Iterator[bytes]:
    yield b"\n" + _field("Check Without Output", check.id)
    yield _field("Looked At", check.run)
    yield _framed("Verdict", form.reasoned(check.outcome, check.reason))
