"""What a report says of the time before the work, and of the tests."""

from __future__ import annotations

from typing import Any

import pytest
from kit.links import unlinked
from waypost.nodes.evidence import write_evidence
from waypost.state.guarding import Before
from waypost.state.records import CheckKind, Outcome

from .conftest import Run


def written(run: Run, **changes: Any) -> str:
    write_evidence(run.state(**changes), run.folder)
    return unlinked((run.reports / "report.md").read_text())


@pytest.mark.parametrize(
    ("earlier", "said"),
    [
        ({}, "red before, green after"),
        ({"outcome": Outcome.PASSED, "exit_code": 0}, "was green before: its passing proves no change"),
        ({"outcome": Outcome.UNVERIFIABLE, "exit_code": None}, "not known: a check could not run"),
    ],
)
def test_each_criterion_is_told_as_it_was_before_the_work(done: Run, earlier: dict[str, Any], said: str) -> None:
    check = done.earlier(**earlier)
    results, _, rest = written(done).partition("## Logs / Artifacts")
    assert f"| `S1` | `A1` | `0.S1.V1` {check.outcome} | " in results
    assert said in results
    assert (said in rest) == (said != "red before, green after")


def test_a_run_without_a_baseline_says_so_and_why(done: Run) -> None:
    said = "The checks did not run before the work (--no-baseline)"
    assert written(done, before=Before(skipped="--no-baseline")).count(said) == 2


def test_what_the_commands_left_before_the_work_is_named(done: Run) -> None:
    done.earlier()
    report = written(done, before=Before(checks=tuple(done.before), left={"report.xml": "1" * 64}))
    assert "What these commands left in the tree is nobody's work: `report.xml`." in report


def test_what_became_of_the_tests_stands_beside_each_command_that_passed(done: Run) -> None:
    row = "| `1.S1.V1` | not compared: it is no pytest whose tests could be seen |"
    assert row in written(done)
    done.check(
        "TESTS", None, kind=CheckKind.TESTS, id="1.S1.V1.tests", argv=(), exit_code=None, reason="3 tests are still run"
    )
    assert "| `1.S1.V1` | PASSED 3 tests are still run (`1.S1.V1.tests`) |" in written(done)
