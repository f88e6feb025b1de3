"""Nothing in a task file runs, writes or reads anything before its plan was shown and accepted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from kit.cli import waypost_here
from kit.repos import git

SECRET = "the-content-of-a-secret-file"
HOSTILE = {
    "include.md": "- [ ] T001 a\n\n!include ../secret.txt\n{{ include('../secret.txt') }}\n"
    "<!--#include file='../secret.txt'-->\n",
    "html.md": "- [ ] T001 <script>touch('evil')</script> <img src=../secret.txt> a\n",
    "substitution.md": "- [ ] T001 Run `$(touch evil)`, `touch evil` and <(cat ../secret.txt)\n",
    "tags.md": "---\nid: !!python/object/apply:os.system ['touch evil']\nstatus: x\n---\n",
    "anchors.md": "---\nid: X-1\nstatus: x\n"
    + "a0: &a0 [x, x]\n"
    + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    + "---\n",
    "merge.md": "---\nid: X-1\nstatus: x\n<<: {a: b}\ntitle: t\n---\n",
    "path.json": json.dumps({"tasks": [{"id": "../../evil", "title": "t", "status": "pending"}]}),
    "slash.jsonl": json.dumps({"id": "/etc/evil", "title": "t", "status": "open", "issue_type": "task"}) + "\n",
    "deep.json": '{"tasks": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "deep.jsonl": '{"id": "a", "title": "t", "issue_type": ' + "[" * 100_000 + "]" * 100_000 + "}\n",
    "quotes.md": "- [ ] T001 a\n" + "> " * 20_000 + "b\n",
    "lists.md": "- [ ] T001 a\n" + "".join("  " * i + "- b\n" for i in range(400)),
    "escape.json": json.dumps([{"number": 1, "title": "t \x1b]0;evil\x07 \x1b[2J", "body": "\u202e", "state": "OPEN"}]),
    "escape.md": "- [ ] T001 a \x1b[2J\n",
    "nul.md": "- [ ] T001 a \0\n",
    "outputs.md": "## A-1: a\n\n**Goal**: g\n\n**Acceptance**: a\n\n**Deliverables**: `../../evil`, `/etc/passwd`\n",
}  # fmt: skip


@pytest.fixture
def place(repo, tmp_path):
    (tmp_path / "secret.txt").write_text(SECRET)
    return repo


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_hostile_file_is_shown_or_refused_and_does_nothing(place, tmp_path, name, verb):
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    (inputs / name).write_text(HOSTILE[name])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if ".git" not in path.parts}
    ran = waypost_here(verb, inputs / name, cwd=place)
    assert ran.code == (2 if verb == "run" else ran.code)
    assert ran.code in (0, 2)
    assert git(place, "status", "--porcelain", "--ignored") == ""
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if ".git" not in path.parts} == before
    shown = ran.out + ran.err
    assert SECRET not in shown
    assert not [c for c in shown if c != "\n" and not c.isprintable()]
    assert "Traceback" not in shown


@pytest.mark.parametrize("name", ["path.json", "slash.jsonl"])
def test_an_id_that_is_no_safe_name_is_listed_and_cannot_be_run(place, tmp_path, name):
    (tmp_path / name).write_text(HOSTILE[name])
    ran = waypost_here("run", tmp_path / name, "--yes", cwd=place)
    assert (ran.code, "no safe name" in ran.err) == (2, True)


def test_a_link_from_the_task_file_is_followed_only_where_the_user_named_it(place, tmp_path):
    (tmp_path / "real.md").write_text("- [ ] T001 a\n")
    (place / "link.md").symlink_to(tmp_path / "real.md")
    assert waypost_here("plan", "link.md", cwd=place).code == 0


@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_what_is_no_file_is_refused(place, tmp_path, kind):
    path = {"device": Path("/dev/zero"), "folder": tmp_path}.get(kind, tmp_path / "pipe")
    if kind == "fifo":
        os.mkfifo(path)
    assert waypost_here("plan", path, cwd=place).code == 2
