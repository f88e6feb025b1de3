"""A stored value as it stands in a line: its form and its text, read without LangGraph and the class of the value."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from ..state.errors import LedgerCorrupt
from .image import plain
from .lines import Data

HASHED_FROM = 1024


@dataclass(slots=True)
class Packed:
    """A serialised value: its form, the serializer's type tag if it is opaque, and the JSON text of its X.

    Attributes:
        items: how many items it has if it is a list; None as long as nobody has counted.
        data: the serializer's bytes, where they may help to read those of the next version.
        parts: the items of a list that `data` was made of, where none of them can change.
    """

    form: str
    text: bytes
    type: str | None = None
    items: int | None = None
    data: bytes | None = None
    parts: tuple[Any, ...] = ()
    _sha256: str | None = None

    def size(self) -> int:
        """How much memory it takes."""
        return len(self.text) + len(self.data or b"")

    def count(self) -> int:
        """How many items a list has."""
        if self.items is None:
            self.items = len(orjson.loads(self.text))
        return self.items

    @property
    def sha256(self) -> str | None:
        """The hash by which an equal value is found again; None for a value too small to be worth it."""
        if self._sha256 is None and len(self.text) >= HASHED_FROM:
            self._sha256 = hashlib.sha256(self.form.encode() + b" " + self.text).hexdigest()
        return self._sha256

    def json(self) -> Data:
        """The VALUE that stores it in full."""
        data: Data = {"type": self.type} if self.form == "base64" else {}
        data[self.form] = orjson.Fragment(self.text)
        if len(self.text) >= HASHED_FROM:
            data["sha256"] = self.sha256
        return data


def for_people(form: str, tree: Any) -> Any:
    """A stored value as plain JSON for a mirror; not reversible."""
    return plain(tree) if form == "msgpack" else tree


def forms_of(value: Data) -> Iterable[str]:
    """The forms a stored VALUE claims to have; exactly one in an intact ledger."""
    return [form for form in ("json", "msgpack", "base64", "same", "grown", "empty") if form in value]


def no_value(path: str, line: int, readable: int) -> LedgerCorrupt:
    """The complaint about a reference to nothing."""
    return LedgerCorrupt(path, line, "refers to a value that is not there", readable=readable)
