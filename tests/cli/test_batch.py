"""A file of several tasks as one batch: order, what is chosen, how it ends, and what it leaves."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from kit.batches import (
    Wanted,
    order_of,
    report_of,
    resume_batch,
    run_batch,
    run_id_of,
    runs_of,
    tasks_file,
    told,
)
from kit.cli import waypost_here


def writes(id: str, *waits_for: str, verify: str = "true") -> Wanted:
    return Wanted(bash=f"echo {id} >> order", verify=verify, waits_for=waits_for)


FAILS = Wanted(bash="true", verify="false")


def test_every_task_of_a_file_is_run_after_those_it_waits_for(repo):
    ran = run_batch(repo, {"C": writes("C", "B"), "A": writes("A"), "B": writes("B", "A")})
    assert (ran.code, order_of(repo)) == (0, ["A", "B", "C"])
    assert told(report_of(repo)) == {"A": "DONE", "B": "DONE", "C": "DONE"}


def test_tasks_that_wait_for_nothing_of_each_other_overlap_in_time(repo):
    meet = "touch here-{me}; until [ -e here-{other} ]; do sleep 0.02; done"
    both = {"A": Wanted(bash=meet.format(me="A", other="B")), "B": Wanted(bash=meet.format(me="B", other="A"))}
    assert run_batch(repo, both, "--max-parallel", "2", "--step-timeout-s", "30").code == 0


def test_never_more_tasks_than_max_parallel_are_worked_on(repo):
    bash = "mkdir at-work && sleep 0.05 && rmdir at-work"
    ran = run_batch(repo, {id: Wanted(bash=bash, verify="[ ! -e at-work ]") for id in ("A", "B", "C")})
    assert (ran.code, told(ran.events[-1])) == (0, dict.fromkeys("ABC", "DONE"))


def test_a_task_that_fails_stops_only_those_that_wait_for_it(repo):
    tasks = {"A": FAILS, "B": writes("B", "A"), "C": writes("C", "B"), "D": writes("D")}
    assert run_batch(repo, tasks, "--max-rework", "0").code == 3
    given_up = waypost_here("resume", run_id_of(repo, "A"), "--give-up", "--runs", runs_of(repo), "--json", cwd=repo)
    assert given_up.code == 1
    ran = resume_batch(repo)
    assert (ran.code, order_of(repo)) == (1, ["D"])
    assert told(ran.events[-1]) == {"A": "FAILED", "B": "SKIPPED", "C": "SKIPPED", "D": "DONE"}
    assert [task["reason"] for task in ran.events[-1]["tasks"]][1] == 'it waits for "A", which is FAILED'


def test_an_answered_run_lets_those_go_on_that_wait_for_it(repo):
    tasks = {"A": Wanted(verify="[ -e mended ]"), "B": writes("B", "A"), "C": writes("C")}
    ran = run_batch(repo, tasks, "--max-rework", "0")
    assert (ran.code, told(ran.events[-1])) == (3, {"A": "BLOCKED", "B": "PENDING", "C": "DONE"})
    assert ran.events[-1]["tasks"][1]["reason"] == 'it waits for "A", which is BLOCKED'

    (repo / "mended").touch()
    answered = waypost_here("resume", run_id_of(repo, "A"), "--recheck", "--runs", runs_of(repo), "--json", cwd=repo)
    assert answered.code == 0
    again = resume_batch(repo)
    assert (again.code, order_of(repo), told(again.events[-1])) == (0, ["C", "B"], dict.fromkeys("ABC", "DONE"))


def test_a_run_that_is_still_blocked_is_blocked_again_and_not_repeated(repo):
    tasks = {"A": Wanted(bash="echo A >> order", verify="false"), "B": writes("B")}
    assert run_batch(repo, tasks, "--max-rework", "0").code == 3
    assert (resume_batch(repo).code, order_of(repo)) == (3, ["A", "B"])


def test_a_batch_is_answered_by_its_runs(repo):
    run_batch(repo, {"A": FAILS, "B": writes("B")}, "--max-rework", "0")
    refused = resume_batch(repo, "--recheck")
    assert (refused.code, refused.result["error"]) == (2, "InputError")
    assert run_id_of(repo, "A") in json.dumps(refused.result)


def test_a_batch_that_has_ended_is_only_read(repo):
    run_batch(repo, {"A": writes("A"), "B": writes("B")})
    ledger = (runs_of(repo) / "B" / "ledger.jsonl").read_bytes()
    again = resume_batch(repo)
    assert (again.code, again.events[-1]["event"], order_of(repo)) == (0, "batch_result", ["A", "B"])
    assert (runs_of(repo) / "B" / "ledger.jsonl").read_bytes() == ledger


def test_reports_that_were_lost_are_written_again(repo):
    run_batch(repo, {"A": writes("A"), "B": writes("B")})
    before = report_of(repo)
    (runs_of(repo) / "B" / "reports" / "batch.json").unlink()
    assert (resume_batch(repo).code, report_of(repo)) == (0, before)


def test_each_run_of_a_batch_can_be_audited_and_the_batch_says_so(repo):
    run_batch(repo, {"A": writes("A"), "B": writes("B")})
    assert waypost_here("audit", run_id_of(repo, "B"), "--runs", runs_of(repo), "--json", cwd=repo).code == 0
    for command in ("audit", "attest", "bundle"):
        refused = waypost_here(command, "B", "--runs", runs_of(repo), cwd=repo)
        assert (refused.code, run_id_of(repo, "A") in refused.err) == (2, True)


def test_status_shows_a_batch_among_its_runs_and_by_itself(repo):
    run_batch(repo, {"A": FAILS, "C": writes("C", "A")}, "--max-rework", "0")
    listed = waypost_here("status", "--runs", runs_of(repo), "--json", cwd=repo)
    rows = {row["run_id"]: row for row in map(json.loads, listed.out.splitlines())}
    assert (listed.code, rows["B"]["status"], rows["B"]["steps"]) == (0, "BLOCKED", "0/2 tasks")
    assert rows[run_id_of(repo, "A")]["status"] == "BLOCKED"
    alone = waypost_here("status", "B", "--runs", runs_of(repo), cwd=repo)
    assert ["A", "BLOCKED", run_id_of(repo, "A")] == next(
        line.split()[:3] for line in alone.out.splitlines() if line.startswith("A ")
    )


def test_junit_tells_what_failed_and_what_was_not_run(repo):
    tasks = {"A": FAILS, "C": writes("C", "A"), "D": writes("D")}
    run_batch(repo, tasks, "--max-rework", "0")
    suite = ElementTree.parse(runs_of(repo) / "B" / "reports" / "junit.xml").find("testsuite")
    assert suite is not None
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    assert [[child.tag for child in case] for case in suite] == [["failure"], ["skipped"], []]


def test_with_fail_fast_nothing_is_started_after_a_task_that_is_not_done(repo):
    tasks = {"A": writes("A"), "B": FAILS, "C": writes("C")}
    ran = run_batch(repo, tasks, "--max-rework", "0", "--fail-fast")
    assert (ran.code, told(ran.events[-1])) == (3, {"A": "DONE", "B": "BLOCKED", "C": "PENDING"})
    waypost_here("resume", run_id_of(repo, "B"), "--give-up", "--runs", runs_of(repo), cwd=repo)
    again = resume_batch(repo)
    assert (again.code, told(again.events[-1])) == (1, {"A": "DONE", "B": "FAILED", "C": "SKIPPED"})
    assert order_of(repo) == ["A"]


def test_a_batch_needs_more_than_skipped_tasks_to_be_done(repo):
    ran = run_batch(repo, {"A": FAILS, "B": writes("B", "A")}, "--max-rework", "0")
    assert (ran.code, ran.events[-1]["status"]) == (3, "BLOCKED")


@pytest.mark.parametrize("option", ["--only", "--from", "--fail-fast"])
def test_options_of_a_batch_are_refused_beside_one_task(repo, option):
    path = tasks_file(repo.parent / "tasks.md", {"A": writes("A"), "B": writes("B")})
    words = (option,) if option == "--fail-fast" else (option, "A")
    refused = waypost_here("run", path, "--task", "A", *words, "--workspace", repo, "--json", cwd=repo)
    assert (refused.code, refused.result["error"], order_of(repo)) == (2, "InputError", [])
