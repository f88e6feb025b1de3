"""How git is started: whatever it prints, whoever goes on, and where it does not end."""

from __future__ import annotations

import pytest
from kit.repos import make_repo
from waypost.nodes import git as module
from waypost.nodes.git import StartedGit, try_git
from waypost.state.errors import WorkspaceError


@pytest.fixture
def repo(tmp_path):
    return make_repo(tmp_path / "repo", {"a": "x"})


def test_more_than_a_pipe_holds_is_read_and_given_whole(repo):
    content = bytes(range(256)) * 8192
    id = try_git(repo, "hash-object", "-w", "--stdin", stdin=content).text
    assert try_git(repo, "cat-file", "blob", id).out == content


def test_what_git_complains_about_is_told_with_its_exit_code(repo):
    said = try_git(repo, "rev-parse", "--verify", "nothing")
    assert said.code == 128
    assert "Needed a single revision" in said.err


def test_a_git_that_does_not_end_is_killed_and_is_an_error(repo, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    started = StartedGit(repo, "-c", "alias.hang=!exec sleep 5", "hang")
    with pytest.raises(WorkspaceError, match="cannot be run"):
        started.wait()


def test_a_git_that_cannot_be_started_is_an_error(repo, monkeypatch):
    monkeypatch.setenv("PATH", str(repo))
    with pytest.raises(WorkspaceError, match="cannot be run"):
        try_git(repo, "status")


def test_where_no_more_files_can_be_opened_it_is_an_error_too(repo, monkeypatch):
    def full(_name: str) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(module.os, "memfd_create", full)
    with pytest.raises(WorkspaceError, match="cannot be run"):
        try_git(repo, "status")
