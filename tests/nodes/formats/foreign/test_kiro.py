"""Kiro `tasks.md`, and the requirements beside it."""

from __future__ import annotations

from pathlib import Path

from waypost.nodes.formats.foreign import Progress, open_tasks

FILES = Path(__file__).parents[4] / "examples/formats/kiro"


def test_numbers_make_parts_of_wholes():
    found = open_tasks(FILES / "tasks.md")
    assert {task.id: task.parent for task in found.tasks} == {
        "1": None,
        "2": None,
        "2.1": "2",
        "2.2": "2",
        "3": None,
        "3.1": "3",
    }


def test_tasks_run_one_after_the_other_and_a_whole_after_its_parts():
    found = open_tasks(FILES / "tasks.md")
    assert found.order.ids == ("1", "2.1", "2.2", "2", "3.1", "3")
    assert sorted(found.waits_for("2")) == ["2.1", "2.2"]
    assert found.waits_for("3.1") == {"2"}


def test_a_star_marks_an_optional_task():
    found = open_tasks(FILES / "tasks.md")
    assert [task.id for task in found.tasks if task.optional] == ["2.2"]


def test_requirements_become_criteria_from_the_file_beside_it():
    found = open_tasks(FILES / "tasks.md")
    assert {c.key: c.text for c in found.task("2.1").criteria} == {
        "R1.2": "WHEN a name is given THEN the greeting SHALL hold it",
        "R2.1": "The words SHALL stand in one file",
    }
    assert len(found.files) == 2


def test_a_requirement_that_is_not_there_is_a_note_and_a_criterion_that_nothing_proves():
    found = open_tasks(FILES / "tasks.md")
    assert [(note.line, note.text) for note in found.notes] == [
        (12, "requirement 9.9: requirements.md has no such requirement")
    ]
    assert found.proving("2.2")[0].commands == ()


def test_without_a_requirements_file_it_is_said(opened):
    found = opened("- [ ] 1. a\n  - _Requirements: 1.1_\n", "plan.md")
    assert found.notes[0].text == "requirement 1.1: requirements.md stands not beside this file"


def test_a_requirements_file_that_is_a_link_is_not_followed(tmp_path, opened):
    (tmp_path / "secret.md").write_text("### Requirement 1\n\n#### Acceptance Criteria\n\n1. secret\n")
    (tmp_path / "requirements.md").symlink_to(tmp_path / "secret.md")
    found = opened("- [ ] 1. a\n  - _Requirements: 1.1_\n")
    assert "secret" not in repr(found.tasks)


def test_a_plain_numbered_list_of_requirements_is_understood(tmp_path, opened):
    (tmp_path / "requirements.md").write_text("# R\n\n## Requirements\n\n1. first\n2. second\n\n## Other\n\n1. no\n")
    found = opened("- [ ] 1. a\n  - _Requirements: 2_\n")
    assert [(c.key, c.text) for c in found.task("1").criteria] == [("R2", "second")]


def test_waves_give_the_order():
    found = open_tasks(FILES / "waves.tasks.md")
    assert {task.id: sorted(found.waits_for(task.id)) for task in found.tasks} == {"1": [], "2": ["1", "3"], "3": []}


def test_waves_that_are_not_understood_are_refused(refused):
    error = refused('- [ ] 1. a\n\n```json\n{"waves": [<-- HERE\n```\n')
    assert "waves are no JSON" in error.what


def test_a_task_in_no_wave_comes_last_and_is_noted(opened):
    found = opened('- [ ] 1. a\n- [ ] 2. b\n\n```json\n{"waves": [{"id": 0, "tasks": ["2", "5"]}]}\n```\n')
    assert found.waits_for("1") == {"2"}
    assert [note.text for note in found.notes] == [
        "task 5 is in a wave and not in the list",
        "in no wave, so after the last one: 1",
    ]


def test_headings_with_numbers_are_tasks_and_a_tick_says_done():
    found = open_tasks(FILES / "headings.tasks.md")
    assert [(task.id, task.title, task.progress, task.group) for task in found.tasks] == [
        ("1.1", "Write the words", Progress.DONE, "Milestone 1: Words"),
        ("1.2", "Read them aloud", Progress.OPEN, "Milestone 1: Words"),
    ]
    assert found.task("1.1").goal == "Write the words\nThe words stand in one file"


def test_a_heading_with_boxes_below_it_is_done_when_they_all_are(opened):
    found = opened("## Task 1: a\n\n- [x] 1.1 b\n\n## Task 2: c\n\n- [x] 2.1 d\n- [ ] 2.2 e\n")
    assert [task.id for task in found.tasks if task.progress is Progress.DONE] == ["1", "1.1", "2.1"]


def test_bold_numbers_without_boxes_are_tasks():
    found = open_tasks(FILES / "bold.tasks.md")
    assert [(task.id, task.title, task.mark) for task in found.tasks] == [
        ("1", "Words", None),
        ("1.1", "Write the words", None),
        ("1.2", "Read them aloud", None),
        ("2", "Command", None),
    ]
