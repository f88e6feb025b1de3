"""Whether the files that checks have looked at are those that stand there afterwards: a check can change them too.

Looking costs no process: files are compared by what the file system notes about them, whose time of the last change
nobody can set, and by their content where that says that somebody was there.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pathspec import PathSpec

from ...state.ids import CheckRef
from ..workers.files import sha256_file
from .commit_files import CommitFiles

FILES_REF = CheckRef("FILES")
_CACHES = frozenset({".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
# A change that follows another one this soon can be noted with the same time.
_RACY_NS = 50_000_000
_HASHED_MOST = 256 << 20


@dataclass(frozen=True)
class _Facts:
    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    # What it holds, where that was worth a look.
    content: str = field(default="", compare=False)


@dataclass(frozen=True)
class Moved:
    """The paths that are others than they were.

    Attributes:
        surely: their content, their kind or their mode is another one, or they are gone.
        perhaps: they were touched; nobody had since the run began, so git knows what they were.
    """

    surely: tuple[str, ...]
    perhaps: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """The files of a workspace at one moment, by their paths in it."""

    facts: Mapping[str, _Facts]
    taken_ns: int

    def content(self, path: str) -> str:
        """The SHA-256 of a file, or where a link leads; empty where it was not looked at."""
        found = self.facts.get(path)
        return found.content if found else ""

    def moved(self, workspace: Path) -> Moved:
        """What of it is otherwise now. A file that has come since is not told: no check has seen another one there."""
        surely: list[str] = []
        perhaps: list[str] = []
        for path, was in self.facts.items():
            now = _facts(workspace / path)
            if now == was and was.ctime_ns < self.taken_ns - _RACY_NS:
                continue
            if now is None or now.mode != was.mode:
                surely.append(path)
            elif was.content:
                if _content(workspace / path, now) != was.content:
                    surely.append(path)
            elif now != was:
                perhaps.append(path)
        return Moved(tuple(surely), tuple(perhaps))


def standing(workspace: Path, *, left_out: Path, known: CommitFiles | None, since_ns: int) -> Standing:
    """The files of a workspace as they are now.

    Args:
        left_out: a folder that is no part of it.
        known: the commit that the work counts from; folders that it ignores as a whole are left out.
        since_ns: when the run began. What was changed later is looked at by its content, as git does not know it.
    """
    skip = _Skipped(left_out.resolve(), known)
    left = _HASHED_MOST
    facts: dict[str, _Facts] = {}
    for path in _walk(workspace.resolve(), skip):
        found = _facts(workspace / path)
        if found is None:
            continue
        if found.ctime_ns >= since_ns and found.size <= left:
            left -= found.size
            found = _Facts(*_plain(found), content=_content(workspace / path, found))
        facts[path] = found
    return Standing(facts, time.time_ns())


class _Skipped:
    def __init__(self, left_out: Path, known: CommitFiles | None) -> None:
        self._left_out, self._known = left_out, known
        self._spec: PathSpec[Any] = PathSpec.from_lines("gitignore", known.ignored_folders() if known else ())

    def folder(self, whole: Path, path: str) -> bool:
        if whole.name in _CACHES or whole == self._left_out:
            return True
        known = self._known
        return known is not None and self._spec.match_file(f"{path}/") and not known.holds_folder(path)


def _walk(top: Path, skip: _Skipped) -> Iterator[str]:
    folders = [""]
    while folders:
        at = folders.pop()
        try:
            with os.scandir(top / at) as entries:
                for entry in entries:
                    path = f"{at}{entry.name}"
                    if not entry.is_dir(follow_symlinks=False):
                        yield path
                    elif not skip.folder(top / path, path):
                        folders.append(f"{path}/")
        except OSError:
            continue


def _facts(path: Path) -> _Facts | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return _Facts(found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _plain(facts: _Facts) -> tuple[int, int, int, int, int]:
    return facts.mode, facts.size, facts.mtime_ns, facts.ctime_ns, facts.inode


def _content(path: Path, facts: _Facts) -> str:
    try:
        if stat.S_ISLNK(facts.mode):
            return f"link to {os.readlink(path)}"
        return sha256_file(path) if stat.S_ISREG(facts.mode) else f"kind {stat.S_IFMT(facts.mode)}"
    except OSError as error:
        return f"unreadable: {error.strerror}"
