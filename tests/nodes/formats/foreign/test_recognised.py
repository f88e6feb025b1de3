"""A file goes to the reader of the format that its content is in; the name of the file says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.cards import card
from waypost.nodes.formats.foreign import FORMATS, open_tasks
from waypost.state.errors import TaskFileError

ROOT = Path(__file__).parents[4]
FILES = ROOT / "examples/formats"
FORMAT_OF = {
    "spec-kit/tasks.md": "spec-kit",
    "spec-kit/headings.md": "spec-kit",
    "task-master/tagged.json": "task-master",
    "task-master/plain.json": "task-master",
    "backlog": "backlog",
    "backlog/tasks/greet-2 - Greet-by-name.md": "backlog",
    "kiro/tasks.md": "kiro",
    "kiro/waves.tasks.md": "kiro",
    "kiro/headings.tasks.md": "kiro",
    "kiro/bold.tasks.md": "kiro",
    "beads/issues.jsonl": "beads",
    "github/issue.json": "github",
    "github/issues.json": "github",
    "headings/work.md": "headings",
    "../bugfix/tasks.md": "card",
    "../dkt-003/tasks.md": "card",
}


@pytest.mark.parametrize("name", FORMAT_OF)
def test_the_content_tells_the_format(name):
    assert open_tasks(FILES / name).format == FORMAT_OF[name]


def test_every_sample_of_ours_is_named_here():
    there = {str(path.relative_to(FILES)) for path in FILES.rglob("*") if path.is_file()}
    beside = {"kiro/requirements.md"} | {name for name in there if name.startswith("backlog/")}
    assert there - beside <= set(FORMAT_OF)


@pytest.mark.parametrize("name", [name for name, format in FORMAT_OF.items() if format != "card"])
def test_naming_the_format_reads_the_same(name):
    named, found = open_tasks(FILES / name, FORMAT_OF[name]), open_tasks(FILES / name)
    assert (named.tasks, named.digest) == (found.tasks, found.digest)


def test_a_card_in_any_of_its_forms_stays_a_card(opened):
    yaml = "id: A-1\ntitle: t\ngoal: g\nactions: [do]\n"
    assert opened(card(), "a.md").format == "card"
    assert opened(yaml, "a.yaml").format == "card"
    assert opened('{"id": "A-1", "title": "t", "goal": "g", "actions": ["do"]}', "a.json").format == "card"


def test_a_broken_card_is_told_what_is_wrong_in_it_and_not_taken_for_another_format(refused):
    error = refused("### Task A-1: t\n\n**Goal**: g\n\n**Acceptance Critera**<-- HERE\n\n- a\n")
    assert "unknown field" in error.what


def test_an_unknown_file_is_refused_with_all_that_was_tried(refused):
    error = refused("Just some text.<-- HERE\n", "notes.txt")
    assert set(error.facts) == {*FORMATS, "expected"} - {"prose"}
    assert "--format" in error.next_step
    assert "--model" in error.next_step


def test_a_file_that_looks_like_two_formats_asks_which_one(refused):
    error = refused("- [ ] T001 a<-- HERE\n- [ ] 1. b\n")
    assert set(error.facts) == {"spec-kit", "kiro"}
    assert "--format" in error.next_step


def test_the_named_format_decides_where_two_are_possible(opened):
    text = "- [ ] T001 a\n- [ ] 1. b\n"
    assert [task.id for task in opened(text, format="kiro").tasks] == ["1"]
    assert [task.id for task in opened(text, format="spec-kit").tasks] == ["T001"]


def test_a_format_that_does_not_exist_is_refused(opened):
    with pytest.raises(TaskFileError, match='no format "word"') as caught:
        opened("- [ ] T001 a\n", format="word")
    assert caught.value.facts == {"known": ", ".join(FORMATS)}


@pytest.mark.parametrize("format", ["spec-kit", "kiro", "beads", "task-master", "github", "headings", "backlog"])
def test_a_file_that_is_not_in_the_named_format_is_refused(opened, format):
    with pytest.raises(TaskFileError) as caught:
        opened("text\n", "a.txt", format=format)
    assert caught.value.line is not None


def test_the_digest_changes_with_every_byte_that_was_read(tmp_path, opened):
    first = opened("- [ ] 1. a\n").digest
    assert opened("- [ ] 1. a\n\n").digest != first
    (tmp_path / "requirements.md").write_text("# nothing\n")
    with_requirements = opened("- [ ] 1. a\n").digest
    assert with_requirements != first
    (tmp_path / "waypost.checks.toml").write_text("# nothing\n")
    assert opened("- [ ] 1. a\n").digest != with_requirements
