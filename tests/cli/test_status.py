"""What `waypost status` tells, from the ledgers alone."""

from __future__ import annotations

import json

import pytest
from kit.cards import card, write_card
from kit.cli import waypost, waypost_here


@pytest.fixture
def runs(repo, tmp_path):
    """A runs folder with a run that is done and one that was killed."""
    path = write_card(tmp_path, card(bash="echo x > out.txt"))
    runs = tmp_path / "runs"
    options = ("--workspace", repo, "--runs", runs)
    assert waypost_here("run", path, *options, "--run-id", "good", cwd=repo).code == 0
    waypost("run", path, *options, "--run-id", "killed", cwd=repo, failpoint="node.verify.enter")
    return runs


def rows(runs):
    ran = waypost_here("status", "--runs", runs, "--json", cwd=runs)
    return ran.code, {row["run_id"]: row for row in ran.events}


def test_every_run_is_listed_with_status_steps_and_who_drives_it(runs):
    code, found = rows(runs)
    assert code == 0
    assert {name: (row["status"], row["steps"], row["driver"]) for name, row in found.items()} == {
        "good": ("DONE", "1/1", "ended"),
        "killed": ("EXECUTE", "0/1", "nobody: resume it"),
    }


def test_one_run_is_shown_with_every_transition(runs):
    ran = waypost_here("status", "good", "--runs", runs, cwd=runs)
    assert ran.code == 0
    assert "ACCEPT -> DONE  transition/accepted_all" in ran.out


def test_a_run_that_was_killed_before_its_first_checkpoint_is_listed_and_can_be_resumed(repo, runs, tmp_path):
    options = ("--workspace", repo, "--runs", runs, "--run-id", "early")
    waypost("run", tmp_path / "tasks.md", *options, cwd=repo, failpoint="ledger.append.before")
    assert rows(runs)[1]["early"]["status"] == "PLANNING"
    assert waypost_here("resume", "early", "--runs", runs, cwd=repo).code == 0


def test_a_damaged_ledger_is_listed_as_unreadable_and_hides_no_other_run(runs):
    ledger = runs / "good" / "ledger.jsonl"
    text = ledger.read_bytes()
    ledger.write_bytes(text.replace(b"S1", b"S9", 1))
    code, found = rows(runs)
    assert (code, found["good"]["status"], found["killed"]["status"]) == (1, "UNREADABLE", "EXECUTE")
    assert "ledger.jsonl:" in found["good"]["error"]


def test_an_edited_mirror_changes_nothing(runs):
    (runs / "killed" / "pipeline_state.json").write_text((runs / "good" / "pipeline_state.json").read_text())
    assert rows(runs)[1]["killed"]["status"] == "EXECUTE"


def test_status_changes_no_file(runs):
    def pictures():
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in runs.rglob("*")}

    before = pictures()
    rows(runs)
    assert json.loads(waypost_here("status", "killed", "--runs", runs, "--json", cwd=runs).out)["driver"]
    assert pictures() == before
