"""Which tasks of a file a batch runs, what it refuses to run, and what it writes back."""

from __future__ import annotations

import os

import pytest
from kit.batches import Wanted, order_of, report_of, resume_batch, run_batch, run_id_of, runs_of, tasks_file, told
from kit.cards import card, write_card
from kit.cli import waypost_here
from kit.standins import StandIns

CHAIN = {
    "A": Wanted(bash="echo A >> order"),
    "B": Wanted(bash="echo B >> order", waits_for=("A",)),
    "C": Wanted(bash="echo C >> order", waits_for=("B",)),
    "D": Wanted(bash="echo D >> order"),
}
SPEC = """# Tasks: greet

## Phase 1: Setup

- [x] T001 Make the folder
- [ ] T002 Write `one.txt`. Run `test -s one.txt`
- [ ] T003 Write `two.txt`. Run `test -s two.txt`

## Phase 2: Story

- [ ] T004 Join them. Run `test -s three.txt`
"""


def left_out(record):
    return {one["id"]: one["why"] for one in record["left_out"]}


def test_only_the_named_tasks_are_run(repo):
    ran = run_batch(repo, CHAIN, "--only", "B", "--only", "A")
    assert (ran.code, order_of(repo)) == (0, ["A", "B"])
    assert left_out(ran.events[-1]) == dict.fromkeys("CD", "not named with --only")


def test_a_named_task_whose_dependency_is_neither_done_nor_named_is_refused(repo):
    refused = run_batch(repo, CHAIN, "--only", "C", "--only", "D")
    assert (refused.code, order_of(repo), runs_of(repo).exists()) == (2, [], False)
    assert '"C" waits for "B"' in refused.result["text"]


def test_from_a_task_on_what_is_before_counts_as_done_and_the_report_says_by_whose_word(repo):
    ran = run_batch(repo, CHAIN, "--from", "C")
    assert (ran.code, order_of(repo)) == (0, ["C", "D"])
    assert {why.partition(":")[0] for why in left_out(report_of(repo)).values()} == {"before --from"}
    assert "nothing here proves it" in (runs_of(repo) / "B" / "reports" / "batch.md").read_text()


@pytest.mark.parametrize("options", [("--only", "Z"), ("--from", "Z"), ("--only", "A", "--from", "A")])
def test_a_choice_that_makes_no_sense_is_refused(repo, options):
    refused = run_batch(repo, CHAIN, *options)
    assert (refused.code, order_of(repo), runs_of(repo).exists()) == (2, [], False)


@pytest.fixture
def agent(repo, monkeypatch):
    """The name of a stand-in agent that does nothing; what it should have written is there already."""
    made = StandIns(repo.parent / "bin")
    monkeypatch.setenv("PATH", f"{made.folder}{os.pathsep}{os.environ['PATH']}")
    for name in ("one", "two", "three"):
        (repo / f"{name}.txt").write_text("text\n")
    return "codex"


def test_what_a_file_says_is_done_is_left_out_and_told(repo, agent):
    ran = run_batch(repo, write_card(repo.parent, SPEC), "--yes", "--worker", agent)
    assert (ran.code, left_out(ran.events[-1])) == (0, {"T001": "the file says that it is done"})


def test_a_file_with_nothing_open_is_refused(repo):
    path = write_card(repo.parent, SPEC.replace("[ ]", "[x]"))
    refused = run_batch(repo, path, "--yes")
    assert (refused.code, runs_of(repo).exists()) == (2, False)
    assert "nothing to run" in refused.result["text"]


def test_a_foreign_file_is_not_run_before_its_plan_is_accepted(repo):
    path = write_card(repo.parent, SPEC)
    refused = run_batch(repo, path)
    assert (refused.code, runs_of(repo).exists()) == (2, False)
    assert "nobody accepted" in refused.result["text"]
    assert {"T002", "T003", "T004"} == {event["id"] for event in refused.events if event["event"] == "task"}


def test_tasks_with_a_scope_are_not_run_side_by_side_in_one_checkout(repo):
    tasks = {**CHAIN, "E": Wanted(scope="- `order`")}
    refused = run_batch(repo, tasks, "--max-parallel", "2")
    assert (refused.code, refused.result["facts"], runs_of(repo).exists()) == (2, {"tasks": "E"}, False)


def test_a_file_of_one_task_is_a_run_as_before(repo):
    path = write_card(repo.parent, card(bash="echo x > out.txt"))
    assert run_batch(repo, path).result["status"] == "DONE"
    assert (runs_of(repo) / "B" / "request.json").exists()


def test_a_task_is_run_as_it_was_when_the_batch_began_whatever_its_file_says_later(repo):
    tasks = {"A": Wanted(bash="echo A >> order; echo broken > ../tasks.md"), "B": Wanted(bash="echo B >> order")}
    assert (run_batch(repo, tasks).code, order_of(repo)) == (0, ["A", "B"])


def test_contracts_that_were_changed_are_not_run(repo):
    tasks = {"A": Wanted(verify="[ -e mended ]"), "C": Wanted(waits_for=("A",))}
    run_batch(repo, tasks, "--max-rework", "0")
    path = runs_of(repo) / "B" / "contracts.json"
    path.write_text(path.read_text().replace("mended", "harmed"))
    refused = resume_batch(repo)
    assert (refused.code, refused.result["error"]) == (1, "EvidenceError")


def test_what_is_done_is_written_back_at_once_at_the_end_and_the_rest_once_it_is_done(repo, agent):
    text = SPEC.replace("three.txt`", "mended`")
    path = write_card(repo.parent, text)
    ran = run_batch(repo, path, "--yes", "--write-back", "--worker", agent, "--max-rework", "0")
    assert (ran.code, told(report_of(repo))) == (3, {"T002": "DONE", "T003": "DONE", "T004": "BLOCKED"})
    half = text.replace("[ ] T002", "[x] T002").replace("[ ] T003", "[x] T003")
    assert path.read_text() == half

    (repo / "mended").write_text("text\n")
    recheck = waypost_here("resume", run_id_of(repo, "T004"), "--recheck", "--runs", runs_of(repo), cwd=repo)
    assert (recheck.code, path.read_text()) == (0, half)
    assert (resume_batch(repo).code, path.read_text()) == (0, half.replace("[ ]", "[x]"))


def test_a_file_that_changed_meanwhile_is_not_written_to_and_the_report_stands(repo, agent):
    text = SPEC.replace("three.txt`", "mended`")
    path = write_card(repo.parent, text)
    run_batch(repo, path, "--yes", "--worker", agent, "--write-back", "--max-rework", "0")
    changed = path.read_text().replace("Make the folder", "Make a folder")
    path.write_text(changed)
    (repo / "mended").write_text("text\n")
    waypost_here("resume", run_id_of(repo, "T004"), "--recheck", "--runs", runs_of(repo), cwd=repo)
    ran = resume_batch(repo)
    assert (ran.code, ran.result["error"], report_of(repo)["status"]) == (2, "TaskFileError", "DONE")
    assert path.read_text() == changed


def test_a_card_cannot_be_written_back(repo):
    refused = run_batch(repo, CHAIN, "--write-back")
    assert (refused.code, runs_of(repo).exists()) == (2, False)


def test_two_batches_of_one_file_share_no_run(repo):
    path = tasks_file(repo.parent / "tasks.md", {"A": Wanted(), "B": Wanted()})
    assert [run_batch(repo, path, id=id).code for id in ("ONE", "TWO")] == [0, 0]
    runs = {task["run_id"] for id in ("ONE", "TWO") for task in report_of(repo, id)["tasks"]}
    assert len(runs) == 4
