"""Approvals from a user's own code, and who may answer."""

from __future__ import annotations

import pytest
from kit.approvals import step
from kit.cards import steps_card
from kit.cli import waypost
from langgraph.types import Command
from waypost.cli.answers import refuse_if_moved
from waypost.state.errors import InputError, StateError
from waypost.state.status import Status
from waypost.state.update import validate_state

BEFORE = steps_card(step("S1", "echo S1 >> work.txt", approval="before dispatch"))


def asked(bench, state):
    (question,) = bench.graph.get_state(bench.config(state)).interrupts
    return question.value


def test_the_question_says_what_can_be_answered_and_what_it_is_about(bench):
    state = bench.new(BEFORE)
    assert bench.invoke(state)["status"] is Status.BLOCKED
    question = asked(bench, state)
    assert question["question"].startswith("Start step S1")
    assert question["answer_with"]["decision"] == ["approve", "reject", "give_up"]
    assert question["answer_with"]["about"] == "dispatch of S1"


@pytest.mark.parametrize(
    "answer",
    [
        {"decision": "approve", "about": "dispatch of S2"},
        {"decision": "approve", "about": "acceptance of S1 attempt 1 round 1"},
        {"decision": "recover"},
        {"decision": "yes"},
        "recheck",
        True,
        None,
    ],
)
def test_an_answer_to_another_question_approves_nothing(bench, answer):
    state = bench.new(BEFORE)
    bench.invoke(state)
    final = bench.graph.invoke(Command(resume=answer), bench.config(state)) if answer is not None else None
    assert final is None or final["status"] is Status.BLOCKED
    assert not (bench.repo / "work.txt").exists()


def test_a_command_that_approves_goes_on(bench):
    state = bench.new(BEFORE)
    bench.invoke(state)
    answer = {"decision": "approve", "who": "ada", "note": "fine", "about": "dispatch of S1"}
    final = bench.graph.invoke(Command(resume=answer), bench.config(state))
    assert final["status"] is Status.DONE
    assert [(d.who, d.approval.name) for d in final["decisions"]] == [("ada", "dispatch of S1")]


def test_a_state_in_which_a_step_was_started_without_its_approval_is_refused(bench):
    state = bench.new(BEFORE)
    bench.invoke(state)
    bench.graph.invoke(Command(resume={"decision": "approve"}), bench.config(state))
    values = bench.graph.get_state(bench.config(state)).values
    with pytest.raises(StateError, match="S1 was started without"):
        validate_state({**values, "decisions": ()})


def test_done_without_the_approval_of_the_newest_attempt_is_refused(bench):
    state = bench.new(steps_card(step("S1", "true", approval="before acceptance")))
    bench.invoke(state)
    bench.graph.invoke(Command(resume={"decision": "approve"}), bench.config(state))
    values = bench.graph.get_state(bench.config(state)).values
    (decision,) = values["decisions"]
    other = decision.model_copy(update={"approval": decision.approval.model_copy(update={"attempt": 2})})
    with pytest.raises(StateError, match="attempt 1 of step S1 is not approved"):
        validate_state({**values, "decisions": (other,)})


def test_while_one_process_drives_a_run_another_one_cannot_answer_it(bench):
    state = bench.new(BEFORE)
    bench.invoke(state)
    ran = waypost("approve", state.run_id, "--runs", bench.runs, "--json", cwd=bench.repo)
    assert (ran.code, ran.result["error"]) == (4, "LedgerConflict")
    assert list(bench.graph.get_state(bench.config(state)).values["decisions"]) == []


def test_an_answer_to_a_run_that_has_moved_since_it_was_looked_at_is_refused(bench):
    state = bench.new(BEFORE)
    bench.invoke(state)
    seen = validate_state(bench.graph.get_state(bench.config(state)).values)
    bench.graph.invoke(Command(resume={"decision": "approve", "who": "ada"}), bench.config(state))
    now = validate_state(bench.graph.get_state(bench.config(state)).values)
    refuse_if_moved(seen, seen, runs=bench.runs)
    with pytest.raises(InputError, match="has moved on meanwhile: it is DONE, nothing was decided by you"):
        refuse_if_moved(seen, now, runs=bench.runs)
