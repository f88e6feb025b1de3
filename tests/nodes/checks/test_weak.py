"""Which criteria rest on nothing that could fail, told from the words of their checks."""

from __future__ import annotations

import pytest
from kit.cards import card, write_card
from kit.cli import waypost_here
from waypost.nodes.checks.weak import weak_criteria
from waypost.nodes.formats import read_task_file

CANNOT_FAIL = ("`true`", "`/bin/true`", "`echo done` output `done`", "`pytest || true`", "`make; exit 0`", "`:`")
CAN_FAIL = ("`test -s a`", "`true` with exit code `1`", "`echo done > a`", "`make || exit 1`", "file `a`", "`pytest`")


def weak(folder, proof: str) -> list[str]:
    task = read_task_file(write_card(folder, card(criteria=f"- AC1: It works. Verified by {proof}")))
    return [what for _, _, what in weak_criteria(task)]


@pytest.mark.parametrize("proof", CANNOT_FAIL)
def test_what_cannot_fail_is_told(tmp_path, proof: str):
    (what,) = weak(tmp_path, proof)
    assert what.endswith("cannot fail, so that it passes proves nothing")


@pytest.mark.parametrize("proof", [*CAN_FAIL, "`true`, `test -s a`"])
def test_what_can_fail_is_not(tmp_path, proof: str):
    assert weak(tmp_path, proof) == []


def test_a_plan_says_so_before_anything_runs(tmp_path):
    path = write_card(tmp_path, card(bash="exit 0", verify="true"))
    assert "PROVES NOTHING: true cannot fail" in waypost_here("plan", path, cwd=tmp_path).out
