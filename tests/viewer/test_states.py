"""The checkpoints of a ledger: a page at a time, each with its state and what changed to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kit.viewed import talk
from waypost.checkpointing import fsck
from waypost.checkpointing.view import View
from waypost.state.errors import RunNotFound
from waypost.viewer.ledgers import Ledgers
from waypost.viewer.paging import PAGE
from waypost.viewer.states import checkpoints, state_at_line


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    runs = tmp_path_factory.mktemp("states") / "runs"
    talk(runs, "long", 60)
    found = Ledgers(runs).find("long").view
    assert found is not None
    yield found
    assert fsck(runs / "long").ok


def test_the_newest_come_first_and_no_checkpoint_is_on_two_pages(view: View):
    first, second = checkpoints(view, page=1), checkpoints(view, page=2)
    assert (first.number, len(first.rows), len(second.rows), second.pages) == (62, PAGE, 12, 2)
    assert first.rows[0].step == "60"
    assert len({one.line for one in (*first.rows, *second.rows)}) == first.number


def test_behind_the_last_page_is_the_last_one(view: View):
    assert checkpoints(view, page=999) == checkpoints(view, page=2)


def test_a_checkpoint_tells_what_ran_and_which_channels_it_changed(view: View):
    newest = checkpoints(view, page=1).rows[0]
    assert (newest.nodes, newest.changed) == ("speak", (("lines", "changed"),))


def test_a_state_is_shown_with_what_changed_to_it_and_the_way_to_its_neighbours(view: View):
    newest, before, *_ = checkpoints(view, page=1).rows
    shown = state_at_line(view, newest.line)
    assert [(one.kind, one.path, one.new) for one in shown.told] == [("added", "lines[59]", "line 59")]
    assert (shown.after, shown.before) == (None, before.line)
    assert state_at_line(view, before.line).after == newest.line
    assert '"line 59"' in shown.state


@pytest.mark.parametrize("line", [0, 1, 10**6])
def test_a_line_without_a_checkpoint_is_told(view: View, line: int):
    with pytest.raises(RunNotFound, match="no checkpoint stands in line"):
        state_at_line(view, line)
