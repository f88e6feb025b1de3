"""One line of the ledger: how it is written, and what makes it intact.

The layout is docs/ledger-format.md, section 2.
"""

from __future__ import annotations

import hashlib
import zlib
from itertools import islice
from typing import Any, NamedTuple

import orjson

FORMAT = 1
KINDS = frozenset({"open", "checkpoint", "writes", "lease", "tombstone"})
GENESIS = "0" * 64
SHAPELESS = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What comes of reading a line that is well-formed and that we did not write."""

_SEAL = b',"check":"%08x"}\n'
_SEAL_SIZE = len(_SEAL % 0)
_HEADER = ("number", "kind", "time", "writer", "epoch", "acked", "prev")

Data = dict[str, Any]


class BadLine(Exception):
    """Why some bytes are not the line that belongs in their place.

    Attributes:
        intact: the bytes are a whole line in themselves, only not the one expected here.
    """

    def __init__(self, why: str, *, intact: bool = False) -> None:
        super().__init__(why)
        self.intact = intact


class Address(NamedTuple):
    """Where a value is stored: a line, and a channel (checkpoint line) or a position (writes line)."""

    line: int
    at: str | int

    @classmethod
    def of(cls, data: Data) -> Address:
        """Read the JSON form."""
        return cls(data["line"], data["at"])

    def json(self) -> Data:
        """The JSON form."""
        return {"line": self.line, "at": self.at}


def seal(data: Data) -> bytes:
    """Write an object as one line that ends with its own checksum."""
    return seal_head(orjson.dumps(data)[:-1])


def seal_head(head: bytes) -> bytes:
    """End a line of which everything but the checksum and the last brace is there."""
    return head + _SEAL % zlib.crc32(head)


def unseal(raw: bytes) -> Data:
    """Read a line that `seal` wrote.

    Raises:
        BadLine: a byte of it is not as it was written.
    """
    head, tail = raw[:-_SEAL_SIZE], raw[-_SEAL_SIZE:]
    if tail != _SEAL % zlib.crc32(head):
        raise BadLine("its checksum does not fit its bytes")
    try:
        data: object = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadLine(f"it is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise BadLine("it is not an object")
    return data  # pyright: ignore[reportUnknownVariableType]


def digest(raw: bytes) -> str:
    """The hash by which the next line, and the watermark, know this one."""
    return hashlib.sha256(raw).hexdigest()


def parse(raw: bytes, number: int, prev: str) -> Data:
    """Read line `number` of a ledger, which follows the line with the hash `prev`.

    Raises:
        BadLine: it is damaged, or intact and not the line that belongs here.
    """
    data = unseal(raw)
    if tuple(islice(data, len(_HEADER))) != _HEADER or not isinstance(data["kind"], str):
        raise BadLine("it does not begin with the keys of a ledger line", intact=True)
    if data["number"] != number:
        raise BadLine(f"it is line {data['number']}, not line {number}", intact=True)
    if data["prev"] != prev:
        raise BadLine("it does not follow the line before it", intact=True)
    return data


def acked_by(raw: bytes) -> int:
    """Up to which line an intact line testifies that it was acknowledged; -1 if the bytes are no intact line."""
    try:
        data = unseal(raw)
    except BadLine:
        return -1
    acked = data.get("acked")
    return acked if isinstance(acked, int) else -1
