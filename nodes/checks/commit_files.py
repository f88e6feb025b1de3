"""What a commit holds, read from the repository once: a copy in memory cannot change, as a repository can."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...state.errors import WorkspaceError
from ..git import checked, try_git
from .private_git import PrivateGit, private_git
from .recent import Recent

IGNORE_FILE = ".gitignore"


@dataclass(frozen=True)
class CommitFiles:
    """The files of one commit.

    Attributes:
        sha256: over path, mode and content hash of every file.
        index: an index of git that holds them and nothing of any worktree.
        listing: `git ls-files --stage -z`.
        rules: path -> content of every ignore file.
        has_submodules: whether the commit names other repositories.
    """

    sha256: str
    index: bytes
    listing: bytes
    rules: dict[str, bytes]
    has_submodules: bool

    def holds(self, path: str) -> bool:
        """True where the commit has that file, by its path from the top."""
        return os.fsencode(path) in self._names

    @cached_property
    def _names(self) -> frozenset[bytes]:
        return frozenset(entry.partition(b"\t")[2] for entry in self.listing.split(b"\0") if entry)

    def holds_folder(self, folder: str) -> bool:
        """True where the commit has a file in that folder."""
        return b"\t" + os.fsencode(folder) + b"/" in self.listing

    def ignored_folders(self) -> list[str]:
        """The patterns for whole folders, which are not walked through; none where any pattern is taken back."""
        if any(line.startswith("!") for text in self.rules.values() for line in _lines(text)):
            return []
        lines = _lines(self.rules.get(IGNORE_FILE, b""))
        return [line for line in lines if line.endswith("/") and not line.startswith("#") and line.isprintable()]


def _lines(text: bytes) -> list[str]:
    return text.decode("utf-8", "surrogateescape").splitlines()


# Kept by id: whatever is written into a repository later changes no copy.
_KNOWN: Recent[str, CommitFiles] = Recent(8)


def files_of(top: Path, objects: Path, commit: str, recorded: str | None) -> CommitFiles:
    """The files of a commit.

    A commit's id vouches for its files only as long as nobody writes other objects under the ids of its folders.

    Args:
        objects: the folder of the repository's objects.
        recorded: the hash over the files when the run began, None where none was recorded.

    Raises:
        WorkspaceError: git cannot read the commit, or it holds other files than were recorded.
    """
    known = _KNOWN.get(commit)
    if known is None or recorded not in (None, known.sha256):
        known = _read(top, objects, commit)
        _require_same(top, commit, recorded, known.sha256)
    _KNOWN.keep(commit, known)
    return known


def _require_same(top: Path, commit: str, recorded: str | None, found: str) -> None:
    if recorded not in (None, found):
        raise WorkspaceError(
            f"commit {commit[:12]} of {top} does not hold the files that it held when the run began",
            facts={"recorded sha256": recorded, "found sha256": found},
            next_step="run `git fsck --full` there, and start a new run from a repository that is whole",
        )


def _read(top: Path, objects: Path, commit: str) -> CommitFiles:
    with private_git(commit, objects=objects) as own:
        _git(own, top, "read-tree", commit)
        listing = _git(own, top, "ls-files", "--stage", "-z")
        entries = [entry.partition(b"\t") for entry in listing.split(b"\0") if entry]
        return CommitFiles(
            sha256=hashlib.sha256(listing).hexdigest(),
            index=own.index.read_bytes(),
            listing=listing,
            rules=_rules(own, top, entries),
            has_submodules=any(facts.startswith(b"160000") for facts, _, _ in entries),
        )


def _rules(own: PrivateGit, top: Path, entries: list[tuple[bytes, bytes, bytes]]) -> dict[str, bytes]:
    named = os.fsencode(IGNORE_FILE)
    return {
        os.fsdecode(name): _git(own, top, "cat-file", "blob", facts.split()[1].decode())
        for facts, _, name in entries
        if os.path.basename(name) == named and facts.startswith(b"100")
    }


def _git(own: PrivateGit, top: Path, *words: str) -> bytes:
    return checked(try_git(top, *words, environment=own.environment(top)), top, words).out
