"""verification.log is read back exactly: no output, whatever it holds, is mistaken for a frame."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from waypost.nodes.evidence import iter_output, read_verification_log, write_evidence
from waypost.nodes.evidence.log_format import decode, decode_reasoned, encode, reasoned
from waypost.state.errors import EvidenceError
from waypost.state.records import CheckKind, Outcome
from waypost.state.status import Status

FRAMES = (
    b"=== COMMAND ENTRY 1 START ===\n",
    b"=== COMMAND ENTRY 1 END ===\n",
    b"=== COMMAND ENTRY 2 START ===\nCommand: true\n",
    b"--- output ---\n",
    b"--- end of output ---\nExit Code: 0\nResult: PASSED\n=== COMMAND ENTRY 1 END ===\n",
    b"Exit Code: 0\n",
    b"Output: 0 bytes, sha256 " + b"0" * 64 + b"\n",
    b"=== COVERAGE MAPPING START ===\n",
    b"=== COVERAGE MAPPING END ===\n",
    b"\x1b[2J\x1b[31m",
    b"\x00\xff\xfe",
    b"\r\n",
    b"\n",
    b"no newline",
)
OUTPUT = st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(FRAMES), max_size=6).map(b"".join))
ONCE_PER_EXAMPLE = [HealthCheck.function_scoped_fixture]

Make = Callable[[], Any]


def read_back(run: Any, state: Any) -> tuple[Any, list[bytes]]:
    write_evidence(state, run.folder)
    path = run.reports / "verification.log"
    log = read_verification_log(path)
    return log, [b"".join(iter_output(path, entry)) for entry in log.entries]


@settings(max_examples=150, deadline=None, suppress_health_check=ONCE_PER_EXAMPLE)
@given(outputs=st.lists(OUTPUT, max_size=4))
def test_any_output_is_read_back_exactly(outputs: list[bytes], new_run: Make) -> None:
    run = new_run()
    for number, output in enumerate(outputs, 1):
        run.check(output=output, suffix=f".e{number}")
    log, found = read_back(run, run.state(Status.BLOCKED))
    assert found == outputs
    assert [entry.check for entry in log.entries] == [check.id for check in run.checks]
    assert [entry.sha256 for entry in log.entries] == [hashlib.sha256(output).hexdigest() for output in outputs]


@settings(max_examples=60, deadline=None, suppress_health_check=ONCE_PER_EXAMPLE)
@given(
    command=st.text(min_size=1, max_size=30),
    reason=st.text(max_size=30),
    argv=st.lists(st.text(max_size=9), max_size=3),
)
def test_any_command_and_reason_is_read_back_exactly(command: str, reason: str, argv: list[str], new_run: Make) -> None:
    run = new_run()
    run.check(run=command, reason=reason, argv=tuple(argv), outcome=Outcome.FAILED, exit_code=-9)
    log, _ = read_back(run, run.state(Status.BLOCKED))
    entry = log.entries[0]
    assert (entry.command, entry.argv, entry.exit_code) == (command, tuple(argv), -9)
    assert (entry.outcome, entry.reason) == ("FAILED", reason)


@given(st.text())
def test_a_value_stands_on_one_line_and_is_read_back(value: str) -> None:
    assert encode(value).isprintable()
    assert decode(encode(value)) == value
    assert decode_reasoned(reasoned("FAILED", value)) == ("FAILED", value)


def test_a_plain_command_stands_as_it_was_written(done: Any) -> None:
    write_evidence(done.state(), done.folder)
    lines = (done.reports / "verification.log").read_text().splitlines()
    start = lines.index("=== COMMAND ENTRY 1 START ===")
    digest = hashlib.sha256(b"1 passed\n").hexdigest()
    assert lines[start : start + 14] == [
        "=== COMMAND ENTRY 1 START ===",
        "Command: python -m pytest -q",
        'Argv: ["python", "-m", "pytest", "-q"]',
        "Directory: /srv/work space/project",
        "Check: 1.S1.V1",
        "Started: 2026-02-11T13:40:59Z",
        "Duration: 1.250 s",
        f"Output: 9 bytes, sha256 {digest}",
        "--- output ---",
        "1 passed",
        "--- end of output ---",
        "Exit Code: 0",
        "Result: PASSED (exit code 0)",
        "=== COMMAND ENTRY 1 END ===",
    ]


def test_every_round_is_in_the_log_and_the_newest_is_mapped(mapped: Any) -> None:
    log, outputs = read_back(mapped, mapped.state())
    assert [entry.check for entry in log.entries if entry.stands_for] == [
        "0.S1.V1.e1",
        "1.S1.V1.e1",
        "1.S1.V1.e2",
        "2.S1.V1.e1",
        "2.S1.V1.e2",
    ]
    assert outputs[2] == b"round 1, equivalent 1"
    assert log.coverage.round == 2
    proved = {row.id: (row.step, row.outcome, row.checks) for row in log.coverage.criteria}
    assert proved["A1"][2] == (
        ("UNVERIFIABLE", "2.S1.V1"),
        ("PASSED", "2.S1.V1.e1"),
        ("PASSED", "2.S1.V1.e2"),
    )
    assert proved["A2"] == ("S1", "PASSED", (("PASSED", "2.S1.O1"),))
    (baseline,) = log.coverage.baselines
    assert (baseline.command, baseline.outcome) == ("make test-orchestrator", "PASSED")
    assert baseline.absent_because == 'make has no rule for "test-orchestrator"'
    assert [name for _, name in baseline.equivalents] == ["2.S1.V1.e1", "2.S1.V1.e2"]
    assert [quiet.check for quiet in log.coverage.quiet] == ["0.S1.O1", "1.S1.O1", "2.S1.O1"]


def test_a_command_that_could_not_start_has_no_exit_code_and_says_why(run: Any) -> None:
    run.check(output=None, exit_code=None, outcome=Outcome.UNVERIFIABLE, reason="command not found: pytest")
    log, _ = read_back(run, run.state(Status.BLOCKED))
    entry = log.entries[0]
    assert (entry.exit_code, entry.outcome, entry.size) == (None, "UNVERIFIABLE", None)
    text = (run.reports / "verification.log").read_text()
    assert "Output: not recorded\nExit Code: none (command not found: pytest)\n" in text


def test_without_checks_the_log_maps_every_criterion_to_nothing(run: Any) -> None:
    log, _ = read_back(run, run.state(Status.BLOCKED))
    assert (log.header.entries, log.entries, log.coverage.round) == (0, (), None)
    assert [(row.id, row.outcome, row.checks) for row in log.coverage.criteria] == [("A1", "UNVERIFIABLE", ())]


def test_a_log_cut_anywhere_is_refused(mapped: Any, tmp_path: Path) -> None:
    write_evidence(mapped.state(), mapped.folder)
    whole = (mapped.reports / "verification.log").read_bytes()
    cut = tmp_path / "cut.log"
    for size in range(0, len(whole), 7):
        cut.write_bytes(whole[:size])
        with pytest.raises(EvidenceError):
            read_verification_log(cut)


def test_output_that_was_edited_in_the_log_is_refused(done: Any) -> None:
    write_evidence(done.state(), done.folder)
    path = done.reports / "verification.log"
    path.write_bytes(path.read_bytes().replace(b"1 passed", b"2 passed"))
    with pytest.raises(EvidenceError, match="expected 9 bytes with sha256"):
        read_verification_log(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"waypost-verification-log/1", b"waypost-verification-log/2"),
        (b"Entries: 2", b"Entries: 3"),
        (b"Entries: 2", b"Entries: 1"),
        (b"Entries: 2", b"Entries: two"),
        (b"Exit Code: 0", b"Exit Code: 0x0"),
        (b"=== COMMAND ENTRY 2 START", b"=== COMMAND ENTRY 3 START"),
        (b"=== COVERAGE MAPPING END ===\n", b"=== COVERAGE MAPPING END ===\nmore\n"),
        (b"Command: python", b"Command: \xff"),
        (b'Argv: ["python"', b'Argv: ["python'),
        (b"Result: PASSED (exit code 0)", b'Result: PASSED ("exit)'),
        (b"Verdict: PASSED", b"Verdict:PASSED"),
    ],
)
def test_a_frame_that_was_edited_is_refused(done: Any, old: bytes, new: bytes) -> None:
    write_evidence(done.state(), done.folder)
    path = done.reports / "verification.log"
    before = path.read_bytes()
    assert old in before
    path.write_bytes(before.replace(old, new, 1))
    with pytest.raises(EvidenceError):
        read_verification_log(path)


def test_a_missing_log_is_an_evidence_error(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"nothing\.log"):
        read_verification_log(tmp_path / "nothing.log")


def test_a_big_log_is_copied_and_read_without_holding_it(run: Any) -> None:
    size, chunk = 64 << 20, os.urandom(1 << 16)
    check = run.check(output=b"")
    digest = hashlib.sha256()
    with (run.folder / check.log).open("wb") as stream:
        for _ in range(size // len(chunk)):
            stream.write(chunk)
            digest.update(chunk)
    run.checks[0] = check.model_copy(update={"log_sha256": digest.hexdigest()})
    tracemalloc.start()
    try:
        write_evidence(run.state(Status.BLOCKED), run.folder)
        (entry,) = read_verification_log(run.reports / "verification.log").entries
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert entry.size == size
    assert peak < 8 << 20


def test_the_worker_is_an_entry_of_its_own(run: Any) -> None:
    run.attempt(exit_code=3)
    run.check(
        "WORKER", b"boom\n", kind=CheckKind.WORKER, run='worker "shell"', argv=(), exit_code=3, outcome=Outcome.FAILED
    )
    log, outputs = read_back(run, run.state(Status.BLOCKED))
    assert (log.entries[0].command, log.entries[0].exit_code, outputs) == ('worker "shell"', 3, [b"boom\n"])
