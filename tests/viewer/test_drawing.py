"""The drawings: every way of the transition table is in one, and what waits stands right of what it waits for."""

from __future__ import annotations

import pytest
from kit.states import make_state
from waypost.viewer.dag import AT_MOST, Item, lay_out
from waypost.viewer.drawing import draw, drawn, ways


def item(id: str, *waits_for: str) -> Item:
    return Item(id, id, "PENDING", waits_for, "")


def test_every_way_of_the_table_is_drawn_and_no_other():
    assert drawn() == ways()


def test_a_run_that_has_not_begun_is_at_extract():
    drawing = draw(make_state())
    assert [stage.box.name for stage in drawing.stages if stage.here] == ["extract"]
    assert not any(arrow.times for arrow in drawing.arrows)
    assert drawing.told == "The run is at extract."


def test_what_waits_stands_right_of_all_that_it_waits_for():
    dag = lay_out([item("a"), item("b", "a"), item("c", "a", "b"), item("d")])
    assert dag is not None
    columns = {box.item.id: box.x for box in dag.boxes}
    assert columns["a"] == columns["d"] < columns["b"] < columns["c"]
    assert len({(box.x, box.y) for box in dag.boxes}) == 4
    assert len(dag.lines) == 3
    assert all(box.x + dag.box_width <= dag.width and box.y + dag.box_height <= dag.height for box in dag.boxes)


def test_what_waits_for_nothing_that_is_there_is_drawn_all_the_same():
    dag = lay_out([item("a", "gone")])
    assert dag is not None
    assert (len(dag.boxes), dag.lines) == (1, ())


@pytest.mark.parametrize("number", [0, AT_MOST + 1])
def test_what_cannot_be_seen_is_not_drawn(number: int):
    assert lay_out([item(str(n)) for n in range(number)]) is None
