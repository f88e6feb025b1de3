"""Backlog.md: one file, or a folder of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from waypost.nodes.formats.foreign import Progress, open_tasks
from waypost.state.errors import TaskFileError

FOLDER = Path(__file__).parents[4] / "examples/formats/backlog"


def test_a_folder_holds_the_tasks_of_tasks_and_completed_with_the_statuses_of_its_configuration():
    found = open_tasks(FOLDER)
    assert [(task.id, task.progress, task.status) for task in found.tasks] == [
        ("GREET-2", Progress.OPEN, "Ready"),
        ("GREET-2.1", Progress.OPEN, "Doing"),
        ("GREET-1", Progress.DONE, "Shipped"),
    ]


def test_ids_are_compared_without_case_and_parts_belong_to_their_whole():
    found = open_tasks(FOLDER)
    assert found.waits_for("GREET-2") == {"GREET-1", "GREET-2.1"}
    assert found.waits_for("GREET-2.1") == {"GREET-1"}


def test_criteria_and_definition_of_done_stand_between_marks_or_below_their_heading():
    found = open_tasks(FOLDER)
    assert {c.key: c.text for c in found.task("GREET-2").criteria} == {
        "AC1": "`python3 -m greet Ada` succeeds",
        "AC2": "The greeting is polite",
        "DOD1": "`make test` passes",
    }
    assert {c.key: c.text for c in found.task("GREET-2.1").criteria} == {
        "AC1": "It knows English",
        "AC2": "It is one function",
    }


def test_a_heading_inside_a_marked_section_belongs_to_it():
    assert "People like it." in open_tasks(FOLDER).task("GREET-2").goal


def test_defaults_for_new_tasks_are_noted_and_not_added():
    assert ["defaults for new tasks" in note.text for note in open_tasks(FOLDER).notes] == [True]


def test_one_file_finds_the_configuration_of_its_folder():
    (task,) = open_tasks(FOLDER / "completed/greet-1 - Project.md").tasks
    assert task.progress is Progress.DONE


def test_a_folder_without_tasks_says_where_it_looked(tmp_path):
    with pytest.raises(TaskFileError, match="is a directory that holds no"):
        open_tasks(tmp_path)


def test_links_in_a_folder_are_not_followed_and_noted(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "backlog")
    secret = tmp_path / "secret.md"
    secret.write_text("---\nid: X-1\ntitle: secret\nstatus: Ready\n---\n")
    (tmp_path / "backlog/tasks/x.md").symlink_to(secret)
    (tmp_path / "backlog/tasks/more").symlink_to(tmp_path)
    found = open_tasks(tmp_path / "backlog")
    assert "X-1" not in found.order.ids
    assert sorted(Path(note.file).name for note in found.notes if "symbolic link" in note.text) == ["more", "x.md"]


@pytest.mark.parametrize(
    "front",
    ["id: &a [*a]<-- HERE", "id: !!python/object:os.system x<-- HERE", "id: [x]<-- HERE", "id: X-1\nid: X-2<-- HERE"],
)
def test_front_matter_that_is_more_than_plain_fields_is_refused(refused, front):
    refused(f"---\nstatus: Ready\n{front}\ntitle: t\n---\n", format="backlog")
