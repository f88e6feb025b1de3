"""Whether anything at all has happened to a small checkout: where nothing has, git need not be asked what.

What is missed here excuses nobody: a file that the checks before the work have changed unseen is held against the
worker. Files are compared by what the file system notes about them, whose time of the last change nobody can set.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .noted import RACY_NS, Noted, held, noted

# More are a matter for git, which is quicker with many.
_MOST = 1000
_HASHED_MOST = 1 << 20
_GIT = ".git"


@dataclass(frozen=True)
class Footprint:
    """What stands in a checkout: path -> what is noted about it, and a hash of its content if it was just written."""

    entries: dict[str, tuple[Noted, str]]


class _TooMuch(Exception):
    """It is no small checkout, or no plain one."""


def footprint(top: Path, index: Path, *, left_out: Path) -> Footprint | None:
    """That of the checkout at `top`; None where it cannot be taken, or is not small.

    Args:
        index: what is staged there.
        left_out: a folder that is no part of it.
    """
    now, left, entries = time.time_ns(), _HASHED_MOST, dict[str, tuple[Noted, str]]()
    try:
        for path in _files(os.fspath(top), os.fspath(index), os.fspath(left_out)):
            notes, content = noted(path), ""
            if notes.ctime_ns > now - RACY_NS:
                left -= notes.size
                content = _held(path, notes, left)
            entries[path] = (notes, content)
    except (OSError, _TooMuch):
        return None
    return Footprint(entries)


def is_untouched(before: Footprint, top: Path, index: Path, *, left_out: Path) -> bool:
    """True where nothing was written, made or removed there since: also nothing that was put back."""
    try:
        now = {path: noted(path) for path in _files(os.fspath(top), os.fspath(index), os.fspath(left_out))}
        return now == {path: notes for path, (notes, _) in before.entries.items()} and all(
            held(path, now[path]) == content for path, (_, content) in before.entries.items() if content
        )
    except (OSError, _TooMuch):
        return False


def _files(top: str, index: str, left_out: str) -> Iterator[str]:
    if os.path.lexists(index):
        yield index
    folders, count = [top], 0
    while folders:
        folder = folders.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == _GIT:
                    if folder != top:
                        raise _TooMuch("a repository of its own")
                elif entry.path != left_out and entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.path != left_out:
                    count += 1
                    if count > _MOST:
                        raise _TooMuch(f"{count} files")
                    yield entry.path


def _held(path: str, notes: Noted, left: int) -> str:
    if left < 0 or not (stat.S_ISREG(notes.mode) or stat.S_ISLNK(notes.mode)):
        raise _TooMuch(path)
    return held(path, notes)
