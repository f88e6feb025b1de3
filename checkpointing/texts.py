"""Finding the text of a stored value: straight, by reference, or by following edits from a full copy."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import orjson

from .edits import apply_edit
from .lines import Address, Data
from .packed import Packed, no_value

_CACHE_BYTES = 16 << 20
_RECENT = 4
_FULL = ("json", "msgpack", "base64")


class TextCache:
    """The texts used last, up to a number of bytes; shared by the threads of a process."""

    def __init__(self, limit: int = _CACHE_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._texts: OrderedDict[Address, Packed] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, at: Address) -> Packed | None:
        """A text if it is still here."""
        with self._lock:
            found = self._texts.get(at)
            if found is not None:
                self._texts.move_to_end(at)
            return found

    def put(self, at: Address, packed: Packed) -> None:
        """Keep a text; the ones unused for longest go."""
        with self._lock:
            if at in self._texts or packed.size() > self._limit // 4:
                return
            self._texts[at] = packed
            self._size += packed.size()
            while self._size > self._limit:
                _, gone = self._texts.popitem(last=False)
                self._size -= gone.size()

    def clear(self) -> None:
        """Forget all: addresses mean something else from now on."""
        with self._lock:
            self._texts.clear()
            self._size = 0


class Texts:
    """The values of one ledger, by address.

    Args:
        path: the ledger, for messages.
        read_line: gives a line as parsed JSON.
        cache: where texts are kept for the next time.
    """

    def __init__(self, path: str, read_line: Callable[[int], Data], cache: TextCache) -> None:
        self.path = path
        self._read_line = read_line
        self._cache = cache
        self._recent: dict[int, Data] = {}

    def at(self, at: Address) -> Packed:
        """The value stored at an address, in full.

        Raises:
            LedgerCorrupt: there is none.
        """
        edits: list[Data] = []
        cursor = at
        while (found := self._cache.get(cursor)) is None:
            value = self.stored(cursor)
            if "grown" not in value:
                found = self.inline(value)
                break
            edits.append(value["grown"]["edit"])
            cursor = self.earlier(cursor, value["grown"]["from"])
        if edits:
            found = _edited(found, edits)
        self._cache.put(at, found)
        return found

    def inline(self, value: Data) -> Packed:
        """The value that stands right here."""
        form = form_of(value)
        return Packed(form, orjson.dumps(value[form]), value.get("type"))

    def stored(self, at: Address) -> Data:
        """The VALUE at an address or, if that is a reference, the one it refers to; it must not be changed."""
        try:
            line = self.line(at.line)
            value: Data = line["values"][at.at] if line["kind"] == "checkpoint" else line["writes"][at.at]
            return self.stored(Address.of(value["same"])) if "same" in value else value
        except (KeyError, IndexError, TypeError):
            raise no_value(self.path, at.line, at.line - 1) from None

    def line(self, number: int) -> Data:
        """A line that must not be changed; the ones asked for last are not read again."""
        found = self._recent.get(number)
        if found is None:
            found = self._read_line(number)
            self.remember(number, found)
        return found

    def remember(self, number: int, line: Data) -> None:
        """A line has been read: its values are likely to be asked for next."""
        if len(self._recent) >= _RECENT:
            del self._recent[next(iter(self._recent))]
        self._recent[number] = line

    def earlier(self, at: Address, origin: Data) -> Address:
        """Where a change starts from: an earlier line, or a damaged ledger could lead us round in a circle."""
        found = Address.of(origin)
        if found.line >= at.line:
            raise no_value(self.path, at.line, at.line - 1)
        return found


def form_of(value: Data) -> str:
    """The form of a value that stands in full.

    Raises:
        ValueError: it has none.
    """
    for form in _FULL:
        if form in value:
            return form
    raise ValueError("a value without a form")


def _edited(found: Packed, edits: list[Data]) -> Packed:
    tree: Any = orjson.loads(found.text)
    for edit in reversed(edits):
        tree = apply_edit(tree, edit)
    return Packed(found.form, orjson.dumps(tree), found.type)
