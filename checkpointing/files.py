"""The open handles of one thread's folder. Only the store makes and closes them."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

from ..state.errors import LedgerError, LedgerIOError
from .disk import Disk
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
        self._lock: int | None = None
        self._mark: int | None = None
        self._owned = [self.folder]
        self._close = weakref.finalize(self, _close_all, disk, self._owned)

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
            self.ledger = self._open(LEDGER, write=write)
        except FileNotFoundError:
            return False
        self.writable = write
        return True

    def create_ledger(self) -> int:
        """Open the ledger for writing, an empty one if there is none."""
        self.ledger = self._open(LEDGER, write=True, create=True)
        self.writable = True
        return self.ledger

    def is_current(self) -> bool:
        """Whether the open ledger is still the one of that name."""
        return self.ledger is not None and self.disk.is_named(self.folder, LEDGER, self.ledger)

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
        with contextlib.suppress(OSError):
            if self._mark is None:
                self._mark = self._open(WATERMARK, write=True, create=True)
            self.disk.write(self._mark, 0, mark.encode())

    @contextlib.contextmanager
    def locked(self, wait_for: Iterator[None]) -> Generator[bool]:
        """Hold the file lock; false if another holds it after all the waiting that `wait_for` grants.

        A lock that was unlinked while we waited guards nothing: then the folder is of a deleted thread.
        """
        if self._lock is None:
            self._lock = self._open(LOCK, write=True, create=True)
        held = self.disk.lock(self._lock, wait=False) or any(self.disk.lock(self._lock, wait=False) for _ in wait_for)
        try:
            if held and not self.disk.is_named(self.folder, LOCK, self._lock):
                raise FileNotFoundError(f"{self.path / LOCK} was removed")
            yield held
        finally:
            if held:
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
