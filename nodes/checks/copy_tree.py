"""A copy of a checkout to run commands in: what git ignores as a whole folder is only linked to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..git import git
from .protected import Original

_CACHES = frozenset({"__pycache__", ".pytest_cache"})
_LINK, _EXECUTABLE = "120000", "100755"


@dataclass(frozen=True)
class Copy:
    """A checkout at `top` that nobody else knows of."""

    top: Path

    def put(self, path: str, original: Original | None) -> None:
        """Let the file at `path`, relative to the top, be that one; None: no file."""
        place = self._place(PurePosixPath(path))
        if place.is_symlink() or place.is_file():
            place.unlink()
        elif place.is_dir():
            shutil.rmtree(place)
        if original is None:
            return
        if original.mode == _LINK:
            place.symlink_to(os.fsdecode(original.data))
            return
        place.write_bytes(original.data)
        place.chmod(0o755 if original.mode == _EXECUTABLE else 0o644)

    def _place(self, path: PurePosixPath) -> Path:
        """The file below the copy itself: a link or a file on the way there is replaced by a folder."""
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{path} does not lie in the copy")
        here = self.top
        for part in path.parts[:-1]:
            here = here / part
            if here.is_symlink() or (here.exists() and not here.is_dir()):
                here.unlink()
            here.mkdir(exist_ok=True)
        return here / path.name


@contextmanager
def copied(top: Path, *, without: Iterable[Path] = ()) -> Generator[Copy]:
    """A copy of the checkout at `top`, for as long as the block lasts.

    Args:
        without: folders that are left out.
    """
    said = git(top, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    ignored = {os.fsdecode(path.rstrip(b"/")) for path in said.split(b"\0") if path.endswith(b"/")}
    with tempfile.TemporaryDirectory(prefix="waypost-", ignore_cleanup_errors=True) as name:
        root = Path(name) / top.name
        root.mkdir()
        left_out = {folder.resolve() for folder in without} | {(top / ".git").resolve()}
        _copy(top, root, "", ignored, left_out)
        # Commands that ask git are told of the same repository.
        own = os.fsdecode(git(top, "rev-parse", "--absolute-git-dir").rstrip(b"\n"))
        (root / ".git").write_text(f"gitdir: {own}\n", "utf-8", "surrogateescape")
        yield Copy(root)


def _copy(source: Path, target: Path, place: str, ignored: Collection[str], left_out: Collection[Path]) -> None:
    with os.scandir(source) as entries:
        for entry in entries:
            inner, to = f"{place}/{entry.name}" if place else entry.name, target / entry.name
            if entry.is_symlink():
                to.symlink_to(os.readlink(entry.path))
            elif entry.is_file():
                if inner != ".git":
                    shutil.copy2(entry.path, to)
            elif entry.is_dir() and entry.name not in _CACHES and Path(entry.path).resolve() not in left_out:
                if inner in ignored:
                    to.symlink_to(Path(entry.path).absolute(), target_is_directory=True)
                else:
                    to.mkdir()
                    _copy(Path(entry.path), to, inner, ignored, left_out)
