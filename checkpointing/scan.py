"""Reading a ledger's bytes into an index, and telling a torn tail from damage.

The rules are docs/ledger-format.md, section 6. The split itself is the one of etcd's log repair: a torn end is
normal, anything else is an error.
"""

from __future__ import annotations

import contextlib
import gc
import re
from collections.abc import Generator, Iterator

from ..state.errors import LedgerCorrupt, LedgerError
from .index import LedgerIndex
from .lines import FORMAT, KINDS, SHAPELESS, BadLine, Data, acked_by, digest, parse
from .watermark import Watermark

_LINE_START = re.compile(rb'\{"number":\d+,"kind":"')


class Scan:
    """Feeds the bytes behind an index to it.

    Args:
        path: the ledger, for messages.
        index: what is known already; every intact line is added to it.
        mark: what was acknowledged; None if nothing is known about that.
    """

    def __init__(self, path: str, index: LedgerIndex, mark: Watermark | None) -> None:
        self.path = path
        self.index = index
        self.mark = mark

    def feed(self, data: bytes) -> int:
        """Take in the bytes from the end of the index to the end of the file.

        Returns:
            How many bytes at the end are a torn tail.

        Raises:
            LedgerCorrupt: there is damage that no interrupted append explains.
            LedgerError: the ledger was written by a newer version.
        """
        with _without_collector():
            return self._feed(data)

    def _feed(self, data: bytes) -> int:
        start = 0
        while (stop := data.find(b"\n", start) + 1) > 0:
            raw = data[start:stop]
            try:
                line = self._line(raw)
            except BadLine as why:
                self._judge(data[start:], why)
                return len(data) - start
            self._add(line, raw)
            self._compare_with_mark()
            start = stop
        self._judge_end(len(data) - start)
        return len(data) - start

    def _add(self, line: Data, raw: bytes) -> None:
        try:
            self.index.add(line, len(raw), digest(raw))
        except SHAPELESS as error:
            what = f"is intact, but does not hold what a line of kind {line['kind']} holds ({error!r})"
            raise self._corrupt(line["number"], what) from None

    def _line(self, raw: bytes) -> Data:
        line = parse(raw, self.index.lines + 1, self.index.last)
        self._refuse_unknown(line)
        complaint = shape_complaint(line, self.index)
        if complaint:
            raise BadLine(complaint, intact=True)
        return line

    def _refuse_unknown(self, line: Data) -> None:
        if line["kind"] not in KINDS:
            what = f"{self.path}:{line['number']}: a line of kind {line['kind']!r}"
        elif line["kind"] == "open" and line.get("format") != FORMAT:
            what = f"{self.path}: ledger format {line.get('format')!r}"
        else:
            return
        raise LedgerError(f"{what}, which this version does not know", next_step="read it with a newer version")

    def _judge(self, rest: bytes, why: BadLine) -> None:
        """Let a torn tail pass; raise for anything else that is wrong with the next line."""
        number = self.index.lines + 1
        acknowledged = self.mark is not None and self._mark_is_ours() and self.mark.line >= number
        covered = any(acked_by(raw) >= number for raw in _lines_after(rest))
        if why.intact or acknowledged or covered:
            raise self._corrupt(number, str(why))

    def _judge_end(self, torn: int) -> None:
        if self.mark is not None and self._mark_is_ours() and self.mark.line > self.index.lines:
            what = "is cut off" if torn else "is missing"
            raise self._corrupt(self.index.lines + 1, f"{what}, and line {self.mark.line} was acknowledged")

    def _compare_with_mark(self) -> None:
        mark, index = self.mark, self.index
        if mark is None or mark.line != index.lines or not self._mark_is_ours():
            return
        if (mark.end, mark.sha256) != (index.end, index.last):
            raise self._corrupt(mark.line, "is not the line that was acknowledged")

    def _mark_is_ours(self) -> bool:
        """Whether the watermark speaks of this ledger; with no line intact there is no other it could mean."""
        return self.mark is not None and self.index.genesis in ("", self.mark.genesis)

    def _corrupt(self, line: int, what: str) -> LedgerCorrupt:
        return LedgerCorrupt(self.path, line, what, readable=min(line - 1, self.index.lines))


@contextlib.contextmanager
def _without_collector() -> Generator[None]:
    """An index is no garbage, and to look for some in it again and again takes longer than to build it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _lines_after(rest: bytes) -> Iterator[bytes]:
    """Whatever looks like a line behind a damaged one, also where the newline between them is gone."""
    for start in _LINE_START.finditer(rest, 1):
        yield rest[start.start() : rest.find(b"\n", start.start()) + 1]


_SHAPES: dict[str, dict[str, type | tuple[type, ...]]] = {
    "open": {"format": int, "thread": str, "sealed": (str, type(None)), "by": dict},
    "lease": {"by": dict, "state": str},
    "tombstone": {"reason": str},
    "checkpoint": {"ns": str, "id": str, "parent": (str, type(None)), "body": dict, "metadata": dict, "values": dict},
    "writes": {"ns": str, "id": str, "task": str, "path": str, "writes": list},
}


def shape_complaint(line: Data, index: LedgerIndex) -> str:
    """What an otherwise intact line lacks or holds where it must not; empty if nothing."""
    kind = line["kind"]
    if (kind == "open") != (index.lines == 0):
        return f"a line of kind {kind} stands in the wrong place"
    if index.deleted:
        return "it stands behind a tombstone"
    if not isinstance(line["epoch"], int) or line["epoch"] < index.epoch:
        return "its epoch is lower than that of the line before"
    for key, kinds in _SHAPES[kind].items():
        if not isinstance(line.get(key), kinds):
            return f"a line of kind {kind} has no proper {key!r}"
    return ""
