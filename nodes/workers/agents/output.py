"""Events out of an agent's output, in bounded memory: JSON objects, one a line, whatever stands between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import orjson

BLOCK = 1 << 20
MAX_LINE = 8 << 20
"""A longer line is cut, and then is no event. Far above any result; it is what bounds the memory."""


class Output:
    """The events of one log.

    Attributes:
        cut: how many lines were longer than `MAX_LINE`. Known once all events were read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.cut = 0

    def events(self, words: Iterable[str]) -> Iterator[dict[str, object]]:
        """Every line that is a JSON object and holds one of `words` as a JSON string. Raises OSError.

        Only lines with such a word are parsed, so that a gigabyte of anything else costs one search.
        """
        texts = [orjson.dumps(word) for word in sorted(set(words))]
        with self._path.open("rb") as file:
            for block in self._blocks(file):
                # Most blocks of a huge output hold none of the words, and are done with one search for each.
                for line in _objects(block) if any(text in block for text in texts) else ():
                    if any(text in line for text in texts) and (event := parse(line)) is not None:
                        yield event

    def _blocks(self, file: BinaryIO) -> Iterator[bytes]:
        """The log in pieces of whole lines; lines that are too long are left out."""
        rest = b""
        skipping = False
        while read := file.read(BLOCK):
            head, newline, tail = read.rpartition(b"\n")
            if skipping and newline:
                _, _, head = head.partition(b"\n") if b"\n" in head else (b"", b"", b"")
                skipping = False
            elif skipping:
                continue
            elif newline:
                head = rest + head
            if newline:
                yield head
                rest = tail
            else:
                rest += read
            if len(rest) > MAX_LINE:
                self.cut += 1
                rest, skipping = b"", True
        yield rest


def _objects(block: bytes) -> Iterator[bytes]:
    """The lines that begin as a JSON object does."""
    block = b"\n" + block
    start = block.find(b"\n{")
    while start >= 0:
        end = block.find(b"\n", start + 1)
        yield block[start + 1 : end if end >= 0 else len(block)]
        start = block.find(b"\n{", end) if end >= 0 else -1


def parse(line: bytes) -> dict[str, object] | None:
    """The JSON object on a line; None for anything else. Bytes that are not UTF-8 become replacement characters."""
    try:
        value = orjson.loads(line.decode("utf-8", "replace"))
    except orjson.JSONDecodeError:
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None
