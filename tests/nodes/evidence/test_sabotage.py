"""Evidence is refused, and what stood there stays, as soon as a record and the disk disagree."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from waypost.nodes.evidence import write, write_evidence
from waypost.state.errors import EvidenceError
from waypost.state.records import CheckKind
from waypost.state.status import Status

from .conftest import Run

LOG = "checks/0001/S1.V1.log"
STDOUT = "dispatch/S1/attempt-1/stdout.log"
SCOPE = "checks/0001/task.SCOPE.log"


def edit(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"p", b"q", 1))


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"2 passed\n")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def link_to_a_copy(path: Path) -> None:
    copy = path.with_suffix(".copy")
    path.rename(copy)
    path.symlink_to(copy)


def link_the_folder(path: Path) -> None:
    copy = path.parent.with_name("copy")
    path.parent.rename(copy)
    path.parent.symlink_to(copy)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("path", [LOG, STDOUT, SCOPE])
@pytest.mark.parametrize("damage", [edit, append, empty, Path.unlink, link_to_a_copy, link_the_folder, pipe, folder])
def test_a_log_that_is_not_what_was_recorded_leaves_no_report(
    done: Run, path: str, damage: Callable[[Path], Any]
) -> None:
    damage(done.folder / path)
    with pytest.raises(EvidenceError, match=path.rpartition("/")[0]):
        write_evidence(done.state(), done.folder)
    assert list(done.reports.iterdir()) == []


def test_the_error_names_both_hashes(done: Run) -> None:
    wanted = done.checks[0].log_sha256
    edit(done.folder / LOG)
    with pytest.raises(EvidenceError) as caught:
        write_evidence(done.state(), done.folder)
    assert caught.value.facts["recorded sha256"] == wanted
    found = caught.value.facts["found sha256"]
    assert isinstance(found, str)
    assert len(found) == 64
    assert found != wanted


def test_old_evidence_stays_where_new_evidence_is_refused(done: Run) -> None:
    write_evidence(done.state(), done.folder)
    before = {path.name: path.read_bytes() for path in done.reports.iterdir()}
    edit(done.folder / LOG)
    with pytest.raises(EvidenceError):
        write_evidence(done.state(), done.folder)
    assert {path.name: path.read_bytes() for path in done.reports.iterdir()} == before


def test_a_log_without_its_hash_is_refused(run: Run) -> None:
    run.check(log_sha256=None)
    with pytest.raises(EvidenceError, match="names a log without its hash"):
        write_evidence(run.state(Status.BLOCKED), run.folder)


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "checks/../../secret", "a\0b", ""])
def test_a_record_cannot_name_a_file_outside_the_run(run: Run, path: str) -> None:
    (run.folder.parent / "secret").write_text("secret")
    run.check(log=path)
    with pytest.raises(EvidenceError, match="no path inside the run's folder"):
        write_evidence(run.state(Status.BLOCKED), run.folder)


def test_an_attempt_cannot_name_a_folder_outside_the_run(run: Run) -> None:
    run.attempt(folder="../other")
    with pytest.raises(EvidenceError, match="no path inside the run's folder"):
        write_evidence(run.state(Status.BLOCKED), run.folder)


@pytest.mark.parametrize("name", ["reports", "reports/DKT-003"])
def test_a_linked_report_folder_is_refused_and_nothing_is_written_there(done: Run, name: str) -> None:
    elsewhere = done.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (done.folder / name).parent.mkdir(exist_ok=True)
    (done.folder / name).symlink_to(elsewhere)
    with pytest.raises(EvidenceError, match=name):
        write_evidence(done.state(), done.folder)
    assert list(elsewhere.iterdir()) == []


def test_a_linked_run_folder_is_refused(done: Run) -> None:
    link = done.folder.parent / "link"
    link.symlink_to(done.folder)
    with pytest.raises(EvidenceError, match="reached through a link"):
        write_evidence(done.state(), link)


def test_a_file_in_place_of_the_report_folder_is_refused(done: Run) -> None:
    (done.folder / "reports").write_text("")
    with pytest.raises(EvidenceError, match="reports"):
        write_evidence(done.state(), done.folder)


def test_a_linked_report_is_replaced_and_its_target_is_left_alone(done: Run) -> None:
    precious = done.folder.parent / "precious"
    precious.write_text("precious")
    done.reports.mkdir(parents=True)
    (done.reports / "report.md").symlink_to(precious)
    write_evidence(done.state(), done.folder)
    assert not (done.reports / "report.md").is_symlink()
    assert precious.read_text() == "precious"


def test_a_folder_in_place_of_a_report_is_an_evidence_error(done: Run) -> None:
    (done.reports / "report.md").mkdir(parents=True)
    with pytest.raises(EvidenceError, match="cannot be written"):
        write_evidence(done.state(), done.folder)


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b"[]\n",
        b'{"change": "added", "path": "a"}\n',
        b'{"change": "added", "path": "a", "allowed": 1}\n',
    ],
)
def test_a_scope_log_that_lists_no_changes_is_refused(run: Run, line: bytes) -> None:
    run.check("SCOPE", line, step=None, kind=CheckKind.SCOPE)
    with pytest.raises(EvidenceError, match=r"SCOPE\.log:1: not a changed file"):
        write_evidence(run.state(Status.BLOCKED), run.folder)


def test_the_newest_scope_log_is_what_was_recorded_when_it_is_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.scope(("added", "a.py", False))
    copy = write.write_verification_log

    def swap_after_copy(*arguments: Any) -> None:
        copy(*arguments)
        (run.folder / SCOPE).write_bytes(b'{"change": "added", "path": "a.py", "allowed": true}\n')

    monkeypatch.setattr(write, "write_verification_log", swap_after_copy)
    with pytest.raises(EvidenceError, match="does not hold the bytes that were recorded"):
        write_evidence(run.state(Status.BLOCKED), run.folder)


def test_a_missing_run_folder_and_a_missing_task_are_evidence_errors(done: Run, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="is missing"):
        write_evidence(done.state(), tmp_path / "nowhere")
    with pytest.raises(EvidenceError, match="no task"):
        write_evidence(done.state(Status.FAILED, task=None), done.folder)
