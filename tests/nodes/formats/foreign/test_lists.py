"""Task Master, beads and GitHub issues: tasks as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
from waypost.nodes.formats.foreign import Progress, open_tasks

FILES = Path(__file__).parents[4] / "examples/formats"


def test_task_master_names_subtasks_by_their_task_and_reads_ids_as_texts():
    found = open_tasks(FILES / "task-master/tagged.json")
    assert [(task.id, task.parent, task.progress.value) for task in found.tasks] == [
        ("1", None, "done"),
        ("2", None, "open"),
        ("2.1", "2", "open"),
        ("2.2", "2", "open"),
        ("3", None, "dropped"),
    ]


def test_task_master_a_number_in_a_subtask_names_the_one_beside_it():
    found = open_tasks(FILES / "task-master/tagged.json")
    assert found.task("2.2").depends_on == ("2.1",)
    assert found.task("3").depends_on == ("2.2",)
    assert found.waits_for("2.2") == {"2.1", "1"}


def test_task_master_a_test_strategy_is_a_criterion_with_the_command_in_it():
    found = open_tasks(FILES / "task-master/tagged.json")
    assert [(c.key, [p.run for p in c.proposals]) for c in found.task("1").criteria] == [
        ("test-strategy", ["python3 -m unittest discover"])
    ]
    assert found.task("2.1").criteria[0].implied


def test_task_master_a_tag_is_chosen_and_a_missing_one_refused(opened):
    text = (FILES / "task-master/tagged.json").read_text()
    assert [task.title for task in opened(text, "t.json", tag="later").tasks] == ["Another day"]
    with pytest.raises(Exception, match='no tag "never"'):
        opened(text, "t.json", tag="never")
    with pytest.raises(Exception, match="several tags"):
        opened(text.replace('"master"', '"main"'), "t.json")


def test_task_master_the_old_shape_is_read():
    assert [task.id for task in open_tasks(FILES / "task-master/plain.json").tasks] == ["1", "2"]


def test_task_master_fields_that_are_not_read_are_noted_once():
    found = open_tasks(FILES / "task-master/tagged.json")
    assert 'field "phase" is not read (1 times)' in [note.text for note in found.notes]


def test_beads_statuses_and_kinds_of_dependencies():
    found = open_tasks(FILES / "beads/issues.jsonl")
    assert {task.id: task.progress.value for task in found.tasks} == {
        "greet-1": "open",
        "greet-2": "open",
        "greet-3": "open",
        "greet-4": "dropped",
        "greet-5": "done",
    }
    assert {task.id: (task.depends_on, task.parent) for task in found.tasks[:3]} == {
        "greet-1": ((), None),
        "greet-2": ((), "greet-1"),
        "greet-3": (("greet-2",), "greet-1"),
    }
    assert [note.text for note in found.notes] == ['dependencies of the kind "related" give no order (1 times)']


def test_beads_criteria_stand_in_their_field_or_in_the_description():
    found = open_tasks(FILES / "beads/issues.jsonl")
    assert [(c.text, [p.run for p in c.proposals]) for c in found.task("greet-2").criteria] == [
        ("They stand in one file", []),
        ("They are polite", []),
        ("`python3 -m unittest discover`", ["python3 -m unittest discover"]),
    ]
    assert [c.key for c in found.task("greet-3").criteria] == ["AC1", "AC2"]


def test_beads_a_line_that_is_no_issue_is_refused_or_noted(opened, refused):
    good = '{"id":"a-1","title":"t","issue_type":"task","status":"open"}\n'
    assert "no JSON" in refused(good + '{"id":<-- HERE\n', "i.jsonl").what
    found = opened(good + '{"_type":"memory","id":"m"}\n', "i.jsonl")
    assert [(note.line, note.text) for note in found.notes] == [(2, 'a line of type "memory" is no issue')]


def test_github_one_issue_and_a_list_of_them():
    one, many = open_tasks(FILES / "github/issue.json"), open_tasks(FILES / "github/issues.json")
    assert [(task.id, task.progress, task.labels) for task in one.tasks] == [("12", Progress.OPEN, ("feature",))]
    assert [(task.id, task.progress, task.labels) for task in many.tasks] == [
        ("7", Progress.DONE, ()),
        ("9", Progress.OPEN, ("cli",)),
    ]


def test_github_boxes_are_criteria_and_references_are_dependencies():
    one, many = open_tasks(FILES / "github/issue.json"), open_tasks(FILES / "github/issues.json")
    assert [c.text for c in one.task("12").criteria] == ["`python3 -m greet Ada` succeeds", "It is polite"]
    assert one.task("12").depends_on == ("7", "9")
    assert (many.task("9").depends_on, [c.text for c in many.task("9").criteria]) == (("7",), ["a man page"])
