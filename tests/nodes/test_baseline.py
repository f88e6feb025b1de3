"""Checks of other kinds than commands before the work: they run in round 0, and red and green are told for them too."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from kit.cards import card, write_card
from kit.cli import Ran, waypost_here
from kit.repos import make_repo
from waypost.state.records import CheckKind, Outcome

PYTEST = f"env PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {sys.executable} -m pytest -q -p no:cacheprovider tests"
FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "tests/conftest.py": "",
    "tests/test_calc.py": "from calc import add\ndef test_add(): assert add(1, 2) == 3\ndef test_zero(): pass\n",
    "schema.json": '{"type": "array"}',
    "list.json": "[]",
    ".gitignore": "__pycache__/\n",
}
RED = f"test `tests/test_calc.py::test_add` run `{PYTEST}`"
GREEN = f"test `tests/test_calc.py::test_zero` run `{PYTEST}` exit code `1`"
WORK = "sed -i 's/a - b/a + b/' calc.py; echo x > note"


def run(folder: Path, criteria: str, *options: str, **parts: str) -> Ran:
    repo = make_repo(folder / "repo", FILES)
    path = write_card(folder, card(bash=WORK, criteria=criteria, **parts))
    where = ("--workspace", repo, "--runs", folder / "runs", "--run-id", "R", "--json", "--max-rework", "0")
    return waypost_here("run", path, *where, *options, cwd=folder)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """One run whose criteria rest on each kind of check."""
    folder = tmp_path_factory.mktemp("kinds")
    criteria = [RED, "file `note`", "file `list.json` schema `schema.json`", "manual"]
    run(folder, "\n".join(f"- AC{number}: It. Verified by {one}" for number, one in enumerate(criteria, 1)))
    status = waypost_here("status", "R", "--runs", folder / "runs", "--json", cwd=folder).events[-1]["state"]
    yield {**status, "report": (folder / "runs/R/reports/T-1/report.md").read_text()}
    fsck = waypost_here("fsck", "R", "--runs", folder / "runs", cwd=folder)
    assert fsck.code == 0, fsck.out + fsck.err


def test_each_kind_is_looked_at_before_the_work_and_a_person_is_not_asked(state):
    before = {check["probe"]: check["outcome"] for check in state["before"]["checks"]}
    assert before == {"test": Outcome.FAILED, "file": Outcome.PASSED}
    assert [check["outcome"] for check in state["before"]["checks"]] == ["FAILED", "FAILED", "PASSED"]


def test_what_a_named_test_ran_is_written_down_before_the_work_too(state):
    [named] = [check for check in state["before"]["checks"] if check["probe"] == "test"]
    assert named["argv"]
    assert named["tests"]


def test_the_tests_of_a_named_test_are_held_against_those_before(state):
    [found] = [check for check in state["checks"] if check["kind"] == CheckKind.TESTS]
    assert (found["outcome"], found["reason"]) == ("PASSED", "1 tests from before are all still run, 0 are new")


@pytest.mark.parametrize(
    ("criterion", "said"), [("AC1", "red"), ("AC2", "red"), ("AC3", "green")], ids=["test", "file", "schema"]
)
def test_the_report_tells_red_and_green_of_it(state, criterion, said):
    row = next(line for line in state["report"].splitlines() if criterion in line and said in line.lower())
    assert row.startswith("|")


def test_a_named_test_that_has_to_fail_before_the_work_and_passes_there_stops_the_run_before_any_worker(tmp_path):
    ended = run(tmp_path, f"- AC1: It works. Verified by {GREEN}", red_before="AC1")
    assert ended.result["status"] == "BLOCKED"
    assert "criterion AC1 of step S1 has to fail before the work, and did not" in ended.out + ended.err
    assert not (tmp_path / "repo" / "note").exists()
