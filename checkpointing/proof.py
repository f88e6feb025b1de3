"""Reading a ledger that exists only in memory before it takes the place of one on disk."""

from __future__ import annotations

import threading
from typing import cast

from ..state.errors import LedgerCorrupt, LedgerError
from .files import Files
from .index import LedgerIndex
from .scan import Scan
from .texts import TextCache
from .view import View
from .whole import complaints


def prove(raw: bytes, path: str) -> None:
    """See that all lines of a new ledger fit, and that each of its values can be put together.

    Args:
        raw: the new ledger.
        path: the one it is to replace, for messages.

    Raises:
        LedgerError: it does not hold what it should; the old one must stay.
    """
    index = LedgerIndex()
    files = cast(Files, _InMemory(raw, path))
    try:
        Scan(path, index, None).feed(raw)
        found = complaints(View(index, files, threading.Lock(), TextCache()))
    except LedgerCorrupt as damage:
        found = [(damage.line, damage.what)]
    if found or index.end != len(raw):
        line, what = found[0] if found else (index.lines + 1, "cannot be read")
        raise LedgerError(
            f"{path} was not rewritten: line {line} of the new ledger: {what}",
            next_step="nothing was changed, and the thread can go on; please report this as an error in Waypost",
        )


class _InMemory:
    """As much of `Files` as a view reads from."""

    def __init__(self, raw: bytes, path: str) -> None:
        self._raw = raw
        self.ledger_path = path

    def read(self, start: int, size: int) -> bytes:
        return self._raw[start : start + size]
