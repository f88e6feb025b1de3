"""A step that asks for approval waits for a person; nothing is approved by default, and only what was shown is."""

from __future__ import annotations

import signal

import pytest
from kit.approvals import Desk, step
from kit.cards import steps_card
from kit.cli import start_waypost, waypost

BEFORE = steps_card(step("S1", "echo S1 >> work.txt", approval="before dispatch"))
AFTER = steps_card(step("S1", "echo $WAYPOST_ATTEMPT >> work.txt", "test -s work.txt", approval="before acceptance"))


@pytest.fixture
def desk(repo):
    return Desk(repo)


def test_a_step_waits_before_it_is_dispatched_and_says_what_would_be_done_and_what_to_type(desk):
    ran = desk.run(BEFORE)
    assert (ran.code, ran.result["status"], ran.result["waits_for"]) == (3, "BLOCKED", "approval: dispatch of S1")
    assert ran.result["blocked"]["question"].startswith('Start step S1 "Step S1"?')
    assert "will do: [bash] echo S1 >> work.txt" in ran.result["blocked"]["reasons"]
    assert [line.split()[1] for line in ran.result["next"][:2]] == ["approve", "reject"]
    assert not (desk.repo / "work.txt").exists()


def test_an_approved_start_goes_on_to_done_and_who_when_and_why_are_kept_and_reported(desk):
    desk.run(BEFORE)
    ran = desk("approve", "--note", "read the card")
    assert (ran.code, (desk.repo / "work.txt").read_text()) == (0, "S1\n")
    (decision,) = desk.state()["decisions"]
    assert (decision["route"], decision["note"], decision["approval"]["step"]) == (
        "approve_start",
        "read the card",
        "S1",
    )
    assert decision["who"]
    assert decision["at"]
    report = next(path for path in ran.result["evidence"] if path.endswith("report.md"))
    with open(report) as file:
        assert "decided approve\\_start" in file.read().replace("approve_start", "approve\\_start")


def test_a_rejected_start_ends_the_run_and_nothing_was_done(desk):
    desk.run(BEFORE)
    ran = desk("reject", "--note", "not on a Friday")
    assert (ran.code, ran.result["status"]) == (1, "FAILED")
    assert "not on a Friday" in ran.result["reason"]
    assert not (desk.repo / "work.txt").exists()


def test_a_result_waits_before_it_is_accepted_and_shows_files_verdicts_and_where_to_look(desk):
    ran = desk.run(AFTER)
    assert (ran.code, ran.result["waits_for"]) == (3, "approval: acceptance of S1 attempt 1 round 1")
    said = "\n".join(ran.result["blocked"]["reasons"])
    assert "work.txt (untracked)" in said
    assert "PASSED AC1: It works." in said
    assert "report.md" in said
    assert desk("approve").code == 0


def test_a_rejected_result_goes_back_with_the_words_of_the_person_and_is_asked_about_again(desk):
    desk.run(AFTER)
    ran = desk("reject", "--note", "too short")
    assert (ran.code, ran.result["waits_for"]) == (3, "approval: acceptance of S1 attempt 2 round 2")
    prompt = (desk.runs / "R" / "dispatch" / "S1" / "attempt-2" / "prompt.md").read_text()
    assert "rejected this: too short" in prompt
    assert desk("approve").code == 0
    assert [d["route"] for d in desk.state()["decisions"]] == ["reject_result", "approve_result"]


def test_rejections_are_bounded_by_max_rework_and_then_a_person_is_asked_what_else(desk):
    desk.run(AFTER, "--max-rework", "0")
    ran = desk("reject", "--note", "no")
    assert (ran.code, ran.result["waits_for"], ran.result["attempts"]) == (3, "a decision", 1)
    assert "rejected this: no" in " ".join(ran.result["blocked"]["reasons"])
    again = desk("resume", "--recover")
    assert (again.code, again.result["attempts"]) == (3, 2)
    prompt = (desk.runs / "R" / "dispatch" / "S1" / "attempt-2" / "prompt.md").read_text()
    assert "rejected this: no" in prompt


def test_an_approval_does_not_hold_for_files_that_were_changed_after_they_were_shown(desk):
    desk.run(AFTER)
    (desk.repo / "work.txt").write_text("something else\n")
    ran = desk("approve")
    assert (ran.code, ran.result["waits_for"]) == (3, "approval: acceptance of S1 attempt 1 round 2")
    assert desk.state()["decisions"] == []
    (moved,) = [move for move in desk.state()["transitions"] if move["route"] == "recheck"]
    assert "not those that were shown" in moved["reason"]
    assert desk("approve").code == 0


def test_a_step_that_is_reworked_after_its_approval_has_to_be_approved_again(desk):
    breaks_it = "test -e broken || { touch broken; rm work.txt; }"
    text = steps_card(
        step("S1", "echo $WAYPOST_ATTEMPT >> work.txt", "test -s work.txt", approval="before acceptance"),
        step("S2", breaks_it, depends_on="S1"),
    )
    desk.run(text)
    ran = desk("approve")
    assert (ran.code, ran.result["waits_for"]) == (3, "approval: acceptance of S1 attempt 2 round 3")
    assert desk("approve").code == 0


def test_work_that_needs_no_approval_goes_on_first_and_an_approval_is_for_one_step_only(desk):
    text = steps_card(
        step("S1", "echo S1 >> work.txt", approval="before dispatch"),
        step("S2", "echo S2 >> work.txt"),
        step("S3", "echo S3 >> work.txt", approval="before dispatch"),
    )
    ran = desk.run(text)
    assert (ran.result["waits_for"], (desk.repo / "work.txt").read_text()) == ("approval: dispatch of S1", "S2\n")
    ran = desk("approve")
    assert (ran.code, ran.result["waits_for"]) == (3, "approval: dispatch of S3")
    assert (desk.repo / "work.txt").read_text() == "S2\n"
    assert desk("approve").code == 0
    assert sorted((desk.repo / "work.txt").read_text().split()) == ["S1", "S2", "S3"]


def test_both_points_of_one_step_are_asked_one_after_the_other(desk):
    desk.run(steps_card(step("S1", "echo x > work.txt", approval="before dispatch and before acceptance")))
    ran = desk("approve")
    assert (ran.code, ran.result["waits_for"]) == (3, "approval: acceptance of S1 attempt 1 round 1")
    assert desk("approve").code == 0


def test_a_step_that_could_not_be_proved_is_not_started_by_recovering_past_its_approval(desk):
    text = BEFORE.replace("Verified by `true`", "It is beautiful.")
    assert desk.run(text).result["waits_for"] == "a decision"
    ran = desk("resume", "--recover")
    assert (ran.code, ran.result["waits_for"]) == (3, "approval: dispatch of S1")
    assert not (desk.repo / "work.txt").exists()


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_run_that_asks_for_no_approval_is_left_as_it_is(desk, verb):
    desk.run(steps_card(step("S1", "true", "false")), "--max-rework", "0")
    before = desk.ledger()
    ran = desk(verb)
    assert (ran.code, ran.result["event"]) == (2, "error")
    assert "recover, recheck, give_up" in ran.result["facts"]["offered"]
    assert desk.ledger() == before


def test_a_run_that_has_ended_has_nothing_to_approve(desk):
    desk.run(steps_card(step("S1", "true")))
    before = desk.ledger()
    ran = desk("approve")
    assert (ran.code, ran.result["text"]) == (2, "run R is DONE, there is nothing to approve")
    assert desk.ledger() == before


@pytest.mark.parametrize("decision", ["--recover", "--recheck"])
def test_other_decisions_do_not_stand_for_an_approval(desk, decision):
    desk.run(BEFORE)
    before = desk.ledger()
    assert desk("resume", decision).code == 2
    assert desk("resume").code == 3
    assert desk.ledger() == before


def test_a_waiting_run_can_be_given_up(desk):
    desk.run(BEFORE)
    assert desk("resume", "--give-up").result["status"] == "FAILED"


def test_the_list_of_runs_says_what_each_waits_for(desk):
    desk.run(BEFORE)
    listed = waypost("status", "--runs", desk.runs, cwd=desk.repo)
    assert "waits for approval: dispatch of S1" in listed.out


def test_killed_while_an_approval_is_taken_in_it_is_asked_again_and_never_taken_twice(desk):
    desk.run(BEFORE)
    killed = waypost("approve", "R", "--runs", desk.runs, cwd=desk.repo, failpoint="node.dispatch.enter")
    assert killed.code == -signal.SIGKILL
    assert desk("resume").code == 0
    assert (desk.repo / "work.txt").read_text() == "S1\n"
    assert len(desk.state()["decisions"]) == 1


def test_of_two_answers_at_once_one_wins_and_the_other_is_told(desk):
    desk.run(steps_card(step("S1", "until [ -e go ]; do sleep 0.02; done", approval="before dispatch")))
    first = start_waypost("approve", "R", "--runs", desk.runs, "--json", cwd=desk.repo)
    assert any('"attempt_started"' in line for line in first.stdout)
    second = desk("reject")
    (desk.repo / "go").touch()
    first.communicate(timeout=60)
    assert (first.returncode, second.code) == (0, 2)
    assert "nothing to reject" in second.result["text"]
    assert [d["route"] for d in desk.state()["decisions"]] == ["approve_start"]
