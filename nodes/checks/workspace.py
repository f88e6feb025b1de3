"""What git knows about the workspace: its commit, and what differs from the state before the first step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...state.errors import WorkspaceError
from ...state.pipeline import Baseline
from ..git import git
from ..workers.files import sha256_file
from .happened import between, in_worktree
from .unhidden import IGNORE_FILE, Unhidden, conversions_sha256, ignored_outside, require_same_files, top_of, unhidden

_DIFF = ("diff", "--name-status", "-z", "--no-renames", "--no-ext-diff")
_RAW_DIFF = ("diff", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--ignore-submodules=none")
ABSENT = "absent"
_NOTHING: Mapping[str, str] = {}
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
    found, files = _differences(workspace, Baseline(commit=commit, ignored=ignored), runs_dir)
    dirty = {change.path: content_of(workspace / change.path) for change in found}
    return Baseline(
        commit=commit,
        dirty=dirty,
        ignored=ignored,
        files_sha256=files,
        conversions_sha256=conversions_sha256(top_of(workspace)),
    )


def changes_since(
    workspace: Path, baseline: Baseline, *, runs_dir: Path, left: Mapping[str, str] = _NOTHING
) -> tuple[Change, ...]:
    """Every path that differs from the baseline, sorted: committed or not, tracked or not, ignored files left out.

    Args:
        left: path -> content of what commands of ours have left: a file is as before while it has that content.
    """
    found, _ = _differences(workspace, baseline, runs_dir)
    now = {change.path: change for change in found}
    changed = [c for path, c in now.items() if baseline.dirty.get(path) != content_of(workspace / path)]
    restored = [Change(path, "modified") for path in baseline.dirty if path not in now]
    found = tuple(sorted({*changed, *restored}))
    return tuple(c for c in found if c.path not in left or left[c.path] != content_of(workspace / c.path))


def _differences(workspace: Path, baseline: Baseline, runs_dir: Path) -> tuple[list[Change], str]:
    """What differs from the commit, and the hash over the files of the commit."""
    top = top_of(workspace)
    # What the repository itself says comes first: its words for a change are finer, as it knows what was staged.
    found = dict(_names(git(top, *_DIFF, "--ignore-submodules=none", baseline.commit, "--")))
    excludes = (f"--exclude-per-directory={IGNORE_FILE}", *(f"--exclude={pattern}" for pattern in baseline.ignored))
    others = git(top, "ls-files", "--others", "-z", *excludes).split(b"\0")
    found |= {os.fsdecode(path): "untracked" for path in others if path}
    with unhidden(top, baseline.commit) as view:
        require_same_files(view, baseline.files_sha256)
        changed = dict(_names(view.changed()))
        hidden = {os.fsdecode(path): "untracked" for path in _ignored_since(view, changed, baseline.ignored)}
    found = {**changed, **hidden, **found}
    runs = runs_dir.resolve()
    real = workspace.resolve()
    changes = [
        Change(os.path.relpath(top / path, real), kind)
        for path, kind in in_worktree(top, baseline.commit, found).items()
        if not (top / path).resolve().is_relative_to(runs)
    ]
    return changes, view.files_sha256


def _ignored_since(view: Unhidden, changed: Mapping[str, str], patterns: tuple[str, ...]) -> list[bytes]:
    """The files that only ignore files hide which are not those of the commit, and these ignore files themselves.

    A new folder whose name begins with a dot may hide itself, as the caches of tools do.
    """
    rules = view.others(f":(glob)**/{IGNORE_FILE}")
    folders = {folder for folder in map(_folder, rules) if _is_dot_folder(folder) and not view.holds(folder)}
    caches = tuple(os.fsencode(folder) + b"/" for folder in folders)
    rules = [path for path in rules if not path.startswith(caches)]
    new = view.not_ignored(rules, patterns) if rules else []
    if not new and not any(os.path.basename(path) == IGNORE_FILE for path in changed):
        return []
    return view.not_ignored([path for path in view.others() if not path.startswith(caches)], patterns)


def _folder(path: bytes) -> str:
    return os.fsdecode(os.path.dirname(path))


def _is_dot_folder(path: str) -> bool:
    return os.path.basename(path).startswith(".")


def changes_between(top: Path, old: str, new: str, *, folder: str) -> tuple[Change, ...]:
    """Every path that differs between two commits, relative to `folder` of the repository at `top`, sorted."""
    raw = git(top, *_RAW_DIFF, old, new, "--")
    return tuple(sorted(Change(os.path.relpath(path, folder), kind) for path, kind in between(raw).items()))


def _names(out: bytes) -> list[tuple[str, str]]:
    fields = out.split(b"\0")
    pairs = zip(fields[0::2], fields[1::2], strict=False)
    return [(os.fsdecode(path), _KINDS.get(status.decode()[:1], "modified")) for status, path in pairs]


def content_of(path: Path) -> str:
    """What a path holds, as one word: the SHA-256 of a file, where a link leads, or ABSENT."""
    if path.is_symlink():
        return f"link to {os.readlink(path)}"
    return sha256_file(path) if path.is_file() else ABSENT
