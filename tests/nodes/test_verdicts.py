"""From checks to verdicts: PASSED only where everything that was promised ran in this round and passed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kit.states import make_check, make_plan, make_step, make_task
from waypost.nodes.verdicts import judge
from waypost.state.records import CheckKind, Outcome
from waypost.state.task import Command, Criterion

PASSED, FAILED, UNVERIFIABLE = Outcome.PASSED, Outcome.FAILED, Outcome.UNVERIFIABLE
TWO_CHECKS = make_step(
    criteria=(
        Criterion(id="AC1", text="a", verified_by=("V1",)),
        Criterion(id="AC2", text="b", verified_by=("V1", "V2")),
    ),
    verification=(Command(ref="V1", run="one"), Command(ref="V2", run="two")),
)


def verdicts(step, *checks, earlier=()):
    task = make_task(step)
    return {v.criterion: v for v in judge(task, make_plan(task), checks, earlier) if v.step == step.id}


def test_every_check_passed_gives_passed_for_each_criterion_and_the_step():
    found = verdicts(TWO_CHECKS, make_check(ref="V1"), make_check(ref="V2"))
    assert {name: verdict.outcome for name, verdict in found.items()} == {"AC1": PASSED, "AC2": PASSED, None: PASSED}
    assert found["AC2"].checks == ("1.S1.V1", "1.S1.V2")


def test_one_failed_check_fails_the_criteria_that_rest_on_it_and_the_step():
    found = verdicts(TWO_CHECKS, make_check(ref="V1"), make_check(ref="V2", outcome=FAILED, run="two"))
    assert {name: verdict.outcome for name, verdict in found.items()} == {"AC1": PASSED, "AC2": FAILED, None: FAILED}
    assert found["AC2"].reason == "two: exit code 1"


def test_a_check_that_did_not_run_is_never_a_pass():
    found = verdicts(TWO_CHECKS, make_check(ref="V1"))
    assert (found["AC2"].outcome, found["AC2"].reason) == (UNVERIFIABLE, "V2 did not run")
    assert found[None].outcome is UNVERIFIABLE


def test_a_criterion_without_any_check_is_unverifiable_and_so_is_its_step():
    step = make_step(criteria=(Criterion(id="AC1", text="a"),))
    found = verdicts(step, make_check(ref="V1"))
    assert (found["AC1"].outcome, found[None].outcome) == (UNVERIFIABLE, UNVERIFIABLE)


def test_a_step_without_criteria_is_unverifiable_even_if_all_its_commands_pass():
    assert verdicts(make_step(criteria=()), make_check(ref="V1"))[None].outcome is UNVERIFIABLE


def test_a_check_that_no_criterion_names_still_has_to_pass():
    step = make_step(verification=(Command(ref="V1", run="one"), Command(ref="V9", run="nine")))
    assert verdicts(step, make_check(ref="V1"), make_check(ref="V9", outcome=FAILED))[None].outcome is FAILED


def test_a_failed_worker_fails_its_step_whatever_it_printed():
    worker = make_check(ref="WORKER", kind=CheckKind.WORKER, outcome=FAILED)
    assert verdicts(make_step(), worker)[None].outcome is FAILED


def test_equivalents_are_judged_in_place_of_a_baseline_that_does_not_exist():
    absent = make_check(kind=CheckKind.BASELINE, outcome=UNVERIFIABLE)
    good = make_check(stands_for="make test", suffix=".e1")
    bad = make_check(stands_for="make test", suffix=".e2", outcome=FAILED)
    assert verdicts(make_step(), absent, good)["AC1"].outcome is PASSED
    assert verdicts(make_step(), absent, good, bad)["AC1"].outcome is FAILED


def test_a_baseline_that_does_not_exist_and_has_no_equivalent_is_unverifiable():
    assert verdicts(make_step(), make_check(outcome=UNVERIFIABLE))["AC1"].outcome is UNVERIFIABLE


def test_verdicts_of_steps_that_were_not_looked_at_still_stand():
    task = make_task(make_step("S1"), make_step("S2"))
    first = judge(task, make_plan(task), [make_check("S1")], ())
    second = judge(task, make_plan(task), [make_check("S2", outcome=FAILED, round=2)], first)
    assert [(v.step, v.criterion, v.outcome) for v in second] == [
        ("S1", "AC1", PASSED),
        ("S1", None, PASSED),
        ("S2", "AC1", FAILED),
        ("S2", None, FAILED),
    ]


def test_a_scope_check_alone_says_nothing_about_the_criteria_of_the_task():
    task = make_task(make_step(), criteria=(Criterion(id="AC9", text="whole", verified_by=("V1",)),))
    scope = make_check(None, "SCOPE", kind=CheckKind.SCOPE)
    found = judge(task, make_plan(task), [make_check(), scope], ())
    assert [(v.step, v.criterion) for v in found] == [("S1", "AC1"), ("S1", None), (None, None)]


@given(st.lists(st.tuples(st.sampled_from(["V1", "V2", "V3"]), st.sampled_from(Outcome)), max_size=6))
def test_passed_means_that_both_named_checks_are_there_and_nothing_failed(results):
    checks = [make_check(ref=ref, outcome=outcome, suffix=f".{i}") for i, (ref, outcome) in enumerate(results)]
    found = verdicts(TWO_CHECKS, *checks)
    if found and found[None].outcome is PASSED:
        assert {ref for ref, _ in results} >= {"V1", "V2"}
        assert all(outcome is PASSED for _, outcome in results)
