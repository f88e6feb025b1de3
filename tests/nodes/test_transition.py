"""Where a run goes after a round of checks."""

from __future__ import annotations

import pytest
from kit.jobs import Recorded
from kit.states import make_attempt, make_check, make_state, make_step, make_task
from waypost.nodes.transition import transition
from waypost.nodes.verdicts import judge
from waypost.state.pipeline import Limits
from waypost.state.records import AttemptKind, AttemptOutcome, CheckKind, Order, Outcome
from waypost.state.status import Route, Status
from waypost.state.task import Command, Criterion

FAILED, UNVERIFIABLE = Outcome.FAILED, Outcome.UNVERIFIABLE
ONE = (make_step(),)
CHAIN = (make_step("S1"), make_step("S2", depends_on=("S1",)), make_step("S3", depends_on=("S1",)))


@pytest.fixture
def decide(tmp_path):
    def decided(*checks, steps=ONE, in_hand=None, **fields):
        task = fields.pop("task", make_task(*steps))
        orders = [Order(step=s, number=1, kind=AttemptKind.CREATE) for s in in_hand or [s.id for s in steps]]
        state = make_state(task, checks=checks, orders=tuple(orders), **fields)
        verdicts = judge(state.task, state.plan, [c for c in checks if c.round == state.round], state.verdicts)
        return transition(state.model_copy(update={"verdicts": verdicts}), Recorded(tmp_path).call)

    return decided


def went(move):
    return move.target, move.route


def test_everything_passed_is_done(decide):
    assert went(decide(make_check())) == (Status.DONE, Route.ACCEPTED_ALL)


def test_no_checks_at_all_is_never_done(decide):
    assert went(decide()) == (Status.BLOCKED, Route.UNVERIFIABLE)


def test_the_next_ready_steps_are_ordered_together_once_their_dependency_is_accepted(decide):
    move = decide(make_check("S1"), steps=CHAIN, in_hand=["S1"], attempts=(make_attempt("S1"),))
    assert went(move) == (Status.EXECUTE, Route.ACCEPTED_NEXT)
    assert [(order.step, order.number, order.kind) for order in move.update["orders"]] == [
        ("S2", 1, "create"),
        ("S3", 1, "create"),
    ]
    assert move.update["accepted"] == ("S1",)


def test_a_failed_step_is_reworked_with_the_checks_that_failed(decide):
    move = decide(make_check(outcome=FAILED))
    (order,) = move.update["orders"]
    assert went(move) == (Status.EXECUTE, Route.REWORK)
    assert (order.number, order.kind, order.failing) == (2, AttemptKind.REWORK, ("1.S1.V1",))
    assert move.update["reworks"] == {"S1": 1}


def test_only_the_failed_steps_of_a_wave_are_reworked(decide):
    steps = (make_step("S1"), make_step("S2"))
    move = decide(make_check("S1"), make_check("S2", outcome=FAILED), steps=steps)
    assert [order.step for order in move.update["orders"]] == ["S2"]
    assert move.update["accepted"] == ("S1",)


def test_a_lost_worker_is_told_to_resume(decide):
    worker = make_check(ref="WORKER", kind=CheckKind.WORKER, outcome=FAILED)
    move = decide(worker, attempts=(make_attempt(outcome=AttemptOutcome.LOST, exit_code=None),))
    assert move.update["orders"][0].kind is AttemptKind.RESUME


@pytest.mark.parametrize(("done", "route"), [(0, Route.REWORK), (1, Route.REWORK), (2, Route.EXHAUSTED)])
def test_reworks_end_at_the_limit(decide, done, route):
    move = decide(make_check(outcome=FAILED), reworks={"S1": done}, limits=Limits(max_rework=2))
    assert move.route is route


def test_no_rework_allowed_means_blocked_at_the_first_failure(decide):
    move = decide(make_check(outcome=FAILED, run="make test"), limits=Limits(max_rework=0))
    assert went(move) == (Status.BLOCKED, Route.EXHAUSTED)
    assert move.update["blocked"].reasons == ("S1: make test: exit code 1",)


def test_what_cannot_be_verified_is_blocked_and_says_why(decide):
    move = decide(make_check(outcome=UNVERIFIABLE, run="nosuchtool", reason="command not found: nosuchtool"))
    assert went(move) == (Status.BLOCKED, Route.UNVERIFIABLE)
    assert move.reason == "nosuchtool: command not found: nosuchtool"


def test_a_failure_is_mended_before_a_person_is_asked_about_what_cannot_be_verified(decide):
    steps = (make_step("S1"), make_step("S2"))
    assert (
        decide(make_check("S1", outcome=UNVERIFIABLE), make_check("S2", outcome=FAILED), steps=steps).route == "rework"
    )


def test_a_change_outside_the_scope_sends_the_steps_in_hand_back(decide):
    scope = make_check(None, "SCOPE", kind=CheckKind.SCOPE, outcome=FAILED)
    move = decide(make_check(), scope)
    assert move.route is Route.REWORK
    assert move.update["orders"][0].failing == ("1.task.SCOPE",)
    assert move.update["accepted"] == ()


def test_an_accepted_step_that_a_later_one_broke_is_reworked(decide):
    steps = (make_step("S1"), make_step("S2", depends_on=("S1",)))
    move = decide(
        make_check("S2", round=2),
        make_check("S1", round=2, outcome=FAILED),
        steps=steps,
        in_hand=["S2"],
        accepted=("S1",),
    )
    assert [(order.step, order.kind) for order in move.update["orders"]] == [("S1", AttemptKind.REWORK)]
    assert move.update["accepted"] == ("S2",)


def test_a_failing_check_of_the_task_itself_keeps_it_from_done(decide):
    task = make_task(
        make_step(),
        criteria=(Criterion(id="AC9", text="whole", verified_by=("V1",)),),
        verification=(Command(ref="V1", run="make all"),),
    )
    move = decide(make_check(), make_check(None, outcome=FAILED, run="make all"), task=task)
    assert move.route is Route.REWORK
    assert move.update["orders"][0].failing == ("1.task.V1",)


def test_a_used_up_budget_is_blocked_with_both_figures(decide):
    move = decide(make_check(outcome=FAILED, duration_s=9.0), limits=Limits(budget_s=5.0))
    assert went(move) == (Status.BLOCKED, Route.OVER_BUDGET)
    assert move.update["blocked"].reasons == ("the run: 9 s used (S1/1), the limit is 5 s",)


def test_a_budget_that_is_used_up_by_the_last_step_does_not_take_its_success_away(decide):
    assert decide(make_check(duration_s=9.0), limits=Limits(budget_s=5.0)).target is Status.DONE
