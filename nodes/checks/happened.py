"""What happened to a changed path, in words: renamed, another mode, a symbolic link, a submodule."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from ..git import git

NEW = frozenset({"added", "untracked"})
_LINK, _MODULE, _PLAIN, _EXECUTABLE = "120000", "160000", "100644", "100755"
_SHA1_DIGITS = 40
# A larger file that was renamed is told as deleted and added.
_HASHED_MOST = 256 << 20


@dataclass(frozen=True)
class Facts:
    """One changed path: its modes as git writes them (empty: not there), and the ids of its content where known."""

    path: str
    kind: str
    old_mode: str = ""
    new_mode: str = ""
    old_id: str = ""
    new_id: str = ""


def named(facts: Iterable[Facts]) -> dict[str, str]:
    """Path -> what happened. A file whose very bytes stand elsewhere now was renamed: both ends name each other."""
    rows = {row.path: row for row in facts}
    gone = {row.old_id: path for path, row in sorted(rows.items()) if row.kind == "deleted" and row.old_id}
    said = {path: _said(row) for path, row in rows.items()}
    for path, row in sorted(rows.items()):
        if row.kind in NEW and (old := gone.pop(row.new_id, None)) is not None:
            said[path], said[old] = f"renamed from {old}", f"renamed to {path}"
    return said


def in_worktree(top: Path, commit: str, found: Mapping[str, str]) -> dict[str, str]:
    """What happened to each path of the worktree at `top` that differs from the commit.

    Args:
        found: path relative to the top -> added, modified, deleted or untracked.
    """
    if not found:
        return {}
    base = _base(top, commit)
    digits = len(next(iter(base.values()))[1]) if base else _SHA1_DIGITS
    rows = [
        Facts(path, kind, *_mode_pair(base.get(path, ("", ""))[0], top / path), old_id=base.get(path, ("", ""))[1])
        for path, kind in found.items()
    ]
    moved = any(row.kind == "deleted" for row in rows)
    return named(replace(row, new_id=_id(top / row.path, digits)) if _asks(row, moved) else row for row in rows)


def between(raw: bytes) -> dict[str, str]:
    """What happened to each path between two commits, from `git diff --raw -z --no-abbrev --no-renames`."""
    fields = raw.split(b"\0")
    rows: list[Facts] = []
    for head, path in zip(fields[0::2], fields[1::2], strict=False):
        old_mode, new_mode, old_id, new_id, status = head.decode().removeprefix(":").split(" ")
        kind = {"A": "added", "D": "deleted"}.get(status[:1], "modified")
        modes = ["" if mode == "000000" else mode for mode in (old_mode, new_mode)]
        rows.append(Facts(os.fsdecode(path), kind, *modes, old_id=old_id, new_id=new_id))
    return named(rows)


def _said(row: Facts) -> str:
    if _MODULE in (row.old_mode, row.new_mode):
        return f"{row.kind} submodule"
    if row.kind in NEW or row.kind == "deleted":
        return f"{row.kind} symbolic link" if _LINK in (row.old_mode, row.new_mode) else row.kind
    if row.old_mode == row.new_mode or not (row.old_mode and row.new_mode):
        return "modified symbolic link" if row.new_mode == _LINK else row.kind
    if row.new_mode == _LINK:
        return "replaced by a symbolic link"
    if row.old_mode == _LINK:
        return "replaced a symbolic link"
    only = "" if row.new_id and row.new_id == row.old_id else " and modified"
    return f"mode {row.old_mode[-3:]} to {row.new_mode[-3:]}{only}"


def _asks(row: Facts, moved: bool) -> bool:
    """Whether the content of the file on disk has to be known."""
    return (row.kind in NEW and moved) or (row.kind == "modified" and row.old_mode != row.new_mode)


@lru_cache(maxsize=8)
def _base(top: Path, commit: str) -> dict[str, tuple[str, str]]:
    """Path -> mode and id, of the files of the commit."""
    rows: dict[str, tuple[str, str]] = {}
    for entry in git(top, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        if entry:
            facts, _, path = entry.partition(b"\t")
            mode, _, id = facts.decode().split(" ")
            rows[os.fsdecode(path)] = (mode, id)
    return rows


def _mode_pair(old: str, path: Path) -> tuple[str, str]:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return old, ""
    if stat.S_ISLNK(mode):
        return old, _LINK
    if stat.S_ISDIR(mode):
        return old, _MODULE
    return old, _EXECUTABLE if mode & stat.S_IXUSR else _PLAIN


def _id(path: Path, digits: int) -> str:
    """The id that git would give the content; empty where it cannot be read, or is too large to be asked for."""
    try:
        if not path.is_symlink() and path.stat().st_size > _HASHED_MOST:
            return ""
        data = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
    except OSError:
        return ""
    return blob_id(data, digits)


def blob_id(data: bytes, digits: int) -> str:
    """The id of a file's content in a repository whose ids have that many digits."""
    digest = hashlib.sha1 if digits == _SHA1_DIGITS else hashlib.sha256
    return digest(b"blob %d\0" % len(data) + data).hexdigest()
