"""spec-kit `tasks.md`."""

from __future__ import annotations

from pathlib import Path

import pytest
from waypost.nodes.formats.foreign import Guess, Progress, open_tasks

FILES = Path(__file__).parents[4] / "examples/formats/spec-kit"


@pytest.fixture
def tasks():
    return open_tasks(FILES / "tasks.md")


def test_boxes_with_ids_are_tasks_in_both_spellings_of_done(tasks):
    assert {task.id: task.progress.value for task in tasks.tasks} == {
        "T001": "done",
        "T002": "open",
        "T003": "open",
        "T004": "open",
        "T005": "done",
        "T006": "open",
    }


def test_phase_story_and_parallel_labels_are_kept(tasks):
    assert (tasks.task("T004").group, tasks.task("T004").labels) == (
        "Phase 2: User Story 1 - Greet by name (Priority: P1)",
        ("US1", "P"),
    )


def test_phases_are_barriers_and_tasks_without_p_run_one_after_the_other(tasks):
    waits = {id: sorted(tasks.waits_for(id)) for id in ("T001", "T002", "T004", "T005", "T006")}
    assert waits == {"T001": [], "T002": ["T001"], "T004": ["T003"], "T005": ["T004"], "T006": ["T005"]}


def test_neighbours_with_p_wait_for_the_same_tasks_and_not_for_each_other(opened):
    found = opened("## Phase 1: A\n\n- [ ] T1 a\n- [ ] T2 [P] b\n- [ ] T3 [P] c\n\n## Phase 2: B\n\n- [ ] T4 d\n")
    assert {id: sorted(found.waits_for(id)) for id in ("T2", "T3", "T4")} == {
        "T2": ["T1"],
        "T3": ["T1"],
        "T4": ["T2", "T3"],
    }


def test_the_checks_of_a_phase_are_criteria_of_its_last_task_which_runs_after_the_others(tasks):
    criteria = {criterion.key: criterion for criterion in tasks.task("T003").criteria}
    assert list(criteria) == ["done", "checkpoint"]
    assert {p.run: p.guess for p in criteria["checkpoint"].proposals} == {
        "python3 -m unittest discover": Guess.RUNNABLE,
        "git status": Guess.UNSURE,
    }
    assert tasks.waits_for("T003") == {"T002"}


def test_a_dependency_in_the_text_is_one_also_as_a_range(opened):
    found = opened("- [ ] T001 a\n- [ ] T002 b\n- [ ] T003 c\n- [ ] T004 d (depends on T001-T003)\n")
    assert found.task("T004").depends_on == ("T001", "T002", "T003")


def test_a_task_without_a_criterion_is_its_own_and_only_a_command_it_says_to_run_is_proposed(tasks):
    validated, written = tasks.task("T006").criteria[0], tasks.task("T004").criteria[0]
    assert (written.implied, written.proposals) == (True, ())
    assert [p.run for p in validated.proposals] == ["python3 -m greet Ada"]


def test_the_layout_with_a_heading_per_task_is_read_as_well():
    found = open_tasks(FILES / "headings.md")
    second = found.task("T-002")
    assert [(task.id, task.title, task.progress) for task in found.tasks] == [
        ("T-001", "Create the package", Progress.DONE),
        ("T-002", "Greet by name", Progress.OPEN),
    ]
    assert (second.depends_on, [c.text for c in second.criteria]) == (
        ("T-001",),
        ["The name is in the greeting (`python3 -m greet Ada | grep -q Ada`)", "It is polite"],
    )


def test_what_is_not_understood_is_noted_with_its_line(opened):
    found = opened("## Phase 1: A\n\n- [ ] T001 a\n- [ ] no id\n- [x] T001 again\n\n**Checkpoint**: fine\n")
    assert [(note.line, note.text.split(":")[0]) for note in found.notes] == [
        (4, "a box without a T-id is no task"),
        (5, 'id "T001" stands twice (first in line 3)'),
    ]
    assert [task.id for task in found.tasks] == ["T001", "T001-2"]


def test_a_nested_task_comes_after_the_one_above_it(opened):
    found = opened("- [ ] T001 a\n  - a detail\n- [ ] T002 b\n  - [ ] T003 c\n")
    assert [a.text for a in found.task("T001").details] == ["a", "- a detail"]
    assert found.order.ids == ("T001", "T002", "T003")
