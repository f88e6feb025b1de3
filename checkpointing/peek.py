"""The newest values of a thread, read without LangGraph and without building an index: for lists and for live views.

A ledger in which every line follows its predecessor is read from its end: only lines that hold what was asked for are
parsed. Whatever is not like that is left to the reader that knows torn tails from damage. No lock is taken, nothing is
written, and no object of a stored class is built.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ..state.errors import LedgerCorrupt, LedgerError
from .disk import PosixDisk
from .files import LEDGER, WATERMARK, telling
from .image import plain
from .lease import writer_of
from .ledger import Ledger
from .lines import FORMAT, GENESIS, SHAPELESS, Address, BadLine, Data, unseal
from .people import people, state_at
from .texts import TextCache, Texts
from .watermark import SIZE, Watermark, read_watermark
from .writer import Process, WriterInfo

_HEAD = re.compile(
    rb'\{"number":(\d+),"kind":"(\w+)","time":"[^"]*","writer":"[^"]*","epoch":\d+,"acked":\d+,"prev":"(\w{64})"'
)
_DISK = PosixDisk()


@dataclass(frozen=True)
class Peek:
    """A thread as its ledger shows it now.

    Attributes:
        values: channel -> value as plain JSON, of those that were asked for and have one; empty before the first
            checkpoint.
        writer: who writes it.
        lines: how many intact lines there are.
    """

    thread: str
    values: dict[str, Any]
    writer: WriterInfo | None
    lines: int


def peek(folder: Path, channels: Collection[str] | None = None) -> Peek | None:
    """Look at the newest checkpoint of the root namespace.

    Args:
        folder: of the thread.
        channels: which of its channels; None for all.

    Returns:
        None where the folder holds no ledger, or only what a deletion left.

    Raises:
        LedgerCorrupt: it is damaged.
        LedgerError: it is encrypted, of a newer version, or cannot be read.
    """
    try:
        with telling("read", folder / LEDGER):
            data, mark = _read(folder)
    except FileNotFoundError:
        data, mark = b"", None
    lines = _Lines.whole(str(folder / LEDGER), data, mark)
    try:
        found = lines.peek(channels) if lines else None
    except (BadLine, *SHAPELESS):
        found = None
    return found or _with_an_index(folder, channels)


def _with_an_index(folder: Path, channels: Collection[str] | None) -> Peek | None:
    """The same from the reader that knows every case."""
    ledger = Ledger(_DISK, folder, None)
    ledger.refresh()
    index = ledger.index
    if not index.lines or index.deleted:
        return None
    if index.sealed is not None:
        raise LedgerError(f"{ledger.file} is encrypted: it cannot be read without its key")
    view = ledger.view()
    entry = index.newest.get("")
    try:
        values = state_at(view, entry) if entry is not None else {}
    except SHAPELESS as error:
        raise LedgerCorrupt(str(ledger.file), index.lines, f"cannot be read ({error!r})", readable=0) from error
    kept = {name: value for name, value in values.items() if channels is None or name in channels}
    return Peek(index.thread, kept, writer_of(index), index.lines)


def _read(folder: Path) -> tuple[bytes, Watermark | None]:
    with _opened(lambda: _DISK.open_folder(folder)) as inside:
        mark = None
        with contextlib.suppress(OSError), _opened(lambda: _DISK.open_file(inside, WATERMARK)) as fd:
            mark = read_watermark(_DISK.read(fd, 0, SIZE))
        # After the watermark: what that speaks of is in the ledger by now.
        with _opened(lambda: _DISK.open_file(inside, LEDGER)) as fd:
            return _DISK.read(fd, 0, _DISK.size(fd)), mark


@contextlib.contextmanager
def _opened(opener: Callable[[], int]) -> Generator[int]:
    fd = opener()
    try:
        yield fd
    finally:
        _DISK.close(fd)


class _Lines:
    """The lines of a ledger without a flaw; each is parsed when it is needed."""

    def __init__(self, path: str, data: bytes, spans: list[tuple[int, int]], kinds: list[bytes]) -> None:
        self._data = data
        self._spans = spans
        self._kinds = kinds
        self._parsed: dict[int, Data] = {}
        self._texts = Texts(path, self._line, TextCache())

    @classmethod
    def whole(cls, path: str, data: bytes, mark: Watermark | None) -> _Lines | None:
        """The lines, if each follows the one before it and none that was acknowledged is missing; else None."""
        spans: list[tuple[int, int]] = []
        kinds: list[bytes] = []
        end, before, hashes = 0, GENESIS, [GENESIS]
        while (stop := data.find(b"\n", end) + 1) > 0:
            head = _HEAD.match(data, end, stop)
            if head is None or int(head[1]) != len(spans) + 1 or head[3] != before.encode():
                return None
            before = hashlib.sha256(data[end:stop]).hexdigest()
            hashes.append(before)
            spans.append((end, stop))
            kinds.append(head[2])
            end = stop
        if not spans or end != len(data) or b"tombstone" in kinds:
            return None
        if mark is not None and (
            mark.genesis != hashes[1] or mark.line > len(spans) or mark.sha256 != hashes[mark.line]
        ):
            return None
        return cls(path, data, spans, kinds)

    def peek(self, channels: Collection[str] | None) -> Peek | None:
        """What was asked for; None where it takes more than this to find it."""
        first = self._line(1)
        if first["kind"] != "open" or first["format"] != FORMAT or first["sealed"] is not None:
            return None
        # The hash of every other line stands in the line that follows it.
        self._line(len(self._spans))
        newest = next(
            (
                n
                for n in range(len(self._spans), 0, -1)
                if self._kinds[n - 1] == b"checkpoint" and not self._line(n)["ns"]
            ),
            None,
        )
        if newest is None:
            return Peek(first["thread"], {}, self._writer(first), len(self._spans))
        line = self._line(newest)
        if self._data.find(b'"ns":"","id":%b,"parent"' % orjson.dumps(line["id"])) < self._spans[newest - 1][0]:
            return None
        versions = self._value(line["body"], None)["channel_versions"]
        values: dict[str, Any] = {}
        for channel, version in versions.items():
            if channels is None or channel in channels:
                at = self._place(newest, channel, version)
                if at is not None:
                    values[channel] = self._value(self._line(at.line)["values"][channel], at)
        return Peek(first["thread"], values, self._writer(first), len(self._spans))

    def _place(self, newest: int, channel: str, version: Any) -> Address | None:
        """Where the value of a channel at a version stands: in the newest line up to `newest` that says so."""
        # What got its value in one step stands in one line, and that is often known already.
        for number, line in self._parsed.items():
            if number <= newest and self._holds(line, channel, version):
                return None if "empty" in line["values"][channel] else Address(number, channel)
        needle = b"%b:{%b:%b" % (orjson.dumps(channel), b'"version"', orjson.dumps(version))
        number, stop = newest, self._spans[newest - 1][1]
        while (found := self._data.rfind(needle, 0, stop)) >= 0:
            while self._spans[number - 1][0] > found:
                number -= 1
            if self._kinds[number - 1] == b"checkpoint":
                line = self._line(number)
                if self._holds(line, channel, version):
                    return None if "empty" in line["values"][channel] else Address(number, channel)
            stop = found
        return None

    @staticmethod
    def _holds(line: Data, channel: str, version: Any) -> bool:
        stored = line["values"].get(channel) if line["kind"] == "checkpoint" and not line["ns"] else None
        return stored is not None and stored["version"] == version

    def _value(self, stored: Data, at: Address | None) -> Any:
        """A stored value for people, without a detour over its text where it stands in full."""
        if "json" in stored:
            return stored["json"]
        if "msgpack" in stored:
            return plain(stored["msgpack"])
        return people(self._texts.at(at) if at is not None else self._texts.inline(stored))

    def _writer(self, first: Data) -> WriterInfo:
        held = next((n for n in range(len(self._spans), 1, -1) if self._kinds[n - 1] == b"lease"), None)
        lease = first if held is None else self._line(held)
        by = Process.of(lease["by"])
        epoch = self._line(len(self._spans))["epoch"]
        released = lease.get("state") == "released"
        return WriterInfo(by.pid, by.started, by.host, by.boot, epoch, by.alive(), released)

    def _line(self, number: int) -> Data:
        found = self._parsed.get(number)
        if found is None:
            start, stop = self._spans[number - 1]
            found = self._parsed[number] = unseal(self._data[start:stop])
        return found
