"""Which task waits for which."""

from __future__ import annotations

import json

import pytest
from waypost.state.errors import TaskFileError


def rows(*tasks):
    return "".join(
        json.dumps({"id": id, "title": id, "issue_type": "task", "status": "open", "dependencies": depends}) + "\n"
        for id, depends in tasks
    )


def blocks(*names):
    return [{"depends_on_id": name, "type": "blocks"} for name in names]


def part_of(name):
    return {"depends_on_id": name, "type": "parent-child"}


def test_a_dependency_comes_first_and_file_order_decides_the_rest(opened):
    found = opened(rows(("c", blocks("a")), ("b", []), ("a", [])), "i.jsonl")
    assert found.order.ids == ("b", "a", "c")
    assert found.waits_for("c") == {"a"}


def test_a_whole_waits_for_its_parts_and_they_for_what_it_depends_on(opened):
    found = opened(rows(("w", blocks("x")), ("p", [part_of("w")]), ("q", [part_of("p")]), ("x", [])), "i.jsonl")
    assert {id: sorted(found.waits_for(id)) for id in "wpqx"} == {"w": ["p", "x"], "p": ["q", "x"], "q": ["x"], "x": []}
    assert found.order.ids == ("x", "q", "p", "w")


def test_a_part_that_names_its_own_whole_does_not_wait_for_it(opened):
    found = opened(rows(("w", []), ("p", [part_of("w"), *blocks("w")])), "i.jsonl")
    assert (found.waits_for("p"), found.waits_for("w")) == (frozenset(), {"p"})


def test_a_circle_is_refused_at_its_first_task(opened):
    with pytest.raises(TaskFileError, match='circle: "a" -> ') as caught:
        opened(rows(("z", []), ("a", blocks("b")), ("b", blocks("c")), ("c", blocks("a"))), "i.jsonl")
    assert caught.value.line == 2


def test_a_circle_through_a_whole_is_refused(opened):
    with pytest.raises(TaskFileError, match="circle"):
        opened(rows(("w", blocks("x")), ("p", [part_of("w")]), ("x", blocks("p"))), "i.jsonl")


def test_a_task_on_itself_and_one_that_is_not_there_are_noted(opened):
    found = opened(rows(("a", blocks("a", "gone"))), "i.jsonl")
    assert found.waits_for("a") == frozenset()
    assert [note.text for note in found.notes] == [
        'task "a" depends on itself: not taken up',
        '"a" depends on "gone", which is not here',
    ]


def test_two_large_parallel_phases_do_not_cost_their_product(opened):
    phase = "".join(f"- [ ] T{{}}{i:05d} [P] a\n" for i in range(8_000))
    found = opened("## Phase 1: A\n\n" + phase.replace("{}", "1") + "\n## Phase 2: B\n\n" + phase.replace("{}", "2"))
    assert len(found.waits_for("T200000")) == 8_000
    assert found.order.ids[8_000:8_001] == ("T200000",)
