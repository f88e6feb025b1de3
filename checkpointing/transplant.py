"""Carrying lines from one ledger into another, values as they are stored where what they refer to comes along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .index import Entry, ValueKey, Version, sealed_name
from .lines import Address, Data
from .packed import Packed
from .reading import Reader
from .records import Encoder, Record


@dataclass
class Move:
    """What has been carried over so far.

    Attributes:
        moved: where values of the old ledger stand in the new one.
        hashes: where large values stand in the new one.
        stored: which versions of channels the new one holds.
    """

    reader: Reader
    kept: set[tuple[str, str]]
    moved: dict[Address, Address] = field(default_factory=dict[Address, Address])
    hashes: dict[str, Address] = field(default_factory=dict[str, Address])
    stored: set[ValueKey] = field(default_factory=set[ValueKey])

    def records(self) -> Sequence[Record]:
        """The kept checkpoints and all writes that do not belong to one left out, in the old order."""
        view = self.reader.view
        found: list[tuple[int, Record]] = []
        for key, entry in view.index.checkpoints.items():
            if key in self.kept:
                found.append((entry.order, MovedCheckpoint(self, entry)))
        for number in view.index.writes_lines:
            line = view.line(number)
            key = (line["ns"], line["id"])
            if key in self.kept or key not in view.index.checkpoints:
                found.append((number, MovedWrites(self, line)))
        return [record for _, record in sorted(found, key=lambda item: item[0])]

    def value(self, value: Data, old: Address, new: Address) -> Data:
        """The VALUE that stores at `new` what is stored at `old`."""
        if "empty" in value:
            return value
        if "same" in value:
            return self.full(Address.of(value["same"]), new)
        self.moved[old] = new
        if "sha256" in value:
            self.hashes.setdefault(value["sha256"], new)
        if "grown" not in value:
            return value
        origin = self.moved.get(Address.of(value["grown"]["from"]))
        if origin is None or origin.line >= new.line:  # a change starts from an earlier line
            return self.reader.view.texts.at(old).json()
        return value | {"grown": value["grown"] | {"from": origin.json()}}

    def full(self, old: Address, new: Address) -> Data:
        """The VALUE that stores at `new` what is stored at `old` or, if the new ledger holds it already, says where."""
        packed: Packed = self.reader.view.texts.at(old)
        known = self.moved.get(old) or (self.hashes.get(packed.sha256) if packed.sha256 else None)
        if known is not None and packed.sha256 and known != new:
            return {"same": known.json(), "sha256": packed.sha256}
        self.moved.setdefault(old, new)
        if packed.sha256:
            self.hashes.setdefault(packed.sha256, new)
        return packed.json()


@dataclass
class MovedCheckpoint:
    """A checkpoint with its values, also those that stood in lines which are left out."""

    move: Move
    entry: Entry
    kind = "checkpoint"

    def body(self, line: int, encoder: Encoder) -> Data:
        """The keys of the line."""
        move, entry = self.move, self.entry
        old = move.reader.view.line(entry.line)
        values: Data = {}
        for name, value in old["values"].items():
            version: Version = value["version"]
            moved = move.value(value, Address(entry.line, name), Address(line, name))
            values[name] = {"version": version, **{key: part for key, part in moved.items() if key != "version"}}
            move.stored.add((entry.ns, name, version))
        values |= self._inherited(line, old, set(values))
        parent = entry.parent if (entry.ns, entry.parent) in move.kept else None
        return {
            "ns": entry.ns,
            "id": entry.id,
            "parent": parent,
            "body": old["body"],
            "metadata": old["metadata"],
            "values": values,
        }

    def _inherited(self, line: int, old: Data, own: set[str]) -> Data:
        """The values of channels that did not change here, if no line that came along has them."""
        move, entry = self.move, self.entry
        view = move.reader.view
        sealed = view.index.sealed is not None
        values: Data = {}
        for channel, version in move.reader.body(old)["channel_versions"].items():
            key = view.index.key(entry.ns, channel, version)
            at = view.index.values.get(key)
            name = sealed_name(entry.ns, channel, version) if sealed else channel
            if key in move.stored or at is None or name in own:
                continue
            values[name] = {"version": None if sealed else version, **move.full(at, Address(line, name))}
            move.stored.add(key)
        return values


@dataclass
class MovedWrites:
    """The writes of one line."""

    move: Move
    old: Data
    kind = "writes"

    def body(self, line: int, encoder: Encoder) -> Data:
        """The keys of the line."""
        writes: list[Data] = []
        for position, write in enumerate(self.old["writes"]):
            moved = self.move.value(write, Address(self.old["number"], position), Address(line, position))
            forms = {key: part for key, part in moved.items() if key not in ("index", "channel")}
            writes.append({"index": write["index"], "channel": write["channel"], **forms})
        return {**{key: self.old[key] for key in ("ns", "id", "task", "path")}, "writes": writes}
