"""What git knows about the workspace: its commit, and what differs from the state before the first step."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...state.errors import WorkspaceError
from ...state.pipeline import Baseline
from ..git import git
from ..workers.files import sha256_file
from .unhidden import ignored_outside, plain_index, unhidden

_DIFF = ("diff", "--name-status", "-z", "--no-renames", "--no-ext-diff")
ABSENT = "absent"
_KINDS = {"A": "added", "M": "modified", "D": "deleted", "T": "modified"}


@dataclass(frozen=True, order=True)
class Change:
    """One path that differs from the baseline, relative to the workspace (`../` where it lies beside it)."""

    path: str
    kind: str


def read_baseline(workspace: Path, *, runs_dir: Path) -> Baseline:
    """The commit of the workspace and the files that differ from it now.

    Raises:
        WorkspaceError: no git repository, no commit yet, or git is missing.
    """
    if not workspace.is_dir():
        raise WorkspaceError(f"workspace {workspace} is no folder", next_step="give a git repository: --workspace DIR")
    try:
        commit = git(workspace, "rev-parse", "--verify", "HEAD^{commit}").decode().strip()
    except WorkspaceError as error:
        raise WorkspaceError(
            f"workspace {workspace} is no git repository with a commit",
            facts=error.facts,
            next_step="run `git init && git add -A && git commit -m start` there, or give another --workspace",
        ) from None
    ignored = ignored_outside(workspace)
    found = _differences(workspace, commit, runs_dir, ignored)
    dirty = {change.path: _content(workspace / change.path) for change in found}
    return Baseline(commit=commit, dirty=dirty, ignored=ignored)


def changes_since(workspace: Path, baseline: Baseline, *, runs_dir: Path) -> tuple[Change, ...]:
    """Every path that differs from the baseline, sorted: committed or not, tracked or not, ignored files left out."""
    now = {change.path: change for change in _differences(workspace, baseline.commit, runs_dir, baseline.ignored)}
    changed = [c for path, c in now.items() if baseline.dirty.get(path) != _content(workspace / path)]
    restored = [Change(path, "modified") for path in baseline.dirty if path not in now]
    return tuple(sorted({*changed, *restored}))


def _differences(workspace: Path, commit: str, runs_dir: Path, ignored: tuple[str, ...]) -> list[Change]:
    top = _top(workspace, os.stat(workspace).st_ino)
    with plain_index(top) as index:
        found = _names(unhidden(top, index, *_DIFF, "--ignore-submodules=none", commit, "--"))
    excludes = ("--exclude-per-directory=.gitignore", *(f"--exclude={pattern}" for pattern in ignored))
    others = git(top, "ls-files", "--others", "-z", *excludes).split(b"\0")
    found += [(os.fsdecode(path), "untracked") for path in others if path]
    runs = runs_dir.resolve()
    real = workspace.resolve()
    return [
        Change(os.path.relpath(top / path, real), kind)
        for path, kind in found
        if not (top / path).resolve().is_relative_to(runs)
    ]


@lru_cache(maxsize=256)
def _top(workspace: Path, _inode: int) -> Path:
    """The top of the repository that a folder is in; it does not move while we work there."""
    return Path(os.fsdecode(git(workspace, "rev-parse", "--show-toplevel").rstrip(b"\n")))


def changes_between(top: Path, old: str, new: str, *, folder: str) -> tuple[Change, ...]:
    """Every path that differs between two commits, relative to `folder` of the repository at `top`, sorted."""
    found = _names(git(top, *_DIFF, "--ignore-submodules=none", old, new, "--"))
    return tuple(sorted(Change(os.path.relpath(path, folder), kind) for path, kind in found))


def _names(out: bytes) -> list[tuple[str, str]]:
    fields = out.split(b"\0")
    pairs = zip(fields[0::2], fields[1::2], strict=False)
    return [(os.fsdecode(path), _KINDS.get(status.decode()[:1], "modified")) for status, path in pairs]


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"link to {os.readlink(path)}"
    return sha256_file(path) if path.is_file() else ABSENT
