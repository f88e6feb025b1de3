"""What the file system notes about a file: nobody can set the time of its last change, so it tells who was there."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from ..plain_files import open_plain

RACY_NS = 50_000_000
"""A change that follows another one this soon can be noted with the same time."""
_CHUNK = 1 << 20


class Noted(NamedTuple):
    """The notes about one path; of a link about itself."""

    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def noted(path: str | Path) -> Noted:
    """What is noted about a path now. Raises OSError where there is nothing."""
    found = os.lstat(path)
    return Noted(found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def held(path: str | Path, notes: Noted) -> str:
    """What a path holds, as one word: the SHA-256 of a file, where a link leads, or which kind it is.

    Raises:
        OSError: it cannot be read, or has become something else.
    """
    if stat.S_ISLNK(notes.mode):
        return f"link to {os.readlink(path)}"
    if not stat.S_ISREG(notes.mode):
        return f"kind {stat.S_IFMT(notes.mode)}"
    digest = hashlib.sha256()
    with open_plain(Path(path)) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
