"""Asking git so that settings, flags and ignore rules, which a worker can write too, hide nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..git import checked, git, try_git

# Modes are compared, and a file is looked at again when anything about it differs, whatever the repository says.
_SETTINGS = {
    "core.fileMode": "true",
    "core.trustctime": "true",
    "core.checkStat": "default",
    "core.ignoreStat": "false",
}


def unhidden(top: Path, index: Mapping[str, str], *arguments: str) -> bytes:
    """What git prints under settings that hide nothing, with the index of `plain_index`. Raises WorkspaceError."""
    count = {"GIT_CONFIG_COUNT": str(len(_SETTINGS))}
    for number, (key, value) in enumerate(_SETTINGS.items()):
        count |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return checked(try_git(top, *arguments, environment={**count, **index}), top, arguments).out


@contextmanager
def plain_index(top: Path) -> Generator[dict[str, str]]:
    """Variables under which git compares every tracked file, also those that the index says to leave out.

    `git update-index --assume-unchanged` or `--skip-worktree` hides what is done to a file. The flags are cleared in a
    copy; the index of the repository stays as it is.
    """
    entries = git(top, "ls-files", "-v", "-z").split(b"\0")
    flagged = [entry[2:] for entry in entries if entry[:1].islower() or entry[:1] == b"S"]
    if not flagged:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="waypost-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        shutil.copyfile(_git_path(top, "index"), index["GIT_INDEX_FILE"])
        for flag in ("--no-assume-unchanged", "--no-skip-worktree"):
            words = ("update-index", flag, "-z", "--stdin")
            checked(try_git(top, *words, environment=index, stdin=b"\0".join(flagged)), top, words)
        yield index


def ignored_outside(workspace: Path) -> tuple[str, ...]:
    """The ignore patterns that stand outside the worktree: of the repository's `info/exclude`, and the user's own."""
    top = Path(os.fsdecode(git(workspace, "rev-parse", "--show-toplevel").rstrip(b"\n")))
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "git" / "ignore"
    named = git(top, "config", "--path", "--default", str(home), "--get", "core.excludesFile").rstrip(b"\n")
    found: list[str] = []
    for path in (Path(os.fsdecode(named)), _git_path(top, "info/exclude")):
        try:
            lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            continue
        found += [line for line in lines if line.strip() and not line.startswith("#") and line.isprintable()]
    return tuple(found)


def _git_path(top: Path, name: str) -> Path:
    return top / os.fsdecode(git(top, "rev-parse", "--git-path", name).rstrip(b"\n"))
