"""A ledger as it was at one moment, for reading: no lock is held while it is used."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..state.errors import LedgerCorrupt
from .files import Files
from .index import Entry, LedgerIndex, Write
from .lines import Address, BadLine, Data, unseal
from .texts import TextCache, Texts

T = TypeVar("T")


@dataclass(frozen=True)
class Head:
    """How far a ledger goes: its file, lines, bytes, and the SHA-256 of its last line."""

    path: str
    lines: int
    bytes: int
    sha256: str


class View:
    """An index and the file it indexes. A rewritten ledger gets new ones, and the old file stays readable through this.

    Args:
        index: shared with the writer; it only grows.
        files: the open file.
        lock: guards the index while something is counted through.
        cache: texts of this ledger.
    """

    def __init__(self, index: LedgerIndex, files: Files, lock: threading.Lock, cache: TextCache) -> None:
        self.index = index
        self.path = files.ledger_path
        self.files = files
        self._lock = lock
        self.cache = cache

    @property
    def texts(self) -> Texts:
        """The values. Made anew each time: kept, it would be a cycle, and the file would stay open for a while."""
        return Texts(self.path, self.line, self.cache)

    def line(self, number: int) -> Data:
        """One line, read again from the file.

        Raises:
            LedgerCorrupt: it has changed on disk since it was indexed.
        """
        start, size = self.index.span(number)
        try:
            return unseal(self.files.read(start, size))
        except BadLine as why:
            raise LedgerCorrupt(self.path, number, str(why), readable=number - 1) from None

    def find(self, ns: str, checkpoint_id: str | None) -> Entry | None:
        """A checkpoint, or the newest of its namespace."""
        return self.index.checkpoints.get((ns, checkpoint_id)) if checkpoint_id else self.index.newest.get(ns)

    def entries(self, ns: str | None) -> list[Entry]:
        """The checkpoints of a namespace (None: of all), newest first."""
        return self._steady(lambda: self.index.in_order(ns))

    def writes(self, entry: Entry) -> list[tuple[str, Write]]:
        """The pending writes of a checkpoint with their tasks, in LangGraph's order: path, task, index."""
        held = self._steady(lambda: list(self.index.writes.get((entry.ns, entry.id), {}).items()))
        held.sort(key=lambda item: (item[1].path, *item[0]))
        return [(task, write) for (task, _), write in held]

    def value_at(self, entry: Entry, line: Data, channel: str, version: str | int | float) -> Address | None:
        """Where a channel's value at that version stands: first in the checkpoint's own line."""
        key = self.index.key(entry.ns, channel, version)
        own = line["values"].get(key[1])
        if own is None or own["version"] != key[2]:
            return self.index.values.get(key)
        return None if "empty" in own else Address(entry.line, key[1])

    def head(self) -> Head:
        """How far the ledger goes."""
        return Head(self.path, self.index.lines, self.index.end, self.index.last)

    def _steady(self, read: Callable[[], T]) -> T:
        with self._lock:
            return read()
