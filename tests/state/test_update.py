"""What goes into a state is validated, and DONE needs proof, whoever writes it."""

from __future__ import annotations

import pytest
from kit.states import make_attempt, make_check, make_state, make_step, make_task
from waypost.nodes.verdicts import judge
from waypost.state.errors import StateError
from waypost.state.records import CheckKind, Outcome
from waypost.state.status import Status
from waypost.state.task import Criterion
from waypost.state.update import apply_update, validate_state


def proved(**fields):
    state = make_state(checks=(make_check(),), **fields)
    verdicts = judge(state.task, state.plan, state.checks, ())
    return state.model_copy(update={"verdicts": verdicts, "accepted": ("S1",)})


def test_an_update_of_an_unknown_field_is_refused_by_name():
    with pytest.raises(StateError, match='unknown field "stauts"'):
        apply_update(make_state(), {"stauts": "DONE"})


@pytest.mark.parametrize(
    "update",
    [{"status": "FINISHED"}, {"limits": {"max_rework": -1}}, {"checks": ({"id": "x"},)}, {"run_id": "../x"}],
)
def test_a_value_that_does_not_fit_its_field_is_refused(update):
    with pytest.raises(StateError, match="does not fit"):
        apply_update(make_state(), update)


def test_histories_grow_and_never_lose_what_was_there():
    state = make_state(checks=(make_check(),))
    joined = apply_update(state, {"checks": (make_check(round=2),)})
    assert [check.id for check in joined.checks] == ["1.S1.V1", "2.S1.V1"]


def test_an_attempt_replaces_the_record_of_itself_only():
    state = make_state(make_task(make_step("S1"), make_step("S2")))
    joined = apply_update(state, {"attempts": (make_attempt("S1", 1, exit_code=3), make_attempt("S1", 2))})
    assert [(a.step, a.number, a.exit_code) for a in joined.attempts] == [("S1", 1, 3), ("S1", 2, 0), ("S2", 1, 0)]


def test_unknown_fields_of_a_whole_state_are_refused():
    with pytest.raises(StateError):
        validate_state({**make_state().model_dump(), "surprise": 1})


def test_a_proved_state_may_be_done():
    assert apply_update(proved(), {"status": Status.DONE}).status is Status.DONE


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"checks": ()}, "no check ran and passed"),
        ({"verdicts": ()}, "has no PASSED verdict"),
        ({"plan": None}, "no task or no plan"),
        ({"attempts": ()}, "no successful attempt"),
        ({"attempts": (make_attempt(exit_code=1),)}, "no successful attempt"),
        ({"checks": (make_check(outcome=Outcome.FAILED),)}, "check 1.S1.V1 is FAILED"),
        ({"checks": (make_check(outcome=Outcome.UNVERIFIABLE),)}, "check 1.S1.V1 is UNVERIFIABLE"),
        ({"checks": (make_check(), make_check(ref="V2", round=2))}, "V1, which did not pass in the last round"),
        ({"checks": (make_check(kind=CheckKind.WORKER),)}, "no check ran and passed"),
        ({"checks": (make_check(kind=CheckKind.SCOPE),)}, "no check ran and passed"),
        (
            {"checks": (make_check(kind=CheckKind.BASELINE, outcome=Outcome.UNVERIFIABLE),)},
            "check 1.S1.V1 is UNVERIFIABLE",
        ),
    ],
)
def test_done_without_proof_is_refused_and_says_what_is_missing(damage, said):
    with pytest.raises(StateError) as caught:
        apply_update(proved().model_copy(update=damage), {"status": Status.DONE})
    assert said in str(caught.value)


def test_done_with_a_criterion_that_no_check_covers_is_refused():
    unproved = Criterion(id="AC2", text="nobody checks this")
    step = make_step(criteria=(Criterion(id="AC1", text="x", verified_by=("V1",)), unproved))
    state = make_state(make_task(step), checks=(make_check(),))
    verdicts = judge(state.task, state.plan, state.checks, ())
    with pytest.raises(StateError, match="AC2"):
        apply_update(state.model_copy(update={"verdicts": verdicts}), {"status": Status.DONE})


def test_an_absent_baseline_is_no_obstacle_once_its_equivalents_passed():
    absent = make_check(kind=CheckKind.BASELINE, outcome=Outcome.UNVERIFIABLE)
    instead = make_check(stands_for="make test", suffix=".e1")
    state = make_state(checks=(absent, instead))
    state = state.model_copy(update={"verdicts": judge(state.task, state.plan, state.checks, ())})
    assert apply_update(state, {"status": Status.DONE}).status is Status.DONE


COPIED_PAST = {
    "in a tuple": lambda bad: (make_check(), bad),
    "in a list": lambda bad: [bad],
    "in plain values": lambda bad: (bad.model_dump(),),
}


@pytest.mark.parametrize("given", COPIED_PAST.values(), ids=COPIED_PAST)
def test_a_record_that_was_copied_past_its_validation_is_refused_wherever_it_stands(given):
    validated = validate_state(make_state(checks=(make_check(),))).checks[0]
    bad = validated.model_copy(update={"round": -1})
    with pytest.raises(StateError, match="does not fit"):
        apply_update(make_state(), {"checks": given(bad)})


def test_a_record_inside_a_validated_one_that_was_copied_is_looked_at_again():
    attempt = validate_state(make_state(attempts=(make_attempt(),))).attempts[0]
    bad = attempt.model_copy(update={"usage": attempt.usage.model_copy(update={"turns": -1})})
    with pytest.raises(StateError):
        validate_state(make_state().model_copy(update={"attempts": (bad,)}))


def test_what_was_validated_once_is_handed_on_as_it_is():
    state = validate_state(make_state(checks=(make_check(),)))
    again = validate_state(state)
    assert (again.task, again.checks[0]) == (state.task, state.checks[0])
    assert (again.task is state.task, again.checks[0] is state.checks[0]) == (True, True)
