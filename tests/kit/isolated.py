"""Runs with `--isolate worktree`, and what a repository looks like from outside."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .cards import write_card
from .cli import Ran, waypost, waypost_here
from .repos import git


def run(repo: Path, text: str, *options: str, workspace: Path | None = None, failpoint: str | None = None) -> Ran:
    """An isolated run R of a card, in this process unless it is to be killed."""
    path = write_card(repo.parent, text)
    where = ("--workspace", workspace or repo, "--runs", runs_of(repo), "--run-id", "R", "--json")
    words = ("run", path, *where, "--isolate", "worktree", *options)
    return waypost(*words, cwd=repo, failpoint=failpoint) if failpoint else waypost_here(*words, cwd=repo)


def resume(repo: Path, *options: str, failpoint: str | None = None) -> Ran:
    words = ("resume", "R", "--runs", runs_of(repo), "--json", *options)
    return waypost(*words, cwd=repo, failpoint=failpoint) if failpoint else waypost_here(*words, cwd=repo)


def runs_of(repo: Path) -> Path:
    return repo.parent / "runs"


def run_tree(repo: Path) -> Path:
    """The worktree that merges are made in."""
    return runs_of(repo) / "R" / "worktrees" / "run"


def step_tree(repo: Path, step: str) -> Path:
    return runs_of(repo) / "R" / "worktrees" / "steps" / step


def state_of(repo: Path) -> dict[str, Any]:
    return json.loads(waypost_here("status", "R", "--runs", runs_of(repo), "--json", cwd=repo).out)["state"]


def checkout(repo: Path) -> tuple[str, str, str, dict[str, str]]:
    """What a user can see of a checkout: status, HEAD, branch, and a hash of every file."""
    files = {
        str(path.relative_to(repo)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(repo.rglob("*"))
        if path.is_file() and path.relative_to(repo).parts[0] != ".git"
    }
    return (
        git(repo, "status", "--porcelain", "--ignored"),
        git(repo, "rev-parse", "HEAD"),
        git(repo, "branch", "--show-current"),
        files,
    )


def branches(repo: Path) -> set[str]:
    return set(git(repo, "for-each-ref", "--format=%(refname:short)", "refs/heads").split())


def files_at(repo: Path, commit: str) -> dict[str, str]:
    """Every file of a commit with its text."""
    names = git(repo, "ls-tree", "-r", "--name-only", commit).splitlines()
    return {name: git(repo, "show", f"{commit}:{name}") for name in names}
