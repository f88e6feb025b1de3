"""One worktree: whatever a killed git or a worker left there, it is put to its commit; nothing outside is touched."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from kit.repos import git, make_repo
from waypost.nodes.git import try_git
from waypost.nodes.isolate.names import run_branch, step_branch
from waypost.nodes.isolate.repository import Repository
from waypost.nodes.isolate.worktree import CannotCommit, Worktree

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def tree(repo, tmp_path):
    """A worktree that holds the first commit."""
    made = Worktree(Repository.at(repo), tmp_path / "trees" / "S1", "waypost-step/R/S1")
    place(made, git(repo, "rev-parse", "HEAD"))
    return made


def place(tree, commit):
    with tree.locked() as mine:
        mine.place(commit)


def snapshot(tree, floor):
    with tree.locked() as mine:
        return mine.snapshot(floor, "work", AT)


def base(tree):
    return git(tree.repo.top, "rev-parse", "main")


def clean_at(tree, commit):
    head = git(tree.path, "rev-parse", "HEAD")
    return (git(tree.path, "branch", "--show-current"), head, git(tree.path, "status", "--porcelain")) == (
        (tree.branch, commit, "")
    )


def test_the_same_work_committed_again_is_the_same_commit(tree):
    (tree.path / "new").write_text("x")
    first = snapshot(tree, base(tree))
    git(tree.path, "update-ref", "refs/heads/waypost-step/R/S1", base(tree))
    assert snapshot(tree, base(tree)) == first
    assert git(tree.path, "log", "--format=%s %aI") == "work 2026-01-01T00:00:00+00:00\nstart " + git(
        tree.path, "log", "-1", "--format=%aI", "main"
    )


def test_nothing_new_is_no_commit(tree):
    assert snapshot(tree, base(tree)) == base(tree)


def test_commits_of_a_worker_are_kept_and_what_it_did_not_commit_comes_on_top(tree):
    (tree.path / "a").write_text("a")
    git(tree.path, "add", "a")
    git(tree.path, "commit", "-qm", "by the worker")
    (tree.path / "b").write_text("b")
    snapshot(tree, base(tree))
    assert git(tree.path, "log", "--format=%s", tree.branch).splitlines() == ["work", "by the worker", "start"]


@pytest.mark.parametrize("moved", ["detached", "another branch", "orphan"])
def test_a_worker_that_leaves_its_branch_takes_no_work_with_it(tree, moved):
    words = {
        "detached": ("checkout", "-q", "--detach"),
        "another branch": ("checkout", "-qb", "x"),
        "orphan": ("checkout", "-q", "--orphan", "y"),
    }
    git(tree.path, *words[moved])
    (tree.path / "a").write_text("a")
    git(tree.path, "add", "-A")
    git(tree.path, "commit", "-qm", "elsewhere")
    commit = snapshot(tree, base(tree))
    assert git(tree.path, "show", f"{commit}:a") == "a"
    assert git(tree.path, "merge-base", base(tree), commit) == base(tree)
    place(tree, commit)
    assert clean_at(tree, commit)


def test_what_git_cannot_commit_is_an_error_of_its_own(tree):
    git(tree.path, "init", "-q", "inner")
    with pytest.raises(CannotCommit):
        snapshot(tree, base(tree))
    shutil.rmtree(tree.path)
    with pytest.raises(CannotCommit):
        snapshot(tree, base(tree))


@pytest.mark.parametrize("name", ["index.lock", "HEAD.lock", "waypost-index.lock"])
def test_a_lock_that_a_killed_git_left_in_the_worktree_is_no_hindrance(tree, name):
    (tree.admin() / name).touch()
    (tree.path / "new").write_text("x")
    place(tree, base(tree))
    assert clean_at(tree, base(tree))


def test_a_lock_that_a_killed_git_left_on_a_branch_of_ours_is_no_hindrance(tree):
    (tree.repo.common / "refs/heads/waypost-step/R/S1.lock").touch()
    (tree.path / "new").write_text("x")
    assert snapshot(tree, base(tree)) != base(tree)


def test_a_merge_that_was_cut_short_is_made_again(tree):
    (tree.path / "a").write_text("theirs\n")
    theirs = snapshot(tree, base(tree))
    place(tree, base(tree))
    (tree.path / "a").write_text("ours\n")
    ours = snapshot(tree, base(tree))
    with tree.locked() as mine:
        assert mine.merge(ours, theirs, "m") == ("a",)
        assert mine.merge(ours, theirs, "m") == ("a",)
        mine.place(ours)
    assert clean_at(tree, ours)


@pytest.mark.parametrize("half", ["no .git", "empty", "no folder", "locked", "no HEAD", "foreign folder"])
def test_a_half_made_worktree_is_made_anew_and_never_mistaken_for_the_repository_around_it(tmp_path, half):
    repo = make_repo(tmp_path / "repo")
    # Inside the checkout: without its `.git`, git would take it for a part of the user's own files.
    tree = Worktree(Repository.at(repo), repo / ".artifacts" / "S1", "waypost-step/R/S1")
    place(tree, base(tree))
    (repo / "README").write_text("the user's work")
    admin = tree.admin()
    if half in ("no .git", "locked"):
        (tree.path / ".git").unlink()
    if half in ("empty", "no folder", "foreign folder"):
        shutil.rmtree(tree.path)
    if half == "empty":
        tree.path.mkdir()
    if half == "foreign folder":
        tree.path.mkdir()
        (tree.path / ".git").write_text(f"gitdir: {repo}/.git\n")
    if half == "locked":
        (admin / "locked").write_text("initializing")
    if half == "no HEAD":
        (admin / "HEAD").write_text("")
    place(tree, base(tree))
    assert clean_at(tree, base(tree))
    assert (repo / "README").read_text() == "the user's work"
    assert git(repo, "rev-parse", "--abbrev-ref", "HEAD") == "main"


def test_a_git_that_outlives_us_keeps_others_out(repo):
    with Repository.at(repo).locked() as mine:
        read, write = os.pipe()
        os.set_inheritable(read, True)
        alias = f"alias.wait=!cat <&{read}"
        child = subprocess.Popen(
            ["git", "-C", str(repo), "-c", alias, "wait"], pass_fds=(read, mine.lock), stdout=subprocess.DEVNULL
        )
    with open(repo / ".git" / "waypost.lock", "w") as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(write)
        child.wait()
        os.close(read)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_every_git_we_start_under_the_lock_holds_it(repo):
    with Repository.at(repo).locked() as mine:
        said = mine.try_git("-c", "alias.fds=!ls -l /proc/$PPID/fd", "fds")
    assert "waypost.lock" in said.out.decode()


def test_git_is_run_without_what_could_lead_it_elsewhere(repo, tmp_path, monkeypatch):
    other = make_repo(tmp_path / "other", {"x": "1"})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert try_git(repo, "ls-files").text == "README"


def test_a_replacement_cannot_show_other_files_under_a_commits_id(repo):
    first = git(repo, "rev-parse", "HEAD")
    (repo / "evil").write_text("x")
    git(repo, "add", "evil")
    git(repo, "commit", "-qm", "evil")
    git(repo, "replace", first, "HEAD")
    assert try_git(repo, "ls-tree", "--name-only", first).text == "README"


def test_no_two_ids_share_a_branch_and_every_name_is_one_that_git_takes():
    ids = ["a", "a.lock", "a..b", "a.b", "a.b.lock", "run", "A", "a-1", "steps"]
    names = [run_branch(run) for run in ids] + [step_branch(run, step) for run in ids for step in ids]
    assert len(set(names)) == len(names)
    assert all(subprocess.run(["git", "check-ref-format", "--branch", name]).returncode == 0 for name in names)
    assert not [(a, b) for a in names for b in names if b.startswith(f"{a}/")]
