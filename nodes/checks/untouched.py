"""Whether anything at all has happened to a small checkout: where nothing has, git need not be asked what.

What is missed here excuses nobody: a file that the checks before the work have changed unseen is held against the
worker. Files are compared by what the file system notes about them, whose time of the last change nobody can set.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..plain_files import open_plain

# More are a matter for git, which is quicker with many.
_MOST = 1000
# A change that follows another one this soon can be noted with the same time.
_RACY_NS = 50_000_000
_HASHED_MOST = 1 << 20
_GIT = ".git"

_Facts = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class Footprint:
    """What stands in a checkout: path -> what is noted about it, and a hash of its content if it was just written."""

    entries: dict[str, tuple[_Facts, str]]


class _TooMuch(Exception):
    """It is no small checkout, or no plain one."""


def footprint(top: Path, index: Path, *, left_out: Path) -> Footprint | None:
    """That of the checkout at `top`; None where it cannot be taken, or is not small.

    Args:
        index: what is staged there.
        left_out: a folder that is no part of it.
    """
    now, left, entries = time.time_ns(), _HASHED_MOST, dict[str, tuple[_Facts, str]]()
    try:
        for path in _files(os.fspath(top), os.fspath(index), os.fspath(left_out)):
            facts, content = _facts(path), ""
            if facts[3] > now - _RACY_NS:
                left -= facts[1]
                content = _sha256(path, left)
            entries[path] = (facts, content)
    except (OSError, _TooMuch):
        return None
    return Footprint(entries)


def is_untouched(before: Footprint, top: Path, index: Path, *, left_out: Path) -> bool:
    """True where nothing was written, made or removed there since: also nothing that was put back."""
    try:
        now = {path: _facts(path) for path in _files(os.fspath(top), os.fspath(index), os.fspath(left_out))}
        return now == {path: facts for path, (facts, _) in before.entries.items()} and all(
            _sha256(path, _HASHED_MOST) == content for path, (_, content) in before.entries.items() if content
        )
    except (OSError, _TooMuch):
        return False


def _facts(path: str) -> _Facts:
    found = os.lstat(path)
    return (found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


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


def _sha256(path: str, most: int) -> str:
    if os.path.islink(path):
        return f"link to {os.readlink(path)}"
    if most < 0:
        raise _TooMuch(path)
    with open_plain(Path(path)) as file:
        return hashlib.sha256(file.read(_HASHED_MOST + 1)).hexdigest()
