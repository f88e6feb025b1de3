"""An audit of a run believes nothing that stands in its folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.cards import card, write_card
from kit.cli import Ran, waypost_here
from kit.repos import make_repo

from audit.bundles import CARD

LEDGER = "ledger.jsonl"
REPORTS = "reports/T-1"
LOG = "checks/0001/S1.V1.log"
ATTEMPT = "dispatch/S1/attempt-1"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    repo = make_repo(folder / "repo")
    tasks = write_card(folder, CARD.format(task="T-1", what="hello"))
    ran = waypost_here("run", tasks, "--workspace", repo, "--runs", folder / "runs", "--run-id", "R", cwd=folder)
    assert ran.code == 0, ran.err
    return folder


@pytest.fixture
def done(original: Path, tmp_path: Path) -> Path:
    """The folder of a run that is DONE, to be changed at will."""
    return Path(shutil.copytree(original / "runs", tmp_path / "runs")) / "R"


def audit(run_dir: Path) -> Ran:
    return waypost_here("audit", run_dir.name, "--runs", run_dir.parent, "--json", cwd=run_dir.parent)


def wrong(ran: Ran) -> set[str]:
    return {row["area"] for row in ran.events[-1]["findings"] if row["found"] == "wrong"}


def test_what_is_done_is_verified(done: Path) -> None:
    ran = audit(done)
    assert (ran.code, wrong(ran), ran.events[-1]["verified"]) == (0, set(), True)


def test_it_changes_nothing(done: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*")}
    audit(done)
    assert {path: path.stat().st_mtime_ns for path in done.rglob("*")} == before


def test_the_tests_that_a_command_ran_are_judged_again(tmp_path: Path) -> None:
    files = {"test_it.py": "import os\n\n\ndef test_it():\n    assert os.path.exists('out.txt')\n"}
    repo = make_repo(tmp_path / "repo", {**files, ".gitignore": "__pycache__/\n"})
    verify = f"env PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {sys.executable} -m pytest -q -p no:cacheprovider"
    tasks = write_card(tmp_path, card(bash="echo x > out.txt", verify=verify))
    ran = waypost_here("run", tasks, "--workspace", repo, "--runs", tmp_path / "runs", "--run-id", "R", cwd=tmp_path)
    assert ran.code == 0, ran.out
    looked = audit(tmp_path / "runs" / "R")
    assert (looked.code, wrong(looked)) == (0, set())
    assert "tests" in {row["area"] for row in looked.events[-1]["findings"]}


def test_a_run_that_is_blocked_proves_nothing(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    tasks = write_card(tmp_path, card(bash="true", verify="false"))
    ran = waypost_here(
        "run",
        tasks,
        "--workspace",
        repo,
        "--runs",
        tmp_path / "runs",
        "--run-id",
        "R",
        "--max-rework",
        "0",
        cwd=tmp_path,
    )
    assert ran.code == 3
    found = audit(tmp_path / "runs" / "R")
    assert (found.code, wrong(found)) == (1, {"verdicts"})


def append(text: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(path.read_bytes() + text)


def replace(old: bytes, new: bytes) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new, 1))

    return change


def link(path: Path) -> None:
    copy = path.with_name("copy")
    path.rename(copy)
    os.symlink(copy, path)


SABOTAGE: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "the log of a check is edited": (LOG, append(b"1 passed\n"), "files"),
    "the log of a check is emptied": (LOG, lambda path: path.write_bytes(b""), "files"),
    "the log of a check is removed": (LOG, Path.unlink, "files"),
    "the log of a check is a link": (LOG, link, "files"),
    "the output of the worker is edited": (f"{ATTEMPT}/stdout.log", append(b"done"), "files"),
    "the exit record is edited": (f"{ATTEMPT}/exit.json", replace(b'"exit_code": 0', b'"exit_code": 1'), "files"),
    "the exit record is removed": (f"{ATTEMPT}/exit.json", Path.unlink, "files"),
    "what the worker was told is edited": (f"{ATTEMPT}/prompt.md", append(b"!"), "manifest"),
    "a file is planted beside the logs": (LOG, lambda path: path.with_name("S1.V9.log").touch(), "manifest"),
    "a file is planted in a folder of its own": (LOG, lambda p: (p.parents[1] / "x.log").touch(), "manifest"),
    "the report is edited": (f"{REPORTS}/report.md", replace(b"PASSED", b"passed"), "files"),
    "the verification log is edited": (
        f"{REPORTS}/verification.log",
        replace(b"Exit Code: 0", b"Exit Code: 1"),
        "files",
    ),
    "the audit summary is removed": (f"{REPORTS}/audit-summary.md", Path.unlink, "files"),
    "the attestation is removed": (f"{REPORTS}/attestation.json", Path.unlink, "attestation"),
    "the attestation is edited": (f"{REPORTS}/attestation.json", replace(b"S1/AC1", b"S1/AC9"), "attestation"),
    "the manifest is removed": (f"{REPORTS}/manifest.json", Path.unlink, "attestation"),
    "the manifest is written otherwise": (f"{REPORTS}/manifest.json", append(b" "), "attestation"),
    "a byte of the ledger is changed": (LEDGER, replace(b'"DONE"', b'"done"'), "ledger"),
    "the last lines of the ledger are cut": (
        LEDGER,
        lambda path: path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-3])),
        "ledger",
    ),
    "the ledger is emptied": (LEDGER, lambda path: path.write_bytes(b""), "ledger"),
}


@pytest.mark.parametrize(("path", "cheat", "area"), SABOTAGE.values(), ids=SABOTAGE)
def test_it_is_found(done: Path, path: str, cheat: Callable[[Path], object], area: str) -> None:
    cheat(done / path)
    found = audit(done)
    assert found.code == 1, found.out
    assert area in wrong(found)


def test_a_pipe_in_the_place_of_a_log_does_not_hang_it(done: Path) -> None:
    (done / LOG).unlink()
    os.mkfifo(done / LOG)
    assert audit(done).code == 1


def test_the_task_file_may_change_afterwards_and_that_is_told(original: Path, done: Path) -> None:
    (original / "tasks.md").rename(original / "gone.md")
    found = audit(done)
    (original / "gone.md").rename(original / "tasks.md")
    rows = [row for row in found.events[-1]["findings"] if row["area"] == "source"]
    assert (found.code, [row["found"] for row in rows]) == (0, ["not checked"])


def test_a_run_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    ran = waypost_here("audit", "R", "--runs", tmp_path, cwd=tmp_path)
    assert (ran.code, "no ledger" in ran.err) == (2, True)


def test_a_file_that_is_no_bundle_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"\x1f\x8b no")
    ran = waypost_here("audit", "x.tar.gz", "--json", cwd=tmp_path)
    assert (ran.code, json.loads(ran.out)["verified"]) == (1, False)


def test_attesting_again_gives_the_same_bytes(done: Path) -> None:
    before = (done / REPORTS / "attestation.json").read_bytes()
    assert waypost_here("attest", "R", "--runs", done.parent, cwd=done.parent).code == 0
    assert (done / REPORTS / "attestation.json").read_bytes() == before


def test_nothing_is_attested_over_evidence_that_was_changed(done: Path) -> None:
    append(b"!")(done / REPORTS / "report.md")
    ran = waypost_here("attest", "R", "--runs", done.parent, cwd=done.parent)
    assert (ran.code, "report.md" in ran.err) == (2, True)
