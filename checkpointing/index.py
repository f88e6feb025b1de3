"""What one ledger holds, in memory: where each checkpoint, write and value stands, never the values themselves."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from .lines import GENESIS, Address, Data
from .writer import Process

Version = str | int | float | None
ValueKey = tuple[str, str, Version]

_BASE = 32


class Entry(NamedTuple):
    """One checkpoint. `order` is its place in the ledger's order: the line that first had its id."""

    ns: str
    id: str
    parent: str | None
    line: int
    order: int


class Write(NamedTuple):
    """One pending write: where its value stands, and what decides its order among the others."""

    path: str
    channel: str
    at: Address


@dataclass
class LedgerIndex:
    """Built by applying the lines of one ledger in order; see docs/ledger-format.md for what each means."""

    thread: str = ""
    sealed: str | None = None
    by: Process | None = None
    epoch: int = 0
    released: bool = False
    deleted: bool = False
    rewritten: bool = False
    starts: array[int] = field(default_factory=lambda: array("Q"))
    end: int = 0
    genesis: str = ""
    last: str = GENESIS
    checkpoints: dict[tuple[str, str], Entry] = field(default_factory=dict[tuple[str, str], Entry])
    newest: dict[str, Entry] = field(default_factory=dict[str, Entry])
    values: dict[ValueKey, Address | None] = field(default_factory=dict[ValueKey, Address | None])
    writes: dict[tuple[str, str], dict[tuple[str, int], Write]] = field(
        default_factory=dict[tuple[str, str], dict[tuple[str, int], Write]]
    )
    by_hash: dict[str, Address] = field(default_factory=dict[str, Address])
    grown: dict[Address, tuple[int, Address]] = field(default_factory=dict[Address, tuple[int, Address]])
    writes_lines: array[int] = field(default_factory=lambda: array("Q"))
    last_value: dict[tuple[str, str], Address] = field(default_factory=dict[tuple[str, str], Address])

    @property
    def lines(self) -> int:
        """How many lines are known."""
        return len(self.starts)

    def span(self, line: int) -> tuple[int, int]:
        """Where a line starts and how long it is."""
        start = self.starts[line - 1]
        stop = self.starts[line] if line < self.lines else self.end
        return start, stop - start

    def add(self, data: Data, size: int, sha256: str) -> None:
        """Take in the next line, of so many bytes and with that hash.

        Raises:
            KeyError, TypeError, AttributeError, ValueError: it does not hold what a line of its kind holds.
        """
        _TAKE[data["kind"]](self, data)
        self.genesis = self.genesis or sha256
        self.starts.append(self.end)
        self.end += size
        self.last = sha256
        self.epoch = data["epoch"]

    def key(self, ns: str, channel: str, version: Version) -> ValueKey:
        """Under what a channel's value is found; without names in a sealed ledger."""
        if self.sealed is None:
            return ns, channel, version
        return ns, sealed_name(ns, channel, version), None

    def origin(self, at: Address, nth: int) -> Address:
        """The value from which change number `nth` of the chain that ends at `at` starts."""
        wanted = nth - _stride(nth)
        while (step := self.grown.get(at)) is not None and step[0] > wanted:
            at = step[1]
        return at

    def next_nth(self, at: Address) -> int:
        """The number of the next change after the value at `at`."""
        return self.grown[at][0] + 1 if at in self.grown else 1

    def in_order(self, ns: str | None) -> list[Entry]:
        """The checkpoints of a namespace (None: of all), newest first."""
        found = [entry for entry in self.checkpoints.values() if ns is None or entry.ns == ns]
        return sorted(found, key=lambda entry: entry.order, reverse=True)

    def _take_open(self, data: Data) -> None:
        self.thread, self.sealed = data["thread"], data["sealed"]
        self.rewritten = data.get("follows") is not None
        self.by = Process.of(data["by"])

    def _take_lease(self, data: Data) -> None:
        self.by = Process.of(data["by"])
        self.released = data["state"] == "released"

    def _take_tombstone(self, data: Data) -> None:
        self.deleted = True

    def _take_checkpoint(self, data: Data) -> None:
        ns, line = data["ns"], data["number"]
        key = (ns, data["id"])
        before = self.checkpoints.get(key)
        entry = Entry(ns, data["id"], data["parent"], line, before.order if before else line)
        self.checkpoints[key] = entry
        newest = self.newest.get(ns)
        if newest is None or newest.order <= entry.order:
            self.newest[ns] = entry
        for channel, value in data["values"].items():
            at = None if "empty" in value else self._take_value(Address(line, channel), value)
            self.values[ns, channel, value["version"]] = at
            if at is not None:
                self.last_value[ns, channel] = at

    def _take_writes(self, data: Data) -> None:
        self.writes_lines.append(data["number"])
        held = self.writes.setdefault((data["ns"], data["id"]), {})
        for position, write in enumerate(data["writes"]):
            at = self._take_value(Address(data["number"], position), write)
            key = (data["task"], write["index"])
            if write["index"] < 0 or key not in held:
                held[key] = Write(data["path"], write["channel"], at)

    def _take_value(self, at: Address, value: Data) -> Address:
        """Note a value; gives the address under which it is really stored."""
        if "same" in value:
            return Address.of(value["same"])
        if "grown" in value:
            self.grown[at] = (value["grown"]["nth"], Address.of(value["grown"]["from"]))
        if "sha256" in value:
            self.by_hash.setdefault(value["sha256"], at)
        return at


def sealed_name(ns: str, channel: str, version: Version) -> str:
    """The key of a value in a sealed ledger."""
    return hashlib.sha256(b"\0".join((ns.encode(), channel.encode(), orjson.dumps(version)))).hexdigest()[:32]


def _stride(nth: int) -> int:
    """How many changes one change takes in: long enough to keep files small, short enough to be followed quickly."""
    stride = 1
    while nth % (stride * _BASE) == 0:
        stride *= _BASE
    return stride


_TAKE = {
    "open": LedgerIndex._take_open,  # pyright: ignore[reportPrivateUsage]
    "lease": LedgerIndex._take_lease,  # pyright: ignore[reportPrivateUsage]
    "tombstone": LedgerIndex._take_tombstone,  # pyright: ignore[reportPrivateUsage]
    "checkpoint": LedgerIndex._take_checkpoint,  # pyright: ignore[reportPrivateUsage]
    "writes": LedgerIndex._take_writes,  # pyright: ignore[reportPrivateUsage]
}
