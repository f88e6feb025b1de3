"""A picture fits the terminal, whatever it has to show."""

from __future__ import annotations

import pytest
from rich.text import Text
from waypost.cli.screen.rows import UNICODE, Block, Sheet, elapsed, fitted


def blocks(done: int, coming: int, lines: int = 0) -> list[Block]:
    """So many steps that passed, one that is worked on with so many lines below it, and so many to come."""
    more = tuple(Text(f"line {number}") for number in range(lines))
    return [
        *(Block(Text(f"done {number}"), folds="steps passed") for number in range(done)),
        Block(Text("now"), more),
        *(Block(Text(f"coming {number}"), folds="steps to come") for number in range(coming)),
    ]


def shown(found: list[Text]) -> list[str]:
    return [row.plain for row in found]


def test_all_is_shown_where_there_is_room():
    assert len(fitted(blocks(2, 2, lines=3), 8)) == 8


def test_what_has_passed_is_counted_first_then_what_is_to_come():
    assert shown(fitted(blocks(9, 2), 4)) == ["9 steps passed", "now", "coming 0", "coming 1"]
    assert shown(fitted(blocks(9, 9), 4)) == ["9 steps passed", "now", "9 steps to come"]


def test_lines_of_workers_go_before_a_step_does():
    assert shown(fitted(blocks(9, 9, lines=5), 3)) == ["9 steps passed", "now", "9 steps to come"]


@pytest.mark.parametrize("room", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("many", [0, 1, 5, 400])
def test_there_are_never_more_rows_than_room(room, many):
    assert len(fitted(blocks(many, many, lines=many), room)) <= room


@pytest.mark.parametrize("width", [20, 40, 79])
@pytest.mark.parametrize("title", ["short", "long " * 40, "漢字" * 60])
def test_a_row_is_never_wider_than_the_terminal_and_keeps_what_stands_at_its_right_edge(width, title):
    row = Sheet(width, 24, UNICODE).row(Text(title), Text("2:07"))
    assert row.cell_len <= width
    assert row.plain.endswith("  2:07")


@pytest.mark.parametrize(("seconds", "told"), [(0.4, "0 s"), (59.9, "59 s"), (67, "1:07"), (7391, "2:03:11")])
def test_times_are_told_shortly(seconds, told):
    assert elapsed(seconds) == told
