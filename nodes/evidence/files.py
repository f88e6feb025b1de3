"""Reading the files a record names, and finding the folder evidence goes to: by descriptor, never through a link."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar

from ...state.errors import EvidenceError

CHUNK = 1 << 18
READ_MOST = 256 << 20

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK a pipe put in place of a log would hang the run instead of being refused.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Copied:
    """What really passed through a copy."""

    size: int
    sha256: str
    last: bytes


def pump(stream: BinaryIO, size: int, sink: Callable[[bytes], object]) -> Copied:
    """Copy at most `size` bytes to `sink`, a chunk at a time, and say what they were."""
    digest, left, last = hashlib.sha256(), size, b""
    while left and (chunk := stream.read(min(left, CHUNK))):
        digest.update(chunk)
        sink(chunk)
        left -= len(chunk)
        last = chunk[-1:]
    return Copied(size - left, digest.hexdigest(), last)


@dataclass(frozen=True)
class RunFile:
    """One open, regular file of a run. `path` is relative to the run's folder."""

    path: str
    stream: BinaryIO
    size: int

    def copy(self, sink: Callable[[bytes], object]) -> Copied:
        """Copy the bytes the file had when it was opened, and hash them on the way."""
        return pump(self.stream, self.size, sink)

    def require(self, recorded: str, found: str) -> None:
        """Refuse a file that is not what the record says, or that grew while it was read.

        Raises:
            EvidenceError: with the path and both hashes.
        """
        if self.stream.read(1):
            found = f"{found} of the first {self.size} bytes, and more after them"
        if found != recorded:
            raise EvidenceError(
                f"{self.path} does not hold the bytes that were recorded",
                facts={"recorded sha256": recorded, "found sha256": found},
                next_step="restore the file from a copy; no report was written over this",
            )


class RunFolder:
    """The folder of one run, held open. Made by `open_run_folder`."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @contextmanager
    def open(self, path: str) -> Generator[RunFile, None, None]:
        """A file of the run.

        Raises:
            EvidenceError: the path leaves the folder, is missing, is reached through a link, or is no regular file.
        """
        *folders, name = _parts(path)
        with self._folder(path, folders) as fd, _refusals(path):
            stream = os.fdopen(os.open(name, _FILE, dir_fd=fd), "rb")
        with stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise EvidenceError(f"{path} is no regular file")
            yield RunFile(path, stream, found.st_size)

    def read(self, path: str, most: int = READ_MOST) -> bytes:
        """The bytes of a file of the run. Raises EvidenceError as `open`, or where it holds more than `most`."""
        with self.open(path) as file:
            if file.size > most:
                raise EvidenceError(f"{path} has {file.size} bytes, too many to be what it should be")
            pieces: list[bytes] = []
            file.copy(pieces.append)
            return b"".join(pieces)

    def sha256(self, path: str) -> str | None:
        """The hash of a file of the run, None where it does not exist. Raises EvidenceError as `open`."""
        try:
            with self.open(path) as file:
                return file.copy(_nowhere).sha256
        except _Missing:
            return None

    def verify(self, path: str, recorded: str) -> None:
        """Raises EvidenceError unless the file is there and has the recorded hash."""
        with self.open(path) as file:
            file.require(recorded, file.copy(_nowhere).sha256)

    def names(self, folder: str) -> tuple[str, ...]:
        """Names of the regular files in a folder of the run, sorted; none where the folder does not exist.

        Raises:
            EvidenceError: the folder is reached through a link, or is no folder.
        """
        try:
            with self._folder(folder, _parts(folder)) as fd:
                return tuple(name for name in sorted(os.listdir(fd)) if _is_plain(name, fd))
        except _Missing:
            return ()

    @contextmanager
    def make(self, *names: str) -> Generator[int, None, None]:
        """Descriptor of a folder below the run's folder, made where it is missing, readable by its owner only.

        Its name is on the disk when the block ends well: what is written in it is of no use before.

        Raises:
            EvidenceError: a link or a file stands in the way.
        """
        fds, path = [os.dup(self._fd)], ""
        try:
            for name in names:
                path = f"{path}/{name}" if path else name
                with _refusals(path):
                    fds.append(_make_folder(fds[-1], name))
            yield fds[-1]
            # After the files in it: the sync of the first of them has brought the names along on most file systems.
            for parent in reversed(fds[:-1]):
                with _refusals(path):
                    os.fsync(parent)
        finally:
            for fd in fds:
                os.close(fd)

    @contextmanager
    def _folder(self, path: str, names: list[str]) -> Generator[int, None, None]:
        fd = os.dup(self._fd)
        try:
            for name in names:
                with _refusals(path):
                    parent, fd = fd, os.open(name, _FOLDER, dir_fd=fd)
                os.close(parent)
            yield fd
        finally:
            os.close(fd)


class HashedOnce(RunFolder):
    """The folder of a run that nobody writes to any more: a file is hashed once, however often its hash is asked for.

    Identity, size and times are compared each time, so that a file that was replaced meanwhile is hashed again.
    """

    def __init__(self, fd: int) -> None:
        super().__init__(fd)
        self._known: dict[str, tuple[tuple[int, ...], str]] = {}

    def sha256(self, path: str) -> str | None:
        """As `RunFolder.sha256`."""
        try:
            return self._hash(path)
        except _Missing:
            return None

    def verify(self, path: str, recorded: str) -> None:
        """As `RunFolder.verify`."""
        self._hash(path, recorded)

    def _hash(self, path: str, recorded: str | None = None) -> str:
        with self.open(path) as file:
            facts = os.fstat(file.stream.fileno())
            what = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
            if self._known.get(path, ((), ""))[0] != what:
                self._known[path] = (what, file.copy(_nowhere).sha256)
            file.stream.seek(file.size)
            found = self._known[path][1]
            if recorded is not None:
                file.require(recorded, found)
            return found


Kind = TypeVar("Kind", bound=RunFolder)


@contextmanager
def open_run_folder(run_dir: Path) -> Generator[RunFolder, None, None]:
    """Hold the folder of a run open.

    Raises:
        EvidenceError: it is missing, a link, or no folder.
    """
    with _opened(run_dir, RunFolder) as run:
        yield run


@contextmanager
def open_to_audit(run_dir: Path) -> Generator[HashedOnce, None, None]:
    """Hold the folder of a run open, each file of which is hashed once. Raises EvidenceError as `open_run_folder`."""
    with _opened(run_dir, HashedOnce) as run:
        yield run


@contextmanager
def _opened(run_dir: Path, kind: type[Kind]) -> Generator[Kind, None, None]:
    with _refusals(str(run_dir)):
        fd = os.open(run_dir, _FOLDER)
    try:
        yield kind(fd)
    finally:
        os.close(fd)


class _Missing(EvidenceError):
    pass


def _is_plain(name: str, fd: int) -> bool:
    try:
        return stat.S_ISREG(os.lstat(name, dir_fd=fd).st_mode)
    except FileNotFoundError:
        # Who writes a file whole gives it another name first, and takes that away.
        return False


def _nowhere(_chunk: bytes) -> None:
    return None


def _parts(path: str) -> list[str]:
    parts = list(PurePosixPath(path).parts)
    if not parts or ".." in parts or path.startswith("/") or "\0" in path:
        raise EvidenceError(f"{path!r} is no path inside the run's folder")
    return parts


def _make_folder(parent: int, name: str) -> int:
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent)
    fd = os.open(name, _FOLDER, dir_fd=parent)
    try:
        os.fchmod(fd, 0o700)
    except OSError:
        os.close(fd)
        raise
    return fd


@contextmanager
def _refusals(path: str) -> Generator[None, None, None]:
    try:
        yield
    except FileNotFoundError:
        raise _Missing(f"{path} is missing", next_step="restore the file from a copy") from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise EvidenceError(f"{path} is reached through a link, or through something that is no folder") from None
        raise EvidenceError(f"{path} cannot be opened: {error.strerror}") from error
