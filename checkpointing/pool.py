"""The stores of this process, one for each root and thread, shared by every saver object."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from ..state.errors import LedgerError
from .disk import Disk, PosixDisk
from .files import Files
from .lines import BadLine, unseal
from .mirror import PAUSE_S
from .names import is_safe
from .store import ThreadStore

MAX_OPEN = 64
_FIRST_LINE = 16384
_CALLS_AT_ONCE = 32


class Pool:
    """The threads of one root.

    Args:
        root: the resolved folder of all threads.
        disk: the door to the operating system.
        pause_s: how long the state for people waits for one that is newer still.
    """

    def __init__(self, root: Path, disk: Disk, pause_s: float = PAUSE_S) -> None:
        self.root = root
        self.disk = disk
        self._pause_s = pause_s
        self._stores: dict[str, ThreadStore] = {}
        self.forget()
        _watch_the_process()
        _POOLS.add(self)

    def forget(self) -> None:
        """Start anew, as a forked child must: it is another writer, and its parent's locks are not its own."""
        for store in self._stores.values():
            store.drop_lock()
        self._lock = threading.Lock()
        self._stores = {}
        self._used: OrderedDict[str, ThreadStore] = OrderedDict()
        self._executor: ThreadPoolExecutor | None = None

    @property
    def executor(self) -> ThreadPoolExecutor:
        """Where coroutines have their calls made; begun when it is first asked for."""
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="waypost-ledger")
            return self._executor

    def store(self, thread: str) -> ThreadStore:
        """The store of a thread; nothing is read or made by asking for it."""
        with self._lock:
            found = self._stores.get(thread)
            if found is None:
                found = self._stores[thread] = ThreadStore(self.disk, self.root, thread, self._pause_s)
            self._used[thread] = found
            self._used.move_to_end(thread)
            if len(self._used) > MAX_OPEN:
                self._rest()
            return found

    def _rest(self) -> None:
        """Let the store that was unused for longest give its handles back, or look at it again later."""
        thread, oldest = self._used.popitem(last=False)
        # A state that waits to be written keeps the handles.
        oldest.mirror.settle()
        if not oldest.rest():
            self._used[thread] = oldest

    def opened(self) -> list[ThreadStore]:
        """The stores that were asked for so far."""
        with self._lock:
            return list(self._stores.values())

    def settle_mirrors(self) -> None:
        """Write the states for people that wait to be written."""
        for store in self.opened():
            store.mirror.settle()

    def threads(self) -> Iterator[str]:
        """The ids of all threads on disk, in the order of their folders' names."""
        try:
            folder = self.disk.open_folder(self.root)
        except FileNotFoundError:
            return
        try:
            names = self.disk.names(folder)
        finally:
            self.disk.close(folder)
        for name in names:
            if (thread := self.thread_in(name)) is not None:
                yield thread

    def thread_in(self, name: str) -> str | None:
        """The id of the thread in a folder; None if there is none."""
        try:
            files = Files(self.disk, self.root / name)
        except (FileNotFoundError, LedgerError):
            return None
        try:
            if not files.open_ledger(write=False):
                return None
            if is_safe(name):
                return name if files.size() else None
            line, newline, _ = files.read(0, _FIRST_LINE).partition(b"\n")
            return unseal(line + newline).get("thread")
        except (BadLine, LedgerError):
            return None
        finally:
            files.close()


_POOLS: weakref.WeakSet[Pool] = weakref.WeakSet()
_SHARED: dict[Path, Pool] = {}
_SHARED_LOCK = threading.Lock()


def shared_pool(root: Path, disk: Disk | None) -> Pool:
    """The pool of a root; one of its own if the disk is not the usual one."""
    resolved = Path(os.path.realpath(root.expanduser()))
    if disk is not None:
        # What happens on it, and when, is up to who made it.
        return Pool(resolved, disk, pause_s=0)
    with _SHARED_LOCK:
        found = _SHARED.get(resolved)
        if found is None:
            found = _SHARED[resolved] = Pool(resolved, PosixDisk())
        return found


@lru_cache(maxsize=1)
def _watch_the_process() -> None:
    os.register_at_fork(after_in_child=_forget_all)
    atexit.register(_settle_all)


def _settle_all() -> None:
    for pool in list(_POOLS):
        pool.settle_mirrors()


def _forget_all() -> None:
    for pool in list(_POOLS):
        pool.forget()
