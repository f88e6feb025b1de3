"""Keeping file access inside the workspace and a step's allowed paths, whatever name a file is asked for by.

A path is judged by the file that it really names: links and `..` are resolved first, and the resolved path must lie in
the workspace and, for a change, match the allowed paths. The file is then reached from the workspace's own descriptor,
one folder at a time and never through a link, so that a folder which is swapped for a link meanwhile is an error and
not a way out. A hard link is the file itself and cannot be told from it: it can be read, but a change puts a new file
in its place and leaves the other name as it was.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pathspec import PathSpec

from ...state.errors import WaypostError

READ_AT_MOST_BYTES = 8 << 20

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK a pipe in place of a file would hang the reader instead of being refused.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_GIT = ".git"


class OutOfScope(WaypostError):
    """A path that may not be read, or not be changed. Nothing was touched."""


@dataclass(frozen=True)
class Entry:
    """One name in a folder; `folder` is False for anything that is none, also for a link to one."""

    name: str
    folder: bool


class Confined:
    """The files of one workspace, as one step may see and change them.

    Args:
        root: the workspace.
        allowed: gitignore patterns of what may be changed; none means everything in the workspace.
        protected: folders in which nothing is ever changed; `.git` never is either. One that holds the workspace
            itself protects nothing.
    """

    def __init__(self, root: Path, *, allowed: Sequence[str] = (), protected: Iterable[Path] = ()) -> None:
        self._real = os.path.realpath(root)
        self._root = os.open(self._real, _FOLDER)
        self._spec = PathSpec.from_lines("gitignore", allowed) if allowed else None
        self._allowed = tuple(allowed)
        self._protected = tuple(real for real in map(os.path.realpath, protected) if not _inside(self._real, real))

    def close(self) -> None:
        """Give the descriptor of the workspace back."""
        os.close(self._root)

    def place(self, path: str) -> str:
        """The file that `path` really names, relative to the workspace; `.` for the workspace itself.

        Raises:
            OutOfScope: it lies outside, or is no path at all.
        """
        if not path or "\0" in path or not _is_unicode(path):
            raise OutOfScope(f"{path!r} is no path")
        real = os.path.realpath(os.path.join(self._real, path))
        if not _inside(real, self._real):
            raise OutOfScope(f"{path!r} lies outside the workspace")
        return os.path.relpath(real, self._real)

    def place_to_change(self, path: str) -> str:
        """As `place`, for a file that is to be written, moved or deleted.

        Raises:
            OutOfScope: it lies outside the workspace or the allowed paths, or is protected.
        """
        place = self.place(path)
        if place == "." or path.endswith(("/", "/.", "/..")):
            raise OutOfScope(f"{path!r} names a folder, not a file")
        if any(part.casefold() == _GIT for part in place.split("/")):
            raise OutOfScope(f"{path!r} belongs to git, which only git changes")
        if any(_inside(os.path.join(self._real, place), folder) for folder in self._protected):
            raise OutOfScope(f"{path!r} belongs to the records of the run")
        if self._spec is not None and not self._spec.match_file(place):
            raise OutOfScope(f"{path!r} is not among the allowed paths ({', '.join(self._allowed)})")
        return place

    def read_text(self, path: str, *, limit: int = READ_AT_MOST_BYTES, strict: bool = False) -> str:
        """The text of a file; bytes that are no UTF-8 are replaced, unless it is `strict`.

        Raises:
            OutOfScope: the path lies outside, or names no regular file of at most `limit` bytes, or no UTF-8.
            OSError: the file cannot be read.
        """
        with self._parent(self.place(path), make=False) as (parent, name):
            handle = os.open(name, _FILE, dir_fd=parent)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OutOfScope(f"{path!r} is no regular file")
            with os.fdopen(handle, "rb", closefd=False) as file:
                data = file.read(limit + 1)
        finally:
            os.close(handle)
        if len(data) > limit:
            raise OutOfScope(f"{path!r} is larger than {limit} bytes")
        try:
            return data.decode("utf-8", "strict" if strict else "replace")
        except UnicodeDecodeError:
            raise OutOfScope(f"{path!r} is no UTF-8 text") from None

    def write_text(self, path: str, text: str) -> str:
        """Put a file with this text in the place of the old one, in one step; missing folders are made.

        Returns:
            Which file that was, relative to the workspace.

        Raises:
            OutOfScope: see `place_to_change`; or what stands there is no regular file.
            OSError: the file cannot be written.
        """
        place = self.place_to_change(path)
        if not _is_unicode(text):
            raise OutOfScope(f"the text for {path!r} is no valid Unicode")
        with self._parent(place, make=True) as (parent, name):
            mode = _mode(name, parent)
            temporary = f".{name[:40]}.{secrets.token_hex(6)}.tmp"
            try:
                with open(os.open(temporary, _NEW, 0o666, dir_fd=parent), "wb") as file:
                    if mode is not None:
                        os.fchmod(file.fileno(), mode)
                    file.write(text.encode())
                os.replace(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                _remove(temporary, parent)
                raise
        return place

    def entries(self, path: str) -> list[Entry]:
        """What stands in a folder, sorted by name. Raises OutOfScope and OSError as `read_text`."""
        with self._folder(self.place(path)) as handle, os.scandir(handle) as found:
            return sorted(
                (Entry(item.name, item.is_dir(follow_symlinks=False)) for item in found), key=lambda entry: entry.name
            )

    def files(self, path: str) -> Iterator[str]:
        """Every regular file below a folder, relative to the workspace, in a fixed order; `.git` is left out.

        Raises:
            OutOfScope, OSError: as `entries`.
        """
        start = self.place(path)
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            try:
                found = self.entries(folder)
            except (OSError, OutOfScope):
                if folder == start:
                    raise
                continue
            names = [(entry, entry.name if folder == "." else f"{folder}/{entry.name}") for entry in found]
            yield from (name for entry, name in names if not entry.folder)
            waiting += [name for entry, name in reversed(names) if entry.folder and entry.name != _GIT]

    @contextmanager
    def _parent(self, place: str, *, make: bool) -> Generator[tuple[int, str], None, None]:
        folder, _, name = place.rpartition("/")
        with self._folder(folder or ".", make=make) as handle:
            yield handle, name

    @contextmanager
    def _folder(self, place: str, *, make: bool = False) -> Generator[int, None, None]:
        handle = os.dup(self._root)
        try:
            for name in () if place == "." else place.split("/"):
                if make:
                    _make_folder(name, handle)
                parent, handle = handle, _enter(name, handle, place)
                os.close(parent)
            yield handle
        finally:
            os.close(handle)


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _enter(name: str, parent: int, place: str) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise OutOfScope(f"{place!r} is reached through something that is no folder") from None
        raise


def _make_folder(name: str, parent: int) -> None:
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        return


def _mode(name: str, parent: int) -> int | None:
    """Permissions of the file that is to be replaced, None where there is none yet."""
    try:
        found = os.lstat(name, dir_fd=parent)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OutOfScope(f"{name!r} is no regular file")
    return stat.S_IMODE(found.st_mode) & 0o777


def _remove(name: str, parent: int) -> None:
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        return
