"""A worker that is gone without a result: one rule decides, and it is kept with the run."""

from __future__ import annotations

import pytest
from kit.jobs import Recorded
from kit.states import make_attempt, make_check, make_state, make_step, make_task
from waypost.nodes.adopt import adopt
from waypost.nodes.transition import transition
from waypost.nodes.verdicts import judge
from waypost.state.pipeline import Limits
from waypost.state.records import AttemptKind, AttemptOutcome, CheckKind, Order, Outcome
from waypost.state.status import Route, Status


def lost(step: str = "S1", number: int = 1):
    return make_attempt(step, number, outcome=AttemptOutcome.LOST, exit_code=None, reason="gone")


def decide(tmp_path, attempts, *, failed: tuple[str, ...] = (), **limits):
    """What transition does after a round in which the steps of lost and failed attempts did not pass."""
    steps = sorted({attempt.step for attempt in attempts})
    task = make_task(*(make_step(step) for step in steps))
    checks = []
    for step in steps:
        good = {a.step: a.outcome is AttemptOutcome.FINISHED for a in attempts}[step]
        outcome = Outcome.PASSED if good else Outcome.FAILED
        checks.append(make_check(step, "WORKER", outcome, kind=CheckKind.WORKER))
        checks += [make_check(step, outcome=Outcome.FAILED if step in failed else Outcome.PASSED)] if good else []
    state = make_state(task, attempts=tuple(attempts), checks=tuple(checks), limits=Limits(**limits))
    verdicts = judge(task, state.plan, state.checks, ())
    return transition(state.model_copy(update={"verdicts": verdicts}), Recorded(tmp_path).call)


def test_it_is_started_again_by_default_as_a_resume_that_is_no_rework(tmp_path):
    move = decide(tmp_path, [lost()])
    assert (move.target, move.route) == (Status.EXECUTE, Route.RETRY)
    assert [(o.step, o.number, o.kind) for o in move.update["orders"]] == [("S1", 2, AttemptKind.RESUME)]
    assert move.update["reworks"] == {}


def test_a_step_that_is_lost_again_and_again_is_asked_about(tmp_path):
    attempts = [lost(number=number) for number in (1, 2, 3, 4)]
    assert decide(tmp_path, attempts[:3], max_lost=3).route is Route.RETRY
    move = decide(tmp_path, attempts, max_lost=3)
    assert (move.target, move.route) == (Status.BLOCKED, Route.LOST)
    assert move.update["blocked"].reasons == ("S1 attempt 4: gone (4 in a row)",)


def test_only_losses_in_a_row_count(tmp_path):
    attempts = [lost(number=1), make_attempt("S1", 2, exit_code=1), lost(number=3)]
    assert decide(tmp_path, attempts, max_lost=1).route is Route.RETRY


def test_no_loss_at_all_may_be_allowed(tmp_path):
    assert decide(tmp_path, [lost()], max_lost=0).route is Route.LOST


def test_it_may_count_as_a_rework(tmp_path):
    move = decide(tmp_path, [lost()], on_lost="rework")
    assert (move.route, move.update["reworks"]) == (Route.REWORK, {"S1": 1})
    assert decide(tmp_path, [lost()], on_lost="rework", max_rework=0).route is Route.EXHAUSTED


def test_a_person_may_be_asked_at_once(tmp_path):
    move = decide(tmp_path, [lost()], on_lost="block")
    assert (move.target, move.route) == (Status.BLOCKED, Route.LOST)


def test_a_worker_that_could_not_even_be_started_is_asked_about_before_any_rework(tmp_path):
    refused = make_attempt(outcome=AttemptOutcome.NOT_STARTED, exit_code=None, reason="no such program")
    move = decide(tmp_path, [refused, make_attempt("S2")], failed=("S2",))
    assert (move.target, move.route) == (Status.BLOCKED, Route.NOT_STARTED)
    assert move.update["blocked"].reasons == (f'S1 attempt 1, worker "{refused.worker}": no such program',)


def test_beside_a_step_that_failed_only_that_one_is_a_rework(tmp_path):
    move = decide(tmp_path, [lost("S1"), make_attempt("S2")], failed=("S2",))
    assert (move.route, move.update["reworks"]) == (Route.REWORK, {"S2": 1})
    assert [(o.step, o.kind) for o in move.update["orders"]] == [("S1", "resume"), ("S2", "rework")]


@pytest.mark.parametrize(
    ("policy", "target", "route"),
    [
        ("retry", Status.EXECUTE, Route.ADOPTED),
        ("rework", Status.EXECUTE, Route.ADOPTED),
        ("block", Status.BLOCKED, Route.NOT_ADOPTED),
    ],
)
def test_the_same_rule_holds_after_a_drain(tmp_path, policy, target, route):
    recorded = Recorded(tmp_path)
    state = make_state(
        status=Status.DRAINING,
        orders=(Order(step="S1", number=1, kind=AttemptKind.CREATE),),
        attempts=(make_attempt(outcome=AttemptOutcome.RUNNING, exit_code=None),),
        limits=Limits(on_lost=policy),
    )
    folder = recorded.run_dir / "dispatch" / "S1" / "attempt-1"
    folder.mkdir(parents=True)
    (folder / "started.json").write_text("{}")
    move = adopt(state, recorded.call)
    assert (move.target, move.route) == (target, route)
