"""Following runs while they go on, also in other processes: what a page shows is compared with the files it is from."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import threading
from collections.abc import AsyncIterator
from heapq import nlargest
from itertools import chain, islice
from pathlib import Path

from starlette.requests import Request
from starlette.responses import StreamingResponse

from ..nodes.recall import is_batch
from .index import Index, Listing
from .ledgers import is_folder_name

POLL_S = 0.4
_QUIET_S = 15.0
_AT_ONCE, _WAITING_FOR = 50, 50
_LISTENED_S, _UNHEARD_S = 1.0, 30.0
# What grows while a run goes on; the names of attempts and rounds are found, not guessed.
_FOLLOWED = ("ledger.jsonl", "dispatch/*/attempt-*/stdout.log", "dispatch/*/attempt-*/stderr.log", "checks/*/*")
_LOOKED_AT, _FILES_AT_MOST = 20_000, 400


class Follower:
    """Keeps the list up to date, and tells browsers that something has changed; what, they ask for again.

    Args:
        index: all runs.
        root: the runs folder.
    """

    def __init__(self, index: Index, root: Path) -> None:
        self._index = index
        self._root = root
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._listeners = 0
        self._thread = threading.Thread(target=self._read_on, name="waypost-view-index", daemon=True)

    def start(self) -> None:
        """Begin to read the runs."""
        self._thread.start()

    def leave(self) -> None:
        """Let all streams of events end."""
        self._stopped.set()
        self._wake.set()

    def stop(self) -> None:
        """End, and keep what is known for the next start."""
        self.leave()
        if self._thread.is_alive():
            self._thread.join()
        self._index.close()

    def listing(self) -> Listing:
        """The runs as they are now; where very many are new, as far as they are read."""
        return self._index.glance(at_most=_WAITING_FOR)

    def mark(self, name: str | None) -> str:
        """A short text that is another one as soon as a page shows something old."""
        if name is None:
            return str(self._index.listing.version)
        if not is_folder_name(name):
            return ""
        folder = self._root / name
        # A driver that is killed changes no file, and a batch shows what its tasks' runs do.
        others = self._index.listing.version if is_batch(folder) else 0
        told = "\n".join([*_sizes(folder), f"{self._index.driver_of(name)} {others}"])
        return hashlib.sha256(os.fsencode(told)).hexdigest()[:16]

    async def events(self, request: Request) -> StreamingResponse:
        """Server-sent events: `moved` with the newest mark, at once and whenever it changes."""
        name = request.path_params.get("name")
        headers = {"x-accel-buffering": "no"}
        return StreamingResponse(self._events(name), media_type="text/event-stream", headers=headers)

    async def _events(self, name: str | None) -> AsyncIterator[str]:
        self._listeners += 1
        self._wake.set()
        seen, quiet_s = "", 0.0
        try:
            while not self._stopped.is_set():
                mark = await asyncio.to_thread(self.mark, name)
                if mark != seen:
                    seen, quiet_s = mark, 0.0
                    yield f"event: moved\ndata: {mark}\n\n"
                elif quiet_s >= _QUIET_S:
                    quiet_s = 0.0
                    # A browser that has gone is only noticed by writing to it.
                    yield ": still here\n\n"
                await asyncio.sleep(POLL_S)
                quiet_s += POLL_S
        finally:
            self._listeners -= 1

    def _read_on(self) -> None:
        while not self._stopped.is_set():
            missing = 0
            # Who asks for the list is told what is wrong with the folder; it may be mended meanwhile.
            with contextlib.suppress(OSError):
                missing = self._index.refresh(at_most=_AT_ONCE, stop=self._stopped.is_set).missing
            if not missing:
                self._wake.wait(_LISTENED_S if self._listeners else _UNHEARD_S)
                if self._listeners:
                    self._stopped.wait(_LISTENED_S)
                self._wake.clear()


def _sizes(folder: Path) -> list[str]:
    """What tells that a file has changed: of very many files those that were written last, for only they go on."""
    found: list[tuple[int, str]] = []
    for path in islice(chain.from_iterable(folder.glob(pattern) for pattern in _FOLLOWED), _LOOKED_AT):
        with contextlib.suppress(OSError):
            told = os.lstat(path)
            found.append((told.st_mtime_ns, f"{path} {told.st_ino} {told.st_size}"))
    return [f"{at} {told}" for at, told in nlargest(_FILES_AT_MOST, found)]
