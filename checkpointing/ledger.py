"""One ledger file as this process knows it: reading on, recovery, and the steps of a commit.

Not thread-safe and without a will of its own: `store.py` decides who may do what, and when. Every rule here is a
sentence of docs/ledger-format.md, sections 5, 6 and 8. Acknowledging after the sync, and syncing the folder of a new
file, are as in hashicorp/raft-wal.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

from ..state.errors import LedgerCorrupt, LedgerError, LedgerIOError, LedgerLost, LedgerNoSpace
from .commit import Group
from .disk import NO_SPACE, Disk
from .failpoints import failpoint
from .files import LEDGER, LOCK, NEW_LEDGER, QUARANTINE, SNAPSHOTS, STATE, WATERMARK, Files, cannot, telling
from .index import LedgerIndex
from .lease import conflict, patience
from .scan import Scan
from .texts import TextCache
from .view import View
from .watermark import Watermark

_TAIL = 20


class Ledger:
    """See the module.

    Args:
        disk: the door to the operating system.
        path: the thread's folder.
        thread: the thread's key, compared with the one in the file; None takes any.
        synced: is told how many seconds the sync of an append took.
    """

    def __init__(
        self, disk: Disk, path: Path, thread: str | None, synced: Callable[[float], None] = lambda seconds: None
    ) -> None:
        self._synced = synced
        self.disk = disk
        self.path = path
        self.file = path / LEDGER
        self.thread = thread
        self.reading = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Know nothing: the next look at the file starts from its first byte. Views in use keep their old file."""
        self.files: Files | None = None
        self.index = LedgerIndex()
        self.cache = TextCache()
        self.settled = 0
        self._trusted_from = 0
        self._named = False
        self._tail = b""
        self._writable = False

    def view(self) -> View:
        """What is known, for reading."""
        return View(self.index, self.opened, self.reading, self.cache)

    @property
    def opened(self) -> Files:
        """The open files, opened again if they were at rest.

        Raises:
            FileNotFoundError: they are gone.
        """
        if self.files is None:
            files = Files(self.disk, self.path)
            if self.index.lines and not files.open_ledger(write=self._writable):
                raise FileNotFoundError(self.file)
            self.files = files
        return self.files

    def make_folder(self) -> None:
        """Open the folder, and make it if it is missing; its name is synced with the first line in it."""
        if self.files is not None:
            return
        missing = [path for path in (self.path, *self.path.parents) if not path.exists()]
        for path in reversed(missing):
            self.disk.make_folder(path, sync=path != self.path)
        failpoint("ledger.create.after_folder")
        self.files = Files(self.disk, self.path)

    def lock(self) -> Files:
        """Take the file lock; what is given back unlocks it.

        Raises:
            LedgerConflict: who holds it does not move.
        """
        files = self.opened
        if not files.lock(patience()):
            raise conflict(self.index, self.file, "is locked by a process that does not move")
        return files

    @contextlib.contextmanager
    def locked(self) -> Generator[None]:
        """Hold the file lock."""
        files = self.lock()
        try:
            yield
        finally:
            files.unlock()

    def rest(self) -> None:
        """Give the handles back and keep what is known; a view that is in use keeps its own."""
        if self.files is not None:
            self._writable = self.files.writable
            self.files = None
            self.cache.clear()

    @property
    def fd(self) -> int:
        """The open ledger; only asked for while it is open."""
        fd = self.opened.ledger
        assert fd is not None
        return fd

    def refresh(self, *, entering: bool = False) -> int:
        """Bring the index up to the end of the file.

        Args:
            entering: we hold the lock of the open folder, so a ledger that is not there is yet to be made.

        Returns:
            How many bytes at the end are a torn tail.

        Raises:
            LedgerCorrupt: the file is damaged.
            LedgerError: it is of another thread, or of a newer version.
        """
        fresh = entering and self.files is not None and self.files.ledger is None
        if not fresh and not self.is_as_known(exactly=False):
            self.forget()
        try:
            files = self.opened
        except FileNotFoundError:
            return 0
        with telling("read", self.file):
            return self._read_on(files)

    def is_as_known(self, *, exactly: bool = True) -> bool:
        """Whether the file still has its name and our last line in its place; `exactly`: and nothing behind it."""
        try:
            size, end = self.opened.current_size(), self.index.end
        except FileNotFoundError:
            return False
        if size is None or size < end or (exactly and size > end):
            return False
        return self._read_tail() == self._tail

    def _read_on(self, files: Files) -> int:
        mark = files.read_mark()
        if files.ledger is None and not files.open_ledger(write=False):
            mark = files.read_mark()
            if mark is not None:
                raise LedgerCorrupt(str(self.file), 1, f"is gone, and line {mark.line} was acknowledged", readable=0)
            return 0
        scan = Scan(str(self.file), self.index, mark)
        new = files.read(self.index.end, files.size() - self.index.end)
        with self.reading:
            torn = scan.feed(new)
        if self.index.lines and self.thread not in (None, self.index.thread):
            raise LedgerError(f"{self.path} belongs to thread {self.index.thread!r}, not to {self.thread!r}")
        if mark is not None and mark.genesis == self.index.genesis:
            self.settled = max(self.settled, mark.end)
        self._tail = self._read_tail()
        return torn

    def _read_tail(self) -> bytes:
        end = self.index.end
        return self.opened.read(max(0, end - _TAIL), min(_TAIL, end))

    def recover(self, torn: int, *, power: bool) -> None:
        """Make the file end with an intact line that is on disk; make it if there is none.

        Args:
            torn: what `refresh` gave.
            power: also make sure that what looks written is on disk.
        """
        failpoint("ledger.recover.before")
        files = self.opened
        brand_new = files.ledger is None
        files.create_ledger()
        failpoint("ledger.create.after_file")
        self.disk.remove(files.folder, NEW_LEDGER)
        if torn:
            files.set_aside(self.index.lines + 1, self.index.end, torn)
            failpoint("ledger.recover.after_quarantine")
            self.disk.truncate(self.fd, self.index.end)
            failpoint("ledger.recover.after_cut")
        if power and not brand_new:
            self.settle()
        self._trusted_from = self.index.end
        failpoint("ledger.recover.after_settle")

    def settle(self) -> None:
        """Write everything past the watermark again and sync it: what only looks written becomes so."""
        files, index = self.opened, self.index
        with telling("sync", self.file):
            if not files.writable:
                files.open_ledger(write=True)
            files.write_again(min(self.settled, index.end), index.end)
            self.disk.sync(self.fd)
            files.sync_folders()
        self.settled, self._named = index.end, True
        if index.lines:
            files.write_mark(Watermark(index.lines, index.end, index.last, index.genesis))

    def write(self, group: Group, *, power: bool) -> None:
        """Append the lines of a group and take them in.

        Raises:
            LedgerLost: somebody else has written.
            LedgerNoSpace: there is no room; the file is as before.
            LedgerIOError: the disk refused; this handle must not be used again.
        """
        if not self.is_as_known():
            raise self.lost()
        if power and self.settled < self._trusted_from:
            self.settle()
        failpoint("ledger.append.before")
        self._put(group.raw)
        failpoint("ledger.append.after_write")
        if power:
            self._sync()
            if not self._named:
                self._sync_names()
            failpoint("ledger.append.after_sync")
            mark = group.mark
            self.settled = mark.end
            self.opened.write_mark(mark)
        self._take_in(group)

    def lost(self) -> LedgerLost:
        """The complaint that somebody else has written."""
        return LedgerLost(
            f"{self.file}: another writer has taken over this thread after line {self.index.lines}",
            next_step="nothing was written; acquire the thread again if it is yours",
        )

    def _put(self, data: bytes) -> None:
        try:
            self.disk.write(self.fd, self.index.end, data)
        except OSError as error:
            rolled_back = self._cut_back()
            if error.errno in NO_SPACE and rolled_back:
                raise self._no_space(len(data), error) from error
            raise cannot("write", self.file, error) from error

    def _no_space(self, size: int, error: OSError) -> LedgerNoSpace:
        return LedgerNoSpace(
            f"no room for {size} bytes in {self.file}: {error.strerror}",
            facts={"saved up to": f"line {self.index.lines}"},
            next_step="make room and try again",
        )

    def _sync(self) -> None:
        began = time.perf_counter()
        try:
            self.disk.sync(self.fd)
        except OSError as error:
            self._cut_back()
            raise cannot("sync", self.file, error) from error
        self._synced(time.perf_counter() - began)

    def _sync_names(self) -> None:
        """Put the names of a new file and its folders on disk: without them its lines are lost."""
        try:
            self.opened.sync_folders()
        except OSError as error:
            # Not cut back: the lines are on disk already, and after a power loss they would stand there again.
            raise cannot("sync the folder of", self.file, error) from error
        self._named = True

    def _cut_back(self) -> bool:
        try:
            self.disk.truncate(self.fd, self.index.end)
        except OSError:
            return False
        return True

    def _take_in(self, group: Group) -> None:
        with self.reading:
            for line in group.lines:
                self.index.add(line.data, len(line.raw), line.sha256)
        self._tail = group.lines[-1].raw[-_TAIL:]
        group.committed()
        failpoint("ledger.append.after_ack")

    def replace(self, group: Group) -> None:
        """Put the lines of a group, which are a whole ledger, in the place of this one.

        Raises:
            LedgerNoSpace, LedgerIOError: the ledger is as before.
        """
        files, disk = self.opened, self.disk
        failpoint("ledger.rewrite.before")
        try:
            disk.remove(files.folder, NEW_LEDGER)
            files.write_new(files.folder, NEW_LEDGER, group.raw)
        except OSError as error:
            disk.remove(files.folder, NEW_LEDGER)
            if error.errno in NO_SPACE:
                raise self._no_space(len(group.raw), error) from error
            raise cannot("rewrite", self.file, error) from error
        failpoint("ledger.rewrite.after_write")
        self._forget_contents()
        disk.rename(files.folder, NEW_LEDGER, LEDGER)
        failpoint("ledger.rewrite.after_rename")
        self.refresh()
        self.settled = self.index.end
        self.settle()

    def _forget_contents(self) -> None:
        """Remove what holds copies of values: mirrors and torn tails."""
        for folder in (SNAPSHOTS, QUARANTINE):
            self.disk.remove_subfolder(self.opened.folder, folder)
        for name in (STATE, STATE + ".new"):
            self.disk.remove(self.opened.folder, name)

    def remove(self) -> None:
        """Remove our files of a deleted thread, the ledger last but for the lock, then the folder if it is empty."""
        files, disk = self.opened, self.disk
        self._forget_contents()
        for name in (NEW_LEDGER, WATERMARK):
            disk.remove(files.folder, name)
        # A watermark that outlives its ledger would pass for damage, and a disk may forget names in any order.
        disk.sync_folder(files.folder)
        failpoint("ledger.delete.after_mirrors")
        disk.remove(files.folder, LEDGER)
        failpoint("ledger.delete.after_ledger")
        disk.remove(files.folder, LOCK)
        disk.remove_folder(self.path)
        parent = disk.open_folder(self.path.parent.resolve())
        try:
            disk.sync_folder(parent)
        finally:
            disk.close(parent)


def is_read_only(error: LedgerIOError) -> bool:
    """Whether the operating system refused because we may not write there (EPERM, EACCES, EROFS)."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in (1, 13, 30)
