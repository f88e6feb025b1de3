"""How much room the budgets leave, and for whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from kit.states import make_attempt, make_check, make_state, make_step, make_task
from waypost.graphs.pipeline import jobs
from waypost.nodes.budget import affordable, exceeded, forgive, over_budget
from waypost.state.budget import Allowance, Resource
from waypost.state.pipeline import Limits
from waypost.state.records import AttemptKind, AttemptOutcome, Order, Usage
from waypost.state.status import Status

START = datetime(2026, 1, 1, tzinfo=UTC)


def order(step="S1", number=2):
    return Order(step=step, number=number, kind=AttemptKind.REWORK)


def worked(step="S1", number=1, seconds=10.0, **usage):
    return make_attempt(
        step, number, started_at=START, ended_at=START + timedelta(seconds=seconds), usage=Usage(**usage)
    )


def reasons(state, *steps):
    blocked = over_budget(state, [order(step) for step in steps or ("S1",)])
    return blocked.reasons if blocked else ()


LIMITS = {
    "time of the run": (Limits(budget_s=12), "the run: 12 s used (S1/1), the limit is 12 s"),
    "time of a step": (Limits(step_budget_s=11), "step S1: 12 s used (S1/1), the limit is 11 s"),
    "turns of the run": (Limits(max_turns=5), "the run: 5 turns used (S1/1), the limit is 5 turns"),
    "turns of a step": (Limits(step_max_turns=1), "step S1: 5 turns used (S1/1), the limit is 1 turn"),
    "cost of the run": (Limits(max_cost_usd=0.25), "the run: 0.50 USD used (S1/1), the limit is 0.25 USD"),
    "cost of a step": (Limits(step_max_cost_usd=0.5), "step S1: 0.50 USD used (S1/1), the limit is 0.50 USD"),
    "attempts of the run": (Limits(max_attempts=1), "the run: 1 attempt used (S1/1), the limit is 1 attempt"),
    "attempts of a step": (Limits(step_max_attempts=1), "step S1: 1 attempt used (S1/1), the limit is 1 attempt"),
}


@pytest.mark.parametrize(("limits", "said"), LIMITS.values(), ids=LIMITS)
def test_a_limit_that_is_reached_leaves_no_room_and_says_used_limit_and_by_whom(limits, said):
    state = make_state(attempts=(worked(turns=5, cost_usd=0.5),), checks=(make_check(duration_s=2.0),), limits=limits)
    assert reasons(state) == (said,)


def test_there_is_room_below_every_limit():
    limits = Limits(budget_s=13, max_turns=6, max_cost_usd=0.51, max_attempts=2, step_budget_s=13, step_max_turns=6)
    state = make_state(attempts=(worked(turns=5, cost_usd=0.5),), checks=(make_check(duration_s=2.0),), limits=limits)
    assert reasons(state) == ()


def test_the_smaller_of_command_line_and_card_holds():
    task = make_task(make_step(limits=Allowance(turns=3)))
    assert reasons(make_state(task, attempts=(worked(turns=3),), limits=Limits(step_max_turns=9)))
    assert reasons(make_state(task, attempts=(worked(turns=2),), limits=Limits(step_max_turns=2)))
    assert not reasons(make_state(task, attempts=(worked(turns=2),), limits=Limits(step_max_turns=9)))


def test_a_step_does_not_pay_for_another():
    steps = (make_step("S1"), make_step("S2"))
    state = make_state(make_task(*steps), attempts=(worked("S1", turns=9),), limits=Limits(step_max_turns=9))
    assert reasons(state, "S2") == ()


@pytest.mark.parametrize(
    ("limits", "resource"), [(Limits(max_cost_usd=1), Resource.COST), (Limits(step_max_turns=9), Resource.TURNS)]
)
def test_what_a_worker_does_not_report_cannot_be_held_so_nothing_more_is_started(limits, resource):
    state = make_state(attempts=(worked(),), limits=limits)
    (overrun,) = over_budget(state, [order()]).overruns
    assert (overrun.resource, overrun.used, overrun.attempts) == (resource, None, ("S1/1",))
    assert f'{resource} not reported by worker "shell" (S1/1)' in str(overrun)
    assert exceeded(state) == (overrun,)


def test_an_attempt_that_was_never_started_used_nothing():
    attempt = make_attempt(outcome=AttemptOutcome.NOT_STARTED, exit_code=None)
    assert reasons(make_state(attempts=(attempt,), limits=Limits(max_cost_usd=1))) == ()


def test_a_fresh_budget_forgets_what_was_used_until_then_of_every_kind():
    limits = Limits(budget_s=1, max_turns=1, max_cost_usd=0.1, max_attempts=1, step_max_turns=1)
    used = make_state(attempts=(worked(turns=5),), checks=(make_check(duration_s=9.0),), limits=limits)
    assert len(reasons(used)) == 5
    fresh = used.model_copy(update={"forgiven": forgive(used)})
    assert reasons(fresh) == ()
    again = fresh.model_copy(update={"attempts": (*used.attempts, worked(number=2, turns=1, cost_usd=0.1))})
    assert "the run: 1 turn used (S1/2), the limit is 1 turn" in reasons(again)


def test_no_more_attempts_are_ordered_side_by_side_than_the_run_may_still_start():
    steps = tuple(make_step(f"S{i}") for i in range(1, 5))
    orders = tuple(order(step.id, 1) for step in steps)
    state = make_state(make_task(*steps), attempts=(worked("S1"),), limits=Limits(max_attempts=3))
    assert affordable(state, orders) == orders[:2]
    assert affordable(make_state(make_task(*steps), attempts=()), orders) == orders


def test_an_attempt_is_handed_what_is_left_and_parallel_ones_share_turns_and_cost():
    steps = (make_step("S1"), make_step("S2", limits=Allowance(time_s=30, turns=2)))
    limits = Limits(budget_s=100, max_turns=15, max_cost_usd=2, step_timeout_s=3600)
    state = make_state(
        make_task(*steps),
        status=Status.EXECUTE,
        attempts=(worked("S1", turns=5, cost_usd=1),),
        orders=(order("S1", 2), order("S2", 1)),
        limits=limits,
    )
    first, second = (send.arg for send in jobs(state))
    assert (first.timeout_s, first.max_turns, first.max_cost_usd) == (90, 5, 0.5)
    assert (second.timeout_s, second.max_turns, second.max_cost_usd) == (30, 2, 0.5)


def test_without_limits_an_attempt_is_handed_none():
    (send,) = jobs(make_state(status=Status.EXECUTE, attempts=(), limits=Limits(step_timeout_s=7)))
    assert (send.arg.timeout_s, send.arg.max_turns, send.arg.max_cost_usd) == (7, None, None)
