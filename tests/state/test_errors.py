"""How an error reads: what happened, labelled facts, the next step last."""

from __future__ import annotations

import pytest
from waypost.state import errors
from waypost.state.errors import InputError, LedgerCorrupt, TaskFileError, WaypostError


def test_facts_stand_in_a_column_and_the_next_step_comes_last():
    error = WaypostError("it broke", facts={"found": 1, "expected": 2}, next_step="mend it")
    assert str(error) == "it broke\n  found     1\n  expected  2\n  next      mend it"


def test_a_task_file_error_starts_with_file_and_line():
    error = TaskFileError("tasks.md", 41, 'step "S2" depends on "S7"')
    assert str(error) == 'tasks.md:41: step "S2" depends on "S7"'
    assert (error.path, error.line) == ("tasks.md", 41)


def test_a_corrupt_ledger_says_where_and_what_is_still_intact():
    error = LedgerCorrupt("x/ledger.jsonl", 7, "the checksum does not match", readable=6)
    assert str(error).splitlines()[:2] == ["x/ledger.jsonl:7: the checksum does not match", "  intact  lines 1-6"]


@pytest.mark.parametrize(
    "leaf", [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, WaypostError)]
)
def test_bad_input_exits_with_2_and_nothing_exits_with_0(leaf):
    assert leaf.exit_code != 0
    assert (leaf.exit_code == 2) == issubclass(leaf, InputError)
