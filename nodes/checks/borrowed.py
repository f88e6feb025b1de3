"""A git folder of our own on the objects of a repository: trees are made in it, and the repository is only read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...state.errors import WorkspaceError
from ..git import Said, checked, try_git
from .private_git import make_git_folder, no_others, place_for
from .repository import objects_of

_KINDS = {"A": "added", "M": "modified", "D": "deleted", "T": "modified"}
_LINK_MODE = "160000"
SMALL_BYTES = 8 << 20


class PatchRefused(WorkspaceError):
    """A change does not apply to the files it was made for."""


@dataclass(frozen=True)
class Difference:
    """A path that two trees hold differently, from the top of the repository.

    Attributes:
        kind: added, modified or deleted.
        submodule: it is a commit of another repository on one of the sides.
        ids: of both contents, all zeros where there is none.
    """

    path: str
    kind: str
    submodule: bool
    ids: tuple[str, str]


@dataclass(frozen=True)
class Borrowed:
    """Trees are read into its index, changed there, and written to its own objects. Files are taken byte by byte.

    Attributes:
        folder: the git folder; nobody else writes to it.
        worktree: the folder that paths are of.
    """

    folder: Path
    worktree: Path

    def git(self, *words: str, stdin: bytes = b"") -> bytes:
        """What git prints here. Raises WorkspaceError where it fails."""
        return checked(self.try_git(*words, stdin=stdin), self.worktree, words).out

    def try_git(self, *words: str, stdin: bytes = b"") -> Said:
        """Run git here, and tell how it ended."""
        return try_git(self.worktree, *words, environment=no_others(self.folder, self.worktree), stdin=stdin)

    def has_commit(self, commit: str) -> bool:
        """True where the repository holds that commit."""
        return self.try_git("cat-file", "-e", f"{commit}^{{commit}}").code == 0

    def has_tree(self, tree: str) -> bool:
        """True where the repository holds that tree, at least its top."""
        return self.try_git("cat-file", "-e", f"{tree}^{{tree}}").code == 0

    def start(self, commit: str) -> None:
        """Let the index hold the files of a commit, or of a tree."""
        self.git("read-tree", commit)

    def begin(self, index: bytes) -> None:
        """Let the index be that of somebody else, who keeps it in memory."""
        (self.folder / "index").write_bytes(index)

    def stage(self, paths: Iterable[bytes], *, keep: bool) -> None:
        """Let the index hold these paths as they stand in the worktree, or no more.

        Args:
            keep: False where the contents are only named, and not stored.
        """
        here = {path: _stands(self.worktree, path) for path in paths}
        gone = [path for path, stands in here.items() if not stands]
        there = [path for path, stands in here.items() if stands]
        if gone:
            self.git("update-index", "-z", "--force-remove", "--stdin", stdin=b"\0".join(gone))
        if there:
            how = () if keep else ("--info-only",)
            self.git("update-index", "-z", "--add", "--replace", *how, "--stdin", stdin=b"\0".join(there))

    def apply(self, patch: Path) -> None:
        """Apply a change to the index. Raises PatchRefused where it does not fit."""
        if not patch.stat().st_size:
            return
        said = self.try_git("apply", "--cached", "--whitespace=nowarn", str(patch))
        if said.code:
            raise PatchRefused("the recorded change does not apply", facts={"git": said.err[-500:] or "no output"})

    def write(self, *, complete: bool = True) -> str:
        """The id of the tree in the index. `complete`: all of its contents have to be there."""
        return self.git("write-tree", *(() if complete else ("--missing-ok",))).decode().strip()

    def differences(self, old: str, new: str) -> tuple[Difference, ...]:
        """What differs between two trees; a rename is what goes and what comes."""
        fields = self.git("diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", old, new).split(b"\0")
        return tuple(_difference(*pair) for pair in zip(fields[0::2], fields[1::2], strict=False))

    def bytes_of(self, found: Iterable[Difference]) -> int:
        """How many bytes both sides of these differences hold."""
        ids = {name for one in found if not one.submodule for name in one.ids if name.strip("0")}
        said = self.git("cat-file", "--batch-check=%(objectsize)", stdin="".join(f"{i}\n" for i in ids).encode())
        return sum(int(size) for size in said.split() if size.isdigit())

    def write_patch(self, old: str, new: str, to: Path) -> None:
        """Write the change between two trees, so that `apply` gives the new one byte for byte.

        Renames stand as what goes and what comes: so every path is in it with all that is needed to read it alone.
        """
        how = ("--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
        self.git("diff-tree", "-r", "-p", *how, f"--output={to}", old, new)


@contextmanager
def borrowed(
    repository: Path, base: str, worktree: Path | None = None, *, objects: Path | None = None, small: bool = False
) -> Generator[Borrowed]:
    """A git folder of our own over the objects of a repository, for as long as the block lasts.

    Args:
        repository: the top of a checkout, or a bare repository.
        base: an id of that repository.
        worktree: where the files are that will be staged; an empty folder if not given.
        objects: where the repository keeps its objects; git is asked if not given.
        small: what will be written there fits into memory.
    """
    place = place_for(SMALL_BYTES) if small else None
    with tempfile.TemporaryDirectory(prefix="waypost-", dir=place) as name:
        folder = Path(name) / "git"
        empty = Path(name) / "files"
        folder.mkdir()
        empty.mkdir()
        lend(objects or objects_of(repository), folder, base)
        yield Borrowed(folder, worktree or empty)


def lend(objects: Path, folder: Path, base: str) -> None:
    """Make a git folder in the empty `folder` that reads the `objects` of a repository."""
    make_git_folder(folder, base)
    info = folder / "objects" / "info"
    info.mkdir(parents=True)
    (info / "alternates").write_bytes(os.fsencode(objects.resolve()) + b"\n")


def _difference(facts: bytes, path: bytes) -> Difference:
    old_mode, new_mode, old, new, status = facts.decode().removeprefix(":").split()
    linked = _LINK_MODE in (old_mode, new_mode)
    return Difference(os.fsdecode(path), _KINDS.get(status[:1], "modified"), linked, (old, new))


def _stands(top: Path, path: bytes) -> bool:
    """True where a file or a link is at that path itself, and not behind a link."""
    at = os.fsencode(top)
    *folders, name = path.split(b"/")
    for part in folders:
        at = os.path.join(at, part)
        if os.path.islink(at):
            return False
    whole = os.path.join(at, name)
    return os.path.islink(whole) or (os.path.lexists(whole) and not os.path.isdir(whole))
