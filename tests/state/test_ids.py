"""Ids become folder names: only safe names get in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waypost.state.errors import InvalidId
from waypost.state.ids import TaskId, compose_run_id, run_id, step_id, task_id

BAD = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "a\\b",
    "a\0b",
    "x" * 300,
    "ümlaut",
    "-x",
    ".x",
    "x.",
    "con",
    "NUL.txt",
    "a b",
    "a\n",
]


@pytest.mark.parametrize("parse", [task_id, step_id, run_id])
@pytest.mark.parametrize("value", BAD)
def test_a_name_that_is_not_safe_is_refused(parse, value):
    with pytest.raises(InvalidId):
        parse(value)


@pytest.mark.parametrize("value", ["DKT-003", "a", "1", "task_1.2", "A..B"])
def test_a_safe_name_is_kept_as_it_is(value):
    assert task_id(value) == value


@given(st.text(max_size=200))
def test_whatever_is_accepted_is_one_harmless_path_part(value):
    try:
        accepted = run_id(value)
    except InvalidId:
        return
    assert accepted == value
    assert accepted not in (".", "..")
    assert not set(accepted) & set("/\\\0\n ~$`\"'")


def test_a_run_id_holds_task_utc_time_and_short_commit():
    started = datetime(2026, 2, 11, 14, 40, 56, tzinfo=timezone(timedelta(hours=1)))
    assert compose_run_id(TaskId("DKT-003"), started, "ac778e9f" + "0" * 32) == "DKT-003_20260211T134056Z_ac778e9"
    assert compose_run_id(TaskId("A"), datetime(2026, 1, 1, tzinfo=UTC), "0" * 40).startswith("A_20260101T000000Z_")
