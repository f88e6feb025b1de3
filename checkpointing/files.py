"""The open handles of one thread's folder. Only the store makes and closes them."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

from ..state.errors import LedgerError, LedgerIOError
from .disk import Disk, Identity
from .watermark import SIZE, Watermark, read_watermark

LEDGER = "ledger.jsonl"
NEW_LEDGER = "ledger.jsonl.new"
LOCK = "lock"
WATERMARK = "watermark"
STATE = "pipeline_state.json"
SNAPSHOTS = "snapshots"
QUARANTINE = "quarantine"
_TRIES = 400
_CHUNK = 1 << 20


class Files:
    """One folder, opened; its ledger and lock are opened when they are first needed.

    Args:
        disk: the door to the operating system.
        path: the thread's folder.

    Raises:
        FileNotFoundError: there is no such folder.
        LedgerError: it is a symbolic link, or no folder.
    """

    def __init__(self, disk: Disk, path: Path) -> None:
        self.disk = disk
        self.path = path
        self.ledger_path = str(path / LEDGER)
        with telling("open the folder", path):
            self.folder = disk.open_folder(path)
        self.ledger: int | None = None
        self.writable = False
        self._ledger_is: Identity | None = None
        self._lock_is: Identity | None = None
        self._lock: int | None = None
        self._mark: int | None = None
        self._owned = [self.folder]
        self._close = weakref.finalize(self, _close_all, disk, self._owned)
        # At its end the process closes them anyway, and may have something to write before.
        self._close.atexit = False

    def close(self) -> None:
        """Give all handles back."""
        self._close()

    def drop_lock(self) -> None:
        """Close the lock file: a forked child would keep a lock that its parent died with."""
        if self._lock is not None:
            self._owned.remove(self._lock)
            self.disk.close(self._lock)
            self._lock = None

    def open_ledger(self, *, write: bool) -> bool:
        """Open the ledger; false if there is none."""
        try:
            self._take_ledger(self._open(LEDGER, write=write), writable=write)
        except FileNotFoundError:
            return False
        return True

    def create_ledger(self) -> int:
        """Open the ledger for writing, an empty one if there is none."""
        fd = self._open(LEDGER, write=True, create=True)
        self._take_ledger(fd, writable=True)
        return fd

    def _take_ledger(self, fd: int, *, writable: bool) -> None:
        self.ledger, self.writable = fd, writable
        with telling("look at", self.path / LEDGER):
            self._ledger_is = self.disk.identity(fd)

    def current_size(self) -> int | None:
        """The length of the ledger; None if the open one is not the one of that name any more."""
        found = self.disk.named(self.folder, LEDGER)
        return found[1] if found is not None and found[0] == self._ledger_is else None

    def size(self) -> int:
        """The length of the open ledger."""
        return 0 if self.ledger is None else self.disk.size(self.ledger)

    def read(self, start: int, size: int) -> bytes:
        """Bytes of the open ledger."""
        return b"" if self.ledger is None else self.disk.read(self.ledger, start, size)

    def read_mark(self) -> Watermark | None:
        """What was acknowledged, as far as is known."""
        try:
            fd = self._open(WATERMARK, keep=False)
        except OSError:
            return None
        try:
            return read_watermark(self.disk.read(fd, 0, SIZE))
        finally:
            self.disk.close(fd)

    def write_mark(self, mark: Watermark) -> None:
        """Note what was acknowledged. It is a hint: its own errors are ignored."""
        try:
            if self._mark is None:
                self._mark = self._open(WATERMARK, write=True, create=True)
            self.disk.write(self._mark, 0, mark.encode())
        except OSError:
            pass

    def lock(self, wait_for: Iterator[None]) -> bool:
        """Take the file lock; false if another holds it after all the waiting that `wait_for` grants.

        Raises:
            FileNotFoundError: it was unlinked meanwhile, and guards nothing: the folder is of a deleted thread.
        """
        fd = self._lock
        if fd is None:
            fd = self._lock = self._open(LOCK, write=True, create=True)
            self._lock_is = self.disk.identity(fd)
        if not self.disk.lock(fd, wait=False) and not any(self.disk.lock(fd, wait=False) for _ in wait_for):
            return False
        try:
            named = self.disk.named(self.folder, LOCK)
            if named is None or named[0] != self._lock_is:
                raise FileNotFoundError(f"{self.path / LOCK} was removed")
        except BaseException:
            self.disk.unlock(fd)
            raise
        return True

    def unlock(self) -> None:
        """Give the file lock back."""
        if self._lock is not None:
            self.disk.unlock(self._lock)

    def set_aside(self, line: int, start: int, size: int) -> None:
        """Copy a torn tail into the quarantine folder; a disk too full for the copy does not stop recovery."""
        name = f"line{line}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.torn"
        with contextlib.suppress(OSError):
            folder = self.disk.open_subfolder(self.folder, QUARANTINE, create=True)
            try:
                self.write_new(folder, name, self.read(start, size))
            finally:
                self.disk.close(folder)

    def write_again(self, start: int, stop: int) -> None:
        """Write these bytes of the ledger over themselves: what only looked written is dirty again."""
        fd = self.ledger
        assert fd is not None
        for at in range(start, stop, _CHUNK):
            self.disk.write(fd, at, self.disk.read(fd, at, min(_CHUNK, stop - at)))

    def write_new(self, folder: int, name: str, data: bytes) -> None:
        """Make a file in a folder and put it on disk."""
        fd = self.disk.open_file(folder, name, write=True, create=True)
        try:
            self.disk.write(fd, 0, data)
            self.disk.sync(fd)
        finally:
            self.disk.close(fd)

    def sync_folders(self) -> None:
        """Put the names on disk: of the files, of the folder, and of the root."""
        self.disk.sync_folder(self.folder)
        for above in (self.path.parent, self.path.parent.parent):
            with contextlib.suppress(PermissionError):
                fd = self.disk.open_folder(above.resolve())
                try:
                    self.disk.sync_folder(fd)
                finally:
                    self.disk.close(fd)

    def _open(self, name: str, *, write: bool = False, create: bool = False, keep: bool = True) -> int:
        with telling("open", self.path / name):
            fd = self.disk.open_file(self.folder, name, write=write, create=create)
        if keep:
            self._owned.append(fd)
        return fd


def cannot(what: str, path: Path, error: OSError) -> LedgerError:
    """The complaint about a call that the operating system refused."""
    why = error.strerror or error
    return LedgerIOError(f"cannot {what} {path}: {why}", next_step="check the path and its permissions")


@contextlib.contextmanager
def telling(what: str, path: Path) -> Generator[None]:
    """Turn an error of the operating system into ours. A file that is not there is left to who knows what it means."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise cannot(what, path, error) from error


def _close_all(disk: Disk, owned: list[int]) -> None:
    for fd in owned:
        with contextlib.suppress(OSError):
            disk.close(fd)
