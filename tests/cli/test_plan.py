"""`waypost plan`, and `waypost run` of a file that is no card: shown, accepted, run, written back."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
from kit.cards import card, write_card
from kit.cli import command, environment, waypost_here
from kit.repos import git

FILES = Path(__file__).parents[2] / "examples/formats"
WORK = """# Work

## G-1: Greet

**Goal**: a greeting

**Status**: todo

**Actions**

```bash
echo hi > hi.txt
```

**Acceptance**

- `test -s hi.txt` passes
"""


@pytest.fixture
def work(repo):
    """A repository with a task file that is no card, and the options of a run of it."""
    path = repo / "work.md"
    path.write_text(WORK)
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "work")
    return path


def run(work, *options):
    return waypost_here("run", work.name, *options, cwd=work.parent)


def test_a_plan_shows_order_criteria_checks_and_what_cannot_be_proved():
    ran = waypost_here("plan", FILES / "spec-kit/tasks.md", cwd=FILES)
    assert ran.code == 0
    for line in (
        "order       T002, T003, T004, T006",
        "waits for   T002; not done in the file: T002",
        "check       python3 -m unittest discover  (line 17)",
        "not run     git status: exits 0 whatever it finds",
        'UNVERIFIABLE; add to waypost.checks.toml: [task."T004"."done"] run = "COMMAND"',
        "done        T001: Create the package in greet/__init__.py",
    ):
        assert line in ran.out


def test_a_plan_as_json_has_a_line_per_task_and_the_digest_last():
    ran = waypost_here("plan", FILES / "task-master/tagged.json", "--json", cwd=FILES)
    *tasks, last = ran.events
    assert [task["id"] for task in tasks] == ["1", "2", "2.1", "2.2", "3"]
    assert (last["format"], last["unverifiable_tasks"], len(last["digest"])) == ("task-master", 3, 64)
    assert tasks[3]["criteria"][0]["checks"] == ["make test"]


def test_one_task_is_shown_in_full_also_if_it_is_done():
    ran = waypost_here("plan", FILES / "spec-kit/tasks.md", "--task", "T001", cwd=FILES)
    assert "task        T001" in ran.out
    assert "T002:" not in ran.out


def test_a_card_has_a_plan_as_well(tmp_path):
    path = write_card(tmp_path, card(verify="make test"))
    assert "check       make test" in waypost_here("plan", path, cwd=tmp_path).out


@pytest.mark.parametrize("options", [("--task", "T9"), ("--format", "word"), ("--tag", "x")])
def test_what_is_not_there_is_refused(options):
    name = "task-master/tagged.json" if "--tag" in options else "spec-kit/tasks.md"
    assert waypost_here("plan", FILES / name, *options, cwd=FILES).code == 2


def test_without_a_terminal_and_an_option_nothing_is_run_or_made(work):
    ran = run(work)
    assert (ran.code, "nobody accepted this plan" in ran.err) == (2, True)
    assert "the shell worker runs, from line 11:" in ran.out
    assert "echo hi > hi.txt" in ran.out
    assert git(work.parent, "status", "--porcelain", "--ignored") == ""


def test_yes_accepts_and_the_run_keeps_what_was_accepted(work):
    ran = run(work, "--yes", "--json")
    assert (ran.code, ran.result["status"]) == (0, "DONE")
    request = json.loads((Path(ran.result["run_dir"]) / "request.json").read_text())
    accepted = request["acceptance"]
    assert (accepted["how"], accepted["format"]) == ("--yes", "headings")
    assert list(accepted["files"]) == [str(work.resolve())]
    assert work.read_text() == WORK


def test_a_digest_accepts_only_the_bytes_it_was_made_from(work):
    digest = waypost_here("plan", work, "--json", cwd=work.parent).result["digest"]
    work.write_text(WORK.replace("echo hi", "echo ho"))
    assert "not the plan that --accept names" in run(work, "--accept", digest).err
    assert not (work.parent / "hi.txt").exists()
    work.write_text(WORK)
    assert run(work, "--accept", digest).code == 0


def test_a_changed_sidecar_is_another_plan(work):
    digest = waypost_here("plan", work, "--json", cwd=work.parent).result["digest"]
    (work.parent / "waypost.checks.toml").write_text('[task.G-1.AC1]\nrun = "touch evil"\n')
    assert run(work, "--accept", digest).code == 2


@pytest.mark.parametrize("digest", ["", "a", "0" * 64])
def test_a_digest_that_is_too_short_or_another_one_accepts_nothing(work, digest):
    assert run(work, "--accept", digest).code == 2
    assert not (work.parent / "hi.txt").exists()


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 2)])
def test_on_a_terminal_it_asks(work, answer, code):
    ours, theirs = pty.openpty()
    arguments = command("run", work.name, "--worker", "shell")
    process = subprocess.Popen(
        arguments, cwd=work.parent, env={**environment(), "TERM": "dumb"}, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(ours, 4096)
    assert b"echo hi > hi.txt" in shown
    os.write(ours, answer.encode())
    try:
        while os.read(ours, 4096):
            pass
    except OSError:
        pass
    os.close(ours)
    assert process.wait(60) == code
    assert (work.parent / "hi.txt").exists() == (code == 0)


def test_a_done_task_is_written_back_and_nothing_else_in_the_file(work):
    ran = run(work, "--yes", "--write-back")
    assert ran.code == 0
    assert f"written     {work.resolve()}:7" in ran.out
    assert work.read_text() == WORK.replace("**Status**: todo", "**Status**: done")


def test_resume_writes_back_what_a_killed_process_did_not(work):
    ran = run(work, "--yes", "--write-back", "--json")
    work.write_text(WORK)
    assert waypost_here("resume", ran.run_id, cwd=work.parent).code == 0
    assert "**Status**: done" in work.read_text()
    assert "said so before" in waypost_here("resume", ran.run_id, cwd=work.parent).out


def test_evidence_that_was_changed_is_not_written_back(work):
    ran = run(work, "--yes", "--write-back", "--json")
    work.write_text(WORK)
    Path(ran.result["evidence"][0]).write_text("all is well")
    again = waypost_here("resume", ran.run_id, cwd=work.parent)
    assert (again.code, "not the evidence that the run left" in again.err) == (1, True)
    assert work.read_text() == WORK


def test_a_task_that_is_not_done_is_not_written_back(work):
    work.write_text(WORK.replace("test -s hi.txt", "test -s ho.txt"))
    before = work.read_text()
    assert run(work, "--yes", "--write-back", "--max-rework", "0").code == 3
    assert work.read_text() == before


def test_a_file_that_the_worker_changed_is_not_written_back_and_that_is_said(work):
    work.write_text(WORK.replace("echo hi > hi.txt", "echo hi > hi.txt; echo >> work.md"))
    ran = run(work, "--yes", "--write-back")
    assert (ran.code, "changed since its plan was accepted" in ran.err) == (2, True)
    assert "**Status**: todo" in work.read_text()


def test_a_criterion_that_nothing_proves_blocks_and_names_the_sidecar(work):
    work.write_text(WORK.replace("`test -s hi.txt` passes", "it is polite"))
    ran = run(work, "--yes")
    assert ran.code == 3
    assert '[task."G-1"."AC1"] with run = "COMMAND" to waypost.checks.toml' in ran.out
    (work.parent / "waypost.checks.toml").write_text('[task.G-1.AC1]\nrun = "grep -q hi hi.txt"\n')
    assert run(work, "--yes").code == 0
