"""What changed since the first step, as git sees it: nothing is missed, nothing of before is blamed."""

from __future__ import annotations

import os

import pytest
from kit.repos import git
from waypost.nodes.checks.scope import judge_changes
from waypost.nodes.checks.workspace import Change, changes_since, read_baseline
from waypost.state.errors import WorkspaceError


def changed(repo, baseline):
    return [(change.path, change.kind) for change in changes_since(repo, baseline, runs_dir=repo / ".artifacts")]


def baseline_of(repo):
    return read_baseline(repo, runs_dir=repo / ".artifacts")


def test_nothing_changed_is_nothing(repo):
    assert changed(repo, baseline_of(repo)) == []


def test_modified_added_deleted_and_untracked_files_are_found(repo):
    (repo / "old").write_text("x")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "more")
    baseline = baseline_of(repo)
    (repo / "README").write_text("changed")
    (repo / "old").unlink()
    (repo / "staged").write_text("x")
    git(repo, "add", "staged")
    (repo / "new file\n").write_text("x")
    assert changed(repo, baseline) == [
        ("README", "modified"),
        ("new file\n", "untracked"),
        ("old", "deleted"),
        ("staged", "added"),
    ]


def test_a_commit_does_not_hide_a_change(repo):
    baseline = baseline_of(repo)
    (repo / "README").write_text("changed")
    git(repo, "commit", "-qam", "quietly")
    assert changed(repo, baseline) == [("README", "modified")]


def test_files_that_were_dirty_before_count_only_if_they_changed_again(repo):
    (repo / "README").write_text("dirty")
    (repo / "mine").write_text("untracked")
    baseline = baseline_of(repo)
    assert changed(repo, baseline) == []
    (repo / "mine").write_text("touched")
    git(repo, "checkout", "-q", "README")
    assert changed(repo, baseline) == [("README", "modified"), ("mine", "untracked")]


def test_a_mode_change_is_found(repo):
    baseline = baseline_of(repo)
    os.chmod(repo / "README", 0o755)
    assert changed(repo, baseline) == [("README", "modified")]


def test_the_runs_folder_is_not_part_of_the_work(repo):
    baseline = baseline_of(repo)
    (repo / ".artifacts").mkdir()
    (repo / ".artifacts" / "ledger.jsonl").write_text("x")
    assert changed(repo, baseline) == []


def test_a_change_beside_a_workspace_that_is_a_subfolder_is_found_and_never_allowed(repo):
    (repo / "sub").mkdir()
    baseline = baseline_of(repo / "sub")
    (repo / "README").write_text("changed")
    changes = changes_since(repo / "sub", baseline, runs_dir=repo / ".artifacts")
    assert changes == (Change("../README", "modified"),)
    assert judge_changes(changes, ("**",)) == [(changes[0], False)]


def test_a_repository_cannot_make_us_run_a_program(repo):
    git(repo, "config", "core.fsmonitor", f"touch {repo}/owned; false")
    git(repo, "config", "diff.external", f"touch {repo}/owned")
    baseline = baseline_of(repo)
    (repo / "README").write_text("changed")
    assert changed(repo, baseline) == [("README", "modified")]


def test_globs_decide_what_is_inside():
    changes = (Change("src/a.py", "added"), Change("src/deep/b.py", "added"), Change("tests/c.py", "modified"))
    assert [allowed for _, allowed in judge_changes(changes, ("src/**",))] == [True, True, False]
    assert [allowed for _, allowed in judge_changes(changes, ())] == [True, True, True]


@pytest.mark.parametrize("kind", ["no folder", "no repository", "no commit"])
def test_a_workspace_that_is_no_repository_with_a_commit_is_refused(tmp_path, kind):
    folder = tmp_path / "w"
    if kind != "no folder":
        folder.mkdir()
    if kind == "no commit":
        git(folder, "init", "-q")
    with pytest.raises(WorkspaceError):
        read_baseline(folder, runs_dir=tmp_path / "runs")
