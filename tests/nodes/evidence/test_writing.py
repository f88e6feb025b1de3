"""How evidence reaches the disk: private, whole or not at all, the same for the same records."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from kit.links import unlinked
from waypost.nodes.evidence import staging, write_evidence
from waypost.state.errors import EvidenceError
from waypost.state.records import AttemptOutcome
from waypost.state.status import Status

from .conftest import Run

NAMES = ["audit-summary.md", "report.md", "verification.log"]


class Killed(BaseException):
    """Stands for a SIGKILL: nothing after it runs, also no clean-up."""


def contents(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.reports.iterdir()}


def test_it_names_what_it_wrote(done: Run) -> None:
    files = write_evidence(done.state(), done.folder)
    assert [file.path for file in files] == [
        "reports/DKT-003/report.md",
        "reports/DKT-003/audit-summary.md",
        "reports/DKT-003/verification.log",
    ]
    for file in files:
        assert hashlib.sha256((done.folder / file.path).read_bytes()).hexdigest() == file.sha256


def test_files_and_folders_are_private_whatever_the_umask(done: Run) -> None:
    before = os.umask(0)
    try:
        write_evidence(done.state(), done.folder)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in done.reports.iterdir()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (done.reports, done.reports.parent)} == {0o700}


def test_the_same_records_give_the_same_bytes(mapped: Run) -> None:
    write_evidence(mapped.state(), mapped.folder)
    first = contents(mapped)
    again = write_evidence(mapped.state(), mapped.folder)
    assert contents(mapped) == first
    named = write_evidence(mapped.state(evidence=again), mapped.folder)
    assert named == again


def test_time_zone_of_the_machine_changes_nothing(mapped: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_evidence(mapped.state(), mapped.folder)
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    assert write_evidence(mapped.state(), mapped.folder) == first


def test_a_later_call_replaces_the_earlier_files(done: Run) -> None:
    write_evidence(done.state(Status.BLOCKED), done.folder)
    write_evidence(done.state(), done.folder)
    assert "**Status:** DONE." in unlinked((done.reports / "report.md").read_text())
    assert sorted(contents(done)) == NAMES


def test_what_a_killed_writer_left_does_no_harm_and_is_removed(done: Run) -> None:
    done.reports.mkdir(parents=True)
    (done.reports / ".report.md.0123456789abcdef.tmp").write_text("half a rep")
    (done.reports / "attestation.json").write_text("{}")
    write_evidence(done.state(), done.folder)
    assert sorted(contents(done)) == sorted([*NAMES, "attestation.json"])


@pytest.mark.parametrize("at", range(1, 8))
def test_killed_anywhere_each_file_is_old_or_new(done: Run, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    write_evidence(done.state(Status.BLOCKED), done.folder)
    old = contents(done)
    calls = iter(range(1, 100))

    def dies(real: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            if next(calls) == at:
                raise Killed
            return real(*arguments, **named)

        return call

    monkeypatch.setattr(staging.Staging, "sweep", lambda _self: None)
    monkeypatch.setattr(os, "replace", dies(os.replace))
    monkeypatch.setattr(os, "fsync", dies(os.fsync))
    try:
        write_evidence(done.state(), done.folder)
    except Killed:
        half_way = contents(done)
    else:
        half_way = {}
    monkeypatch.undo()
    write_evidence(done.state(), done.folder)
    new = contents(done)
    assert sorted(new) == NAMES
    assert half_way, "the test names a call that is never made"
    for name in NAMES:
        assert half_way[name] in (old[name], new[name])


def test_the_report_is_the_last_to_appear(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    replace = os.replace

    def watched(source: str, target: str, **folders: int) -> None:
        moved.append(target)
        replace(source, target, **folders)

    monkeypatch.setattr(os, "replace", watched)
    write_evidence(done.state(), done.folder)
    assert moved == ["verification.log", "audit-summary.md", "report.md"]


def test_a_full_disk_is_an_evidence_error_and_leaves_nothing_behind(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    done.reports.mkdir(parents=True)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EvidenceError, match="No space left on device"):
        write_evidence(done.state(), done.folder)
    assert contents(done) == {}


def test_files_of_an_attempt_that_never_ended_are_listed_as_they_are(run: Run) -> None:
    changes: dict[str, Any] = {"exit_code": None, "ended_at": None, "stdout_sha256": None, "stderr_sha256": None}
    run.attempt(outcome=AttemptOutcome.RUNNING, **changes)
    write_evidence(run.state(Status.BLOCKED), run.folder)
    report = unlinked((run.reports / "report.md").read_text())
    digest = hashlib.sha256(b"all tests passed, trust me\n").hexdigest()
    assert f"| `dispatch/S1/attempt-1/stdout.log` | `{digest}` | computed |" in report


def test_an_attempt_that_left_no_folder_is_no_error(run: Run) -> None:
    changes: dict[str, Any] = {"exit_code": None, "stdout_sha256": None, "stderr_sha256": None}
    run.attempt(outcome=AttemptOutcome.NOT_STARTED, folder="dispatch/S1/attempt-9", **changes)
    write_evidence(run.state(Status.BLOCKED), run.folder)
    assert "recorded as not started" in (run.reports / "report.md").read_text()


def test_it_works_from_any_directory(done: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_evidence(done.state(), Path(done.folder.name))
