"""What follows from the tests of a command: before the work, after it, and in their first versions."""

from __future__ import annotations

import pytest
from waypost.nodes.checks.judge_tests import judge_originals, judge_tests
from waypost.nodes.checks.seen_tests import Seen
from waypost.state.records import Check, CheckKind, Outcome
from waypost.state.task import TestsMay

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
ONE = Seen({"t.py::a": "passed"}, 0)
RED = Seen({"t.py::a": "failed"}, 1)
TWO = Seen({"t.py::a": "passed", "u.py::b": "passed"}, 0)
SKIPS = Seen({"t.py::a": "skipped", "u.py::b": "passed"}, 0)
CRASHED = Seen({"t.py::a": "passed"}, None)
EMPTY = Seen({}, 0)


def ended(exit_code: int | None) -> Check:
    """A check whose process ended so."""
    outcome = PASSED if exit_code == 0 else FAILED
    facts = {"step": "S1", "attempt": 1, "ref": "V1", "kind": CheckKind.COMMAND, "run": "pytest"}
    reason = f"exit code {exit_code}"
    return Check(id="1.S1.V1.originals", round=1, outcome=outcome, reason=reason, exit_code=exit_code, **facts)


@pytest.mark.parametrize(
    ("after", "before", "may", "outcome", "said"),
    [
        (ONE, RED, (), PASSED, "1 tests from before are all still run, 0 are new"),
        (TWO, ONE, (), PASSED, "1 are new"),
        (SKIPS, ONE, (), FAILED, "t.py::a: passed before, skipped now"),
        (SKIPS, ONE, (TestsMay.TESTS_GO,), PASSED, "the card accepts that"),
        (ONE, TWO, (), FAILED, "u.py::b: passed before, gone now"),
        (ONE, None, (), PASSED, "not compared"),
        (EMPTY, ONE, (), FAILED, "runs no test"),
        (EMPTY, None, (), FAILED, "runs no test"),
        (CRASHED, ONE, tuple(TestsMay), FAILED, "never came to its end"),
        (RED, ONE, tuple(TestsMay), FAILED, "pytest itself ended with 1, 1 failing"),
        (None, ONE, tuple(TestsMay), FAILED, "does not now"),
    ],
)
def test_the_tests_after_the_work_against_those_before(after, before, may, outcome, said):
    judged = judge_tests(after, before, False, may)
    assert judged is not None
    assert judged.outcome is outcome
    assert said in judged.reason


@pytest.mark.parametrize(("after", "before"), [(None, None), (CRASHED, CRASHED)])
def test_where_pytest_told_nothing_before_and_passed_there_is_nothing_to_compare(after, before):
    assert judge_tests(after, before, True, ()) is None


@pytest.mark.parametrize(
    ("exit_code", "first", "after", "added", "may", "outcome", "said"),
    [
        (0, None, None, (), (), PASSED, "passes with the first versions too"),
        (1, None, None, (), (), FAILED, "exit code 1"),
        (None, None, None, (), (), FAILED, "exit code None"),
        (1, None, None, (), (TestsMay.ORIGINALS_FAIL,), PASSED, "the card accepts that"),
        (0, ONE, TWO, (), (), PASSED, "1 tests from before pass"),
        (1, RED, TWO, (), (), FAILED, "t.py::a"),
        (1, RED, TWO, ("t.py",), (), PASSED, "none of the tests that it runs existed before"),
        (1, RED, TWO, (), (TestsMay.TESTS_GO,), FAILED, "t.py::a"),
        (1, Seen({"t.py": "error"}, 2), TWO, (), (), FAILED, "t.py"),
        (5, Seen({}, 5), TWO, (), (), PASSED, "existed before"),
        (4, Seen({}, 4), TWO, (), (), FAILED, "pytest runs no test and ends with 4"),
        (1, RED, RED, (), (), PASSED, "1 tests from before pass"),
        (0, CRASHED, TWO, (), (), FAILED, "never came to its end"),
        (0, TWO, ONE, (), (), FAILED, "u.py::b: passed before, gone now"),
        (0, TWO, ONE, ("u.py",), (), PASSED, "1 tests from before pass"),
    ],
)
def test_a_command_with_the_first_versions_of_protected_files(exit_code, first, after, added, may, outcome, said):
    judged = judge_originals(ended(exit_code), first, after, added, may)
    assert judged.outcome is outcome
    assert said in judged.reason


@pytest.mark.parametrize(
    ("first", "after", "before", "outcome", "said"),
    [
        (Seen({}, 4), ONE, Seen({}, 4), PASSED, "existed before"),
        (Seen({}, 4), ONE, ONE, FAILED, "with the first versions 1 tests do not run: t.py::a"),
        (Seen({}, 0), ONE, ONE, FAILED, "do not run"),
        (ONE, TWO, TWO, FAILED, "1 tests do not run: u.py::b"),
        (ONE, ONE, TWO, PASSED, "1 tests from before pass"),
    ],
)
def test_what_ran_before_the_work_has_to_run_with_the_first_versions_too(first, after, before, outcome, said):
    judged = judge_originals(ended(first.exit_code), first, after, (), (), before=before)
    assert judged.outcome is outcome
    assert said in judged.reason


@pytest.mark.parametrize(
    ("after", "ended", "outcome"), [(RED, 1, PASSED), (RED, 0, FAILED), (Seen(RED.outcomes, 0), 1, FAILED)]
)
def test_a_command_that_has_to_fail_ends_as_its_pytest_does(after, ended, outcome):
    judged = judge_tests(after, None, False, (), ended=ended, may_fail=True)
    assert judged is not None
    assert judged.outcome is outcome


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("tests/t.py::a", ["sub/tests/t.py::a", "tests/t.py::a[1]"]),
        ("./tests/t.py::a[1]", ["tests/t.py::a[1]"]),
        ("tests.t.a", ["sub/tests/t.py::a", "tests/t.py::a[1]"]),
        ("t.py::A::a", ["tests/t.py::A::a"]),
        ("tests/t.py::other", []),
    ],
)
def test_a_name_of_a_card_is_found_where_pytest_was_started_above_its_root(name, found):
    ids = ["sub/tests/t.py::a", "tests/t.py::a[1]", "tests/t.py::A::a", "my_tests/t.py::b", "broken.py"]
    seen = Seen(dict.fromkeys(ids, "passed"), 0)
    assert sorted(seen.of((name,)).outcomes) == sorted([*found, "broken.py"])
    assert seen.has_all((name,)) == bool(found)
