"""What git knows about the workspace: its commit, and what differs from the state before the first step."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...state.errors import WorkspaceError
from ...state.pipeline import Baseline
from ..workers.files import sha256_file

# Settings of the repository could start programs of the worker's choice, or hide a change; these switch that off.
_SETTINGS = (
    *("core.fsmonitor=false", "core.hooksPath=/dev/null", "core.quotePath=false"),
    *("core.fileMode=true", "core.trustctime=true", "core.checkStat=default", "core.ignoreStat=false"),
)
_SAFE = tuple(word for setting in _SETTINGS for word in ("-c", setting))
_TIMEOUT_S = 120.0
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
        commit = _git(workspace, "rev-parse", "--verify", "HEAD^{commit}").decode().strip()
    except WorkspaceError as error:
        raise WorkspaceError(
            f"workspace {workspace} is no git repository with a commit",
            facts=error.facts,
            next_step="run `git init && git add -A && git commit -m start` there, or give another --workspace",
        ) from None
    ignored = _ignored_by_user(workspace)
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
    top = Path(os.fsdecode(_git(workspace, "rev-parse", "--show-toplevel").rstrip(b"\n")))
    diff = ("diff", "--name-status", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", commit, "--")
    with _plain_index(top) as index:
        fields = _git(top, *diff, variables=index).split(b"\0")
    pairs = list(zip(fields[0::2], fields[1::2], strict=False))
    found = [(os.fsdecode(path), _KINDS.get(status.decode()[:1], "modified")) for status, path in pairs]
    excludes = ("--exclude-per-directory=.gitignore", *(f"--exclude={pattern}" for pattern in ignored))
    others = _git(top, "ls-files", "--others", "-z", *excludes).split(b"\0")
    found += [(os.fsdecode(path), "untracked") for path in others if path]
    runs = runs_dir.resolve()
    real = workspace.resolve()
    return [
        Change(os.path.relpath(top / path, real), kind)
        for path, kind in found
        if not (top / path).resolve().is_relative_to(runs)
    ]


@contextmanager
def _plain_index(top: Path) -> Generator[dict[str, str]]:
    """Variables under which git compares every tracked file, also those that the index says to leave out.

    `git update-index --assume-unchanged` or `--skip-worktree` hides what is done to a file. The flags are cleared in a
    copy; the index of the repository stays as it is.
    """
    entries = _git(top, "ls-files", "-v", "-z").split(b"\0")
    flagged = [entry[2:] for entry in entries if entry[:1].islower() or entry[:1] == b"S"]
    if not flagged:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="waypost-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        shutil.copyfile(_git_path(top, "index"), index["GIT_INDEX_FILE"])
        for flag in ("--no-assume-unchanged", "--no-skip-worktree"):
            _git(top, "update-index", flag, "-z", "--stdin", input=b"\0".join(flagged), variables=index)
        yield index


def _ignored_by_user(workspace: Path) -> tuple[str, ...]:
    """The ignore patterns that stand outside the worktree: of the repository's `info/exclude`, and the user's own."""
    top = Path(os.fsdecode(_git(workspace, "rev-parse", "--show-toplevel").rstrip(b"\n")))
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "git" / "ignore"
    named = _git(top, "config", "--path", "--default", str(home), "--get", "core.excludesFile").rstrip(b"\n")
    found: list[str] = []
    for path in (Path(os.fsdecode(named)), _git_path(top, "info/exclude")):
        try:
            lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            continue
        found += [line for line in lines if line.strip() and not line.startswith("#") and line.isprintable()]
    return tuple(found)


def _git_path(top: Path, name: str) -> Path:
    return top / os.fsdecode(_git(top, "rev-parse", "--git-path", name).rstrip(b"\n"))


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"link to {os.readlink(path)}"
    return sha256_file(path) if path.is_file() else ABSENT


def _git(folder: Path, *arguments: str, input: bytes = b"", variables: Mapping[str, str] | None = None) -> bytes:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **(variables or {})}
    try:
        done = subprocess.run(
            ["git", *_SAFE, "-C", str(folder), *arguments],
            input=input,
            capture_output=True,
            env=environment,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WorkspaceError(f"git cannot be run in {folder}", facts={"git": error}) from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise WorkspaceError(f"git {arguments[0]} failed in {folder}", facts={"git": said[-1] if said else "no output"})
    return done.stdout
