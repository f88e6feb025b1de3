"""Bad input: a clear message, exit code 2, and nothing written outside the runs folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from kit.cards import card, step_part, steps_card, write_card
from kit.cli import waypost, waypost_here
from kit.repos import git

GOOD = card(bash="echo x > out.txt")
STEP_LOOP = steps_card(step_part("S1", "true", "true", "S2"), step_part("S2", "true", "true", "S1"))


def no_file(folder: Path) -> Path:
    return folder / "nowhere.md"


def a_folder(folder: Path) -> Path:
    return folder


def binary(folder: Path) -> Path:
    path = folder / "tasks.md"
    path.write_bytes(bytes(range(256)) * 10)
    return path


def ten_megabytes(folder: Path) -> Path:
    return write_card(folder, GOOD + "x" * 10_000_000)


def empty(folder: Path) -> Path:
    return write_card(folder, "")


def two_tasks_with_one_id(folder: Path) -> Path:
    return write_card(folder, GOOD + "\n" + GOOD)


def duplicate_steps(folder: Path) -> Path:
    return write_card(folder, steps_card(step_part("S1", "true", "true"), step_part("S1", "true", "true")))


def a_cycle(folder: Path) -> Path:
    return write_card(folder, STEP_LOOP)


def a_task_id_with_dots(folder: Path) -> Path:
    return write_card(folder, GOOD.replace("T-1", "../T-1"))


def a_task_id_of_300_characters(folder: Path) -> Path:
    return write_card(folder, GOOD.replace("T-1", "T" * 300))


def a_unicode_task_id(folder: Path) -> Path:
    return write_card(folder, GOOD.replace("T-1", "Tå-1"))


FILES = {
    no_file: "nowhere.md",
    a_folder: "directory",
    binary: "tasks.md",
    ten_megabytes: "tasks.md",
    empty: "tasks.md",
    two_tasks_with_one_id: "T-1",
    duplicate_steps: "S1",
    a_cycle: "circle",
    a_task_id_with_dots: "../T-1",
    a_task_id_of_300_characters: "300",
    a_unicode_task_id: "Tå-1",
}


@pytest.fixture
def untouched(repo):
    """Whatever a test gives to `waypost`, the repository stays as it was."""
    yield repo
    assert git(repo, "status", "--porcelain", "--ignored") == ""


def refused(ran, said: str) -> None:
    assert ran.code == 2, ran
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(("make", "said"), FILES.items(), ids=lambda item: getattr(item, "__name__", ""))
def test_a_task_file_that_cannot_be_used_is_refused(untouched, tmp_path, make, said):
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    ran = waypost_here("run", make(inputs), "--workspace", untouched, "--runs", tmp_path / "runs", cwd=untouched)
    refused(ran, said)
    assert not (tmp_path / "runs").exists()


def test_a_task_that_the_file_does_not_have_is_refused_and_the_known_ones_are_named(untouched, tmp_path):
    path = write_card(tmp_path, GOOD)
    ran = waypost_here(
        "run", path, "--task", "T-9", "--workspace", untouched, "--runs", tmp_path / "runs", cwd=untouched
    )
    refused(ran, "T-9")
    assert "T-1" in ran.err


def test_a_workspace_that_is_no_repository_is_refused(tmp_path):
    path = write_card(tmp_path, GOOD)
    (tmp_path / "w").mkdir()
    ran = waypost_here("run", path, "--workspace", tmp_path / "w", "--runs", tmp_path / "runs", cwd=tmp_path)
    refused(ran, "no git repository")


@pytest.mark.parametrize(
    "run_id", ["../x", "a/b", "/etc/x", "x" * 300, "rün", "", ".", "..", "-x", "a b", "con", "x\n"], ids=repr
)
@pytest.mark.parametrize("verb", ["run", "resume", "status"])
def test_a_run_id_that_is_no_safe_name_is_refused(untouched, tmp_path, verb, run_id):
    if verb != "run" and run_id in ("", "-x"):
        pytest.skip("an empty id means all runs, and a dash begins an option")
    path = write_card(tmp_path, GOOD)
    arguments = {
        "run": ("run", path, "--workspace", untouched, f"--run-id={run_id}"),
        "resume": ("resume", run_id),
        "status": ("status", run_id),
    }[verb]
    refused(waypost_here(*arguments, "--runs", tmp_path / "runs", cwd=untouched), "run id")
    assert not (tmp_path / "runs").exists()


def test_a_run_id_that_is_taken_is_refused_and_says_how_to_resume_it(repo, tmp_path):
    path = write_card(tmp_path, GOOD)
    options = ("--workspace", repo, "--runs", tmp_path / "runs", "--run-id", "mine")
    assert waypost_here("run", path, *options, cwd=repo).code == 0
    again = waypost_here("run", path, *options, cwd=repo)
    refused(again, "stands in")
    assert "waypost resume mine" in again.err


@pytest.mark.parametrize("verb", ["resume", "status"])
def test_a_run_that_does_not_exist_is_refused(untouched, tmp_path, verb):
    refused(waypost_here(verb, "nobody", "--runs", tmp_path / "runs", cwd=untouched), "there is no run nobody")


def test_an_unknown_worker_is_refused_before_anything_is_made(untouched, tmp_path):
    path = write_card(tmp_path, GOOD)
    ran = waypost_here(
        "run", path, "--worker", "gpt", "--workspace", untouched, "--runs", tmp_path / "runs", cwd=untouched
    )
    refused(ran, "scripted, shell")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("kind", ["file", "below a file", "read-only file system"])
def test_a_runs_folder_that_cannot_be_used_is_refused(untouched, tmp_path, kind):
    path = write_card(tmp_path, GOOD)
    (tmp_path / "file").write_text("x")
    below = tmp_path / "file" / "runs"
    runs = {"file": tmp_path / "file", "below a file": below, "read-only file system": "/proc/runs"}
    ran = waypost_here("run", path, "--workspace", untouched, "--runs", runs[kind], cwd=untouched)
    refused(ran, "runs folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_runs_folder_is_refused(untouched, tmp_path):
    path = write_card(tmp_path, GOOD)
    (tmp_path / "runs").mkdir(mode=0o500)
    ran = waypost_here("run", path, "--workspace", untouched, "--runs", tmp_path / "runs", cwd=untouched)
    refused(ran, "runs folder")


def test_in_a_process_of_its_own_a_mistake_has_no_traceback_either(untouched, tmp_path):
    refused(waypost("run", tmp_path / "gone.md", "--workspace", untouched, cwd=untouched), "gone.md")


@pytest.mark.parametrize("arguments", [("run",), ("fly",), ("run", "x.md", "--max-rework", "-1"), ("schema", "x")])
def test_wrong_usage_exits_with_2(tmp_path, arguments):
    assert waypost_here(*arguments, cwd=tmp_path).code == 2


def test_with_json_an_error_is_one_json_object(untouched, tmp_path):
    ran = waypost_here("run", tmp_path / "gone.md", "--workspace", untouched, "--json", cwd=untouched)
    assert ran.code == 2
    assert ran.err == ""
    assert (ran.result["event"], ran.result["error"], ran.result["exit_code"]) == ("error", "TaskFileError", 2)
