"""What is appended to a ledger, and how its values are put: in full, by reference, or as what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .edits import appended, smaller_edit
from .index import LedgerIndex, Version, sealed_name
from .lines import Address, Data
from .packed import HASHED_FROM, Packed
from .view import View


class Record(Protocol):
    """Something that becomes one line, or none if the ledger holds all of it already."""

    @property
    def kind(self) -> str: ...

    def body(self, line: int, encoder: Encoder) -> Data | None: ...


class Encoder:
    """Puts values against what the ledger holds. One for each group of lines that are written together.

    Attributes:
        sealed: whether the ledger is encrypted, or will be by a first line of this very group.
    """

    def __init__(self, view: View) -> None:
        self.index: LedgerIndex = view.index
        self.sealed = view.index.sealed is not None
        self._view = view
        self._new: dict[str, Address] = {}
        self._packed: list[tuple[Address, Packed]] = []

    def value(self, ns: str, channel: str, packed: Packed, line: int, name: str | int) -> Data:
        """The VALUE to store in a line under a name."""
        if self.sealed or packed.sha256 is None:
            return packed.json()
        at = Address(line, name)
        known = self.index.by_hash.get(packed.sha256) or self._new.setdefault(packed.sha256, at)
        if known != at:
            return {"same": known.json(), "sha256": packed.sha256}
        self._packed.append((at, packed))
        return self._grown(ns, channel, packed) or packed.json()

    def committed(self) -> None:
        """The lines are on disk: their texts are likely to be needed next."""
        for at, packed in self._packed:
            self._view.cache.put(at, packed)

    def _grown(self, ns: str, channel: str, packed: Packed) -> Data | None:
        before = self.index.last_value.get((ns, channel))
        if before is None or packed.form == "base64":
            return None
        nth = self.index.next_nth(before)
        origin = self.index.origin(before, nth)
        old = self._view.texts.at(origin)
        if old.form != packed.form or len(old.text) < HASHED_FROM // 4:
            return None
        added = appended(old.text, packed.text)
        if isinstance(added, list):
            packed.items = old.count() + len(added)
            edit: Data | None = {"keep": old.count(), "add": added}
        elif added is not None:
            edit = {"set": added}
        else:
            edit = smaller_edit(old.text, packed.text)
        if edit is None:
            return None
        return {"grown": {"from": origin.json(), "nth": nth, "edit": edit}, "sha256": packed.sha256}


@dataclass
class CheckpointRecord:
    """A checkpoint with the values that are new in it; None for a channel that has become empty."""

    ns: str
    id: str
    parent: str | None
    about: Packed
    metadata: Packed
    values: list[tuple[str, Version, Packed | None]]
    ancestors: list[tuple[str, str]]
    kind = "checkpoint"

    def body(self, line: int, encoder: Encoder) -> Data:
        """The keys of the line."""
        sealed = encoder.sealed
        values: Data = {}
        for channel, version, packed in self.values:
            name = sealed_name(self.ns, channel, version) if sealed else channel
            value = values[name] = {"version": None if sealed else version}
            value |= {"empty": True} if packed is None else encoder.value(self.ns, channel, packed, line, name)
        return {
            "ns": self.ns,
            "id": self.id,
            "parent": self.parent,
            "body": self.about.json(),
            "metadata": self.metadata.json(),
            "values": values,
        }


@dataclass
class WritesRecord:
    """Writes of one task, each with its index, channel (empty if sealed) and value."""

    ns: str
    id: str
    task: str
    path: str
    writes: list[tuple[int, str, Packed]]
    kind = "writes"

    def body(self, line: int, encoder: Encoder) -> Data | None:
        """The keys of the line; None if every write is a regular one that is there already."""
        held = encoder.index.writes.get((self.ns, self.id), {})
        new = [write for write in self.writes if write[0] < 0 or (self.task, write[0]) not in held]
        if not new:
            return None
        stored = [
            {"index": index, "channel": channel, **encoder.value(self.ns, channel, packed, line, position)}
            for position, (index, channel, packed) in enumerate(new)
        ]
        return {"ns": self.ns, "id": self.id, "task": self.task, "path": self.path, "writes": stored}


@dataclass
class PlainRecord:
    """A line without values: open, lease, tombstone."""

    kind: str
    data: Data

    def body(self, line: int, encoder: Encoder) -> Data:
        """The keys of the line."""
        return self.data
