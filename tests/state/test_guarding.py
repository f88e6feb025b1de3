"""What is known of the checks before the work belongs to each check by itself."""

from __future__ import annotations

import pytest
from kit.cards import card, write_card
from waypost.nodes.formats import read_task_file
from waypost.state.guarding import Before
from waypost.state.records import Check, CheckKind, Outcome
from waypost.state.task import Task

RUN = "sh ask.sh"
CRITERIA = """\
- AC1: One. Verified by `sh ask.sh`
- AC2: Two. Verified by `sh ask.sh` with exit code `3`
- AC3: Three. Verified by `sh ask.sh` output `yes`
- AC4: Four. Verified by `sh ask.sh` output `no`
- AC5: Five. Verified by test `a.py::test_b` run `pytest -q`
- AC6: Six. Verified by test `a.py::test_b` run `pytest -q` exit code `1`"""


@pytest.fixture
def task(tmp_path) -> Task:
    return read_task_file(write_card(tmp_path, card(criteria=CRITERIA)))


def _ran(id: str, ref: str, outcome: Outcome, run: str = RUN, kind: CheckKind = CheckKind.COMMAND) -> Check:
    return Check(
        id=id, round=0, step="S1", attempt=None, ref=ref, kind=kind, run=run, outcome=outcome, reason="", argv=("sh",)
    )


def _checks(task: Task) -> dict[str, Check]:
    (step,) = task.steps
    commands = {c.ref: _ran(f"0.S1.{c.ref}", c.ref, Outcome.FAILED, c.run) for c in step.verification}
    # Whatever words its kind finds for it.
    probes = {
        p.ref: _ran(f"0.S1.{p.ref}", p.ref, Outcome.FAILED, "the test", CheckKind.PROBE).model_copy(
            update={"probe": p.kind}
        )
        for p in step.probes
    }
    return {**commands, **probes}


def test_checks_that_ask_other_things_of_one_command_have_a_record_each(task):
    checks = _checks(task)
    assert len(checks) == 6
    before = Before(checks=tuple(checks.values()))
    assert {ref: (found and found.ref) for ref, one in checks.items() for found in [before.of(task, one)]} == {
        ref: ref for ref in checks
    }


def test_a_check_whose_like_did_not_run_has_none(task):
    checks = _checks(task)
    first, second = list(checks.values())[:2]
    assert Before(checks=(first,)).of(task, second) is None
    assert Before(checks=(first.model_copy(update={"argv": ()}),)).of(task, first) is None
    assert Before(checks=(first,)).of(task, first.model_copy(update={"step": "S9"})) is None
