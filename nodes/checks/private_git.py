"""A git folder of our own: of what a worker can write to the real one, only objects are used."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SHA1_DIGITS = 40
# Files are compared byte by byte: a filter or an encoding would show git other content than a program reads.
_ATTRIBUTES = "* -filter -text -ident !eol !working-tree-encoding\n"
_CONFIG = "[core]\n\tbare = false\n\tattributesFile = /dev/null\n\texcludesFile = /dev/null\n"
_NO_OTHERS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "0",
    "GIT_ATTR_NOSYSTEM": "1",
}
# Making and removing a few small files there waits for no disk, which other programs may keep busy.
_IN_MEMORY = "/dev/shm"
_FOLDERS = ("refs", "info")
_FILES = ("HEAD", "config", "info/attributes")
_ROOM_BYTES = 16 << 20


@dataclass(frozen=True)
class PrivateGit:
    """The folder, and where objects are looked for."""

    folder: Path
    objects: Path

    @property
    def index(self) -> Path:
        """The file of the index."""
        return self.folder / "index"

    def environment(self, worktree: Path) -> dict[str, str]:
        """The variables for a git that sees `worktree` through this folder."""
        return {**no_others(self.folder, worktree), "GIT_OBJECT_DIRECTORY": str(self.objects)}


def no_others(folder: Path, worktree: Path) -> dict[str, str]:
    """Variables under which git sees that folder and that worktree, and no settings but the folder's."""
    index = str(folder / "index")
    return {**_NO_OTHERS, "GIT_DIR": str(folder), "GIT_WORK_TREE": str(worktree), "GIT_INDEX_FILE": index}


def make_git_folder(folder: Path, commit: str) -> None:
    """Make an empty git folder, under which no file is converted; `commit` decides which hash the repository has."""
    for part in _FOLDERS:
        (folder / part).mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    version = "\trepositoryFormatVersion = 0\n"
    if len(commit) != _SHA1_DIGITS:
        version = "\trepositoryFormatVersion = 1\n[extensions]\n\tobjectFormat = sha256\n"
    (folder / "config").write_text(_CONFIG + version)
    (folder / "info" / "attributes").write_text(_ATTRIBUTES)


@contextmanager
def private_git(commit: str, *, objects: Path, index: bytes = b"") -> Generator[PrivateGit]:
    """A new folder, for as long as the block lasts.

    Args:
        commit: decides which hash the repository has.
        index: what the index begins with; none is written where it is empty.
    """
    folder = Path(tempfile.mkdtemp(prefix="waypost-", dir=place_for(len(index))))
    try:
        make_git_folder(folder, commit)
        own = PrivateGit(folder, objects)
        if index:
            own.index.write_bytes(index)
        yield own
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """By the names that are in it, which is quicker than to look for them."""
    with contextlib.suppress(OSError):
        for name in (*_FILES, "index"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(folder / name)
        for name in _FOLDERS:
            os.rmdir(folder / name)
        os.rmdir(folder)
        return
    shutil.rmtree(folder, ignore_errors=True)


def place_for(size: int) -> str | None:
    """Where a temporary folder for so many bytes is made: in memory, or None for the usual place."""
    try:
        room = shutil.disk_usage(_IN_MEMORY).free
    except OSError:
        return None
    return _IN_MEMORY if room > size + _ROOM_BYTES and os.access(_IN_MEMORY, os.W_OK | os.X_OK) else None
