"""Whether the files that checks have looked at are those that stand there afterwards: a check can change them too.

Looking costs no process: files are compared by what the file system notes about them, whose time of the last change
nobody can set, and by their content where that says that somebody was there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pathspec import PathSpec

from ...state.ids import CheckRef
from .commit_files import CommitFiles
from .noted import RACY_NS, Noted, held, noted

FILES_REF = CheckRef("FILES")
_CACHES = frozenset({".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
_HASHED_MOST = 256 << 20


@dataclass(frozen=True)
class Seen:
    """One file.

    Attributes:
        content: what it holds, where that was worth a look.
    """

    notes: Noted
    content: str = ""


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

    facts: Mapping[str, Seen]
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
            now = _noted(workspace / path)
            if now is not None and now == was.notes and now.ctime_ns < self.taken_ns - RACY_NS:
                continue
            if now is None or now.mode != was.notes.mode:
                surely.append(path)
            elif was.content:
                if _held(workspace / path, now) != was.content:
                    surely.append(path)
            elif now != was.notes:
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
    facts: dict[str, Seen] = {}
    for path in _walk(workspace.resolve(), skip):
        notes, content = _noted(workspace / path), ""
        if notes is None:
            continue
        if notes.ctime_ns >= since_ns and notes.size <= left:
            left -= notes.size
            content = _held(workspace / path, notes)
        facts[path] = Seen(notes, content)
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


def _noted(path: Path) -> Noted | None:
    try:
        return noted(path)
    except OSError:
        return None


def _held(path: Path, notes: Noted) -> str:
    try:
        return held(path, notes)
    except OSError as error:
        return f"unreadable: {error.strerror}"
