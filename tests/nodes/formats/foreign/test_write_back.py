"""Setting a task to done changes its mark and no other byte."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from waypost.nodes.formats.foreign import Progress, open_tasks
from waypost.nodes.formats.foreign.write_back import Proved, set_done
from waypost.state.errors import TaskFileError

FILES = Path(__file__).parents[4] / "examples/formats"


def done(path, *ids, expected=None, within=None):
    before = (within or path).read_bytes()
    proved = [Proved(id, "waypost run R: report.md") for id in ids]
    return set_done(open_tasks(path), proved, expected or hashlib.sha256(before).hexdigest())


@pytest.fixture
def copy(tmp_path):
    def make(name):
        target = tmp_path / Path(name).name
        (shutil.copytree if (FILES / name).is_dir() else shutil.copy)(FILES / name, target)
        return target

    return make


CHANGED = {
    ("spec-kit/tasks.md", "T006"): (b"- [ ] T006", b"- [x] T006"),
    ("spec-kit/headings.md", "T-002"): (b"**Status**: todo", b"**Status**: done"),
    ("kiro/tasks.md", "2.2"): (b"- [ ]* 2.2", b"- [x]* 2.2"),
    ("task-master/tagged.json", "2.1"): (b'"status": "in-progress"', b'"status": "done"'),
    ("headings/work.md", "GREET-2"): (b"**Status**: Todo <!-- set", b"**Status**: Done <!-- set"),
}


@pytest.mark.parametrize("name", CHANGED, ids=lambda name: name[0])
def test_exactly_the_mark_changes(copy, name):
    path = copy(name[0])
    before = path.read_bytes()
    done(path, name[1])
    assert path.read_bytes() == before.replace(*CHANGED[name], 1) != before


def test_a_backlog_task_gets_the_last_status_of_its_configuration_and_a_line_in_its_notes(copy):
    folder = copy("backlog")
    path = folder / "tasks/greet-2 - Greet-by-name.md"
    before = path.read_text()
    done(folder, "GREET-2", within=path)
    expected = before.replace("status: 'Ready' # not begun", "status: 'Shipped' # not begun").replace(
        "Begin with the words.\n", "Begin with the words.\n- waypost run R: report.md\n"
    )
    assert path.read_text() == expected


def test_a_bead_is_closed_in_its_line_with_the_reason(copy):
    path = copy("beads/issues.jsonl")
    before = path.read_text().splitlines()
    done(path, "greet-2")
    after = path.read_text().splitlines()
    assert [i for i in range(len(before)) if before[i] != after[i]] == [1]
    was, now = json.loads(before[1]), json.loads(after[1])
    assert (now["status"], now["close_reason"], now["closed_at"]) == (
        "closed",
        "waypost run R: report.md",
        now["updated_at"],
    )
    changed = ("status", "close_reason", "closed_at", "updated_at")
    assert {k: v for k, v in now.items() if k not in changed} == {k: v for k, v in was.items() if k not in changed}


def test_line_ends_a_byte_order_mark_and_the_mode_stay(tmp_path):
    path = tmp_path / "tasks.md"
    path.write_bytes(b"\xef\xbb\xbf- [ ] T001 a\r\n- [ ] T002 b\r- [ ] T003 \xc3\xa4")
    path.chmod(0o640)
    done(path, "T001", "T003")
    assert path.read_bytes() == b"\xef\xbb\xbf- [X] T001 a\r\n- [ ] T002 b\r- [X] T003 \xc3\xa4"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["tasks.md"]


def test_a_file_that_changed_meanwhile_is_left_as_it_is(copy):
    path = copy("spec-kit/tasks.md")
    accepted = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes() + b"\n")
    before = path.read_bytes()
    with pytest.raises(TaskFileError, match="changed since its plan was accepted"):
        done(path, "T006", expected=accepted)
    assert path.read_bytes() == before


def test_the_hash_that_comes_back_is_the_one_to_expect_next(copy):
    path = copy("spec-kit/tasks.md")
    first = done(path, "T002")
    second = done(path, "T003", expected=first.sha256)
    assert (first.lines, second.lines) == ((14,), (15,))
    assert second.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_task_that_is_done_already_changes_nothing(copy):
    path = copy("spec-kit/tasks.md")
    before = path.read_bytes()
    assert done(path, "T001").lines == ()
    assert path.read_bytes() == before


@pytest.mark.parametrize(("name", "id"), [("kiro/bold.tasks.md", "2"), ("github/issue.json", "12")])
def test_a_format_without_a_place_for_a_status_is_refused(copy, name, id):
    path = copy(name)
    before = path.read_bytes()
    with pytest.raises(TaskFileError) as caught:
        done(path, id)
    assert path.read_bytes() == before
    assert caught.value.next_step


def test_what_was_written_is_read_as_done(copy):
    for name, id in [("spec-kit/tasks.md", "T006"), ("kiro/tasks.md", "3.1"), ("beads/issues.jsonl", "greet-3")]:
        path = copy(name)
        done(path, id)
        assert open_tasks(path).task(id).progress is Progress.DONE
