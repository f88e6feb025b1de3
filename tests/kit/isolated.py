"""Runs with `--isolate worktree`, and what a repository looks like from outside."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .cards import write_card
from .cli import Ran, waypost_here
from .repos import git


def run_words(repo: Path, text: str, *options: str, workspace: Path | None = None) -> list[str | Path]:
    """The words of an isolated run R of a card."""
    path = write_card(repo.parent, text)
    where = ("--workspace", workspace or repo, "--runs", runs_of(repo), "--run-id", "R", "--json")
    return ["run", path, *where, "--isolate", "worktree", *options]


def resume_words(repo: Path, *options: str) -> list[str | Path]:
    return ["resume", "R", "--runs", runs_of(repo), "--json", *options]


def run(repo: Path, text: str, *options: str, workspace: Path | None = None) -> Ran:
    return waypost_here(*run_words(repo, text, *options, workspace=workspace), cwd=repo)


def resume(repo: Path, *options: str) -> Ran:
    return waypost_here(*resume_words(repo, *options), cwd=repo)


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
