"""What the index of a repository says beside a commit, asked again only where the index has changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..git import StartedGit, checked
from ..plain_files import open_plain
from .recent import Recent
from .repository import Places

_WORDS = ("diff-index", "--cached", "--name-status", "-z", "--no-renames", "--ignore-submodules=none")
_KINDS = {"A": "added", "M": "modified", "D": "deleted", "T": "modified"}
_MOST_BYTES = 32 << 20
# The extension by which an index goes on in another file.
_SPLIT = b"link"
_ABSENT = "there is none"

# Repository, commit and hash of the index -> what git said of them.
_SAID: Recent[tuple[Path, str, str], bytes] = Recent(64)


class StagedAsked:
    """The question what only one of index and commit has, put to git unless it has answered it for this very index."""

    def __init__(self, places: Places, commit: str) -> None:
        """Raises WorkspaceError where git cannot be started."""
        self._places, self._words = places, (*_WORDS, commit, "--")
        digest = _digest(places.index)
        self._key = None if digest is None else (places.top, commit, digest)
        self._known = None if self._key is None else _SAID.get(self._key)
        self._git = StartedGit(places.top, *self._words) if self._known is None else None

    def wait(self) -> dict[str, str]:
        """Path -> what it is, also of ignored paths. Raises WorkspaceError where git cannot tell."""
        said = self._known
        if said is None and self._git is not None:
            said = checked(self._git.wait(), self._places.top, self._words).out
            if self._key is not None and _digest(self._places.index) == self._key[2]:
                _SAID.keep(self._key, said)
        alone = [(path, kind) for path, kind in _names(said or b"") if kind != "modified"]
        top = self._places.top
        return {path: kind for path, kind in alone if kind == "deleted" or os.path.lexists(top / path)}


def _digest(index: Path) -> str | None:
    """The hash of an index; None where the file alone does not say all, or would take long to read."""
    try:
        with open_plain(index) as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return _ABSENT
    except OSError:
        return None
    if len(content) > _MOST_BYTES or _SPLIT in content:
        return None
    return hashlib.sha256(content).hexdigest()


def _names(out: bytes) -> list[tuple[str, str]]:
    fields = out.split(b"\0")
    pairs = zip(fields[0::2], fields[1::2], strict=False)
    return [(os.fsdecode(path), _KINDS.get(status.decode()[:1], "modified")) for status, path in pairs]
