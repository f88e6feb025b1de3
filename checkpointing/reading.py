"""From a view of a ledger to LangGraph's tuples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import orjson
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    PendingWrite,
)

from ..state.errors import LedgerCorrupt, LedgerError
from .index import Entry, Write
from .lines import SHAPELESS, Address, Data
from .names import thread_key
from .sharing import Items, Tree, Trees, own
from .texts import form_of
from .values import Codec
from .view import View

Filter = Mapping[str, Any]


class Target(NamedTuple):
    """What a config points at. `ns` None: any namespace; `id` None: the newest."""

    thread: str
    ns: str | None
    id: str | None

    @classmethod
    def of(cls, config: RunnableConfig) -> Target:
        """Read a config; the caller's object is left alone."""
        configurable = config.get("configurable", {})
        ns = configurable.get("checkpoint_ns")
        return cls(thread_key(configurable["thread_id"]), ns, configurable.get("checkpoint_id") or None)


class Reader:
    """Gives the tuples of one view.

    Args:
        many: most of the checkpoints will be read, and what they have in common is worth keeping.

    Raises, wherever a value is read:
        LedgerBlockedType: it names a type that is not allowed.
        LedgerError: the ledger is sealed and the saver has no key, or the other way round.
    """

    def __init__(self, view: View, codec: Codec, *, many: bool = False) -> None:
        if (view.index.sealed is None) != (codec.sealed is None):
            sealed = view.index.sealed is not None
            state = "encrypted, and this saver has no key" if sealed else "in clear, but this saver encrypts"
            raise LedgerError(f"{view.path} is {state}", next_step="open it with the serializer it was written with")
        self.view = view
        self._codec = codec
        self._texts = view.texts
        self._trees = Trees(self._texts) if many else None
        self._items = Items()

    def tuple(self, entry: Entry) -> CheckpointTuple:
        """Everything about one checkpoint."""
        line = self.view.line(entry.line)
        try:
            return self._tuple(entry, line, self.metadata(line))
        except SHAPELESS as error:
            raise self._unreadable(entry.line, error) from error

    def matching(self, entries: Sequence[Entry], wanted: Filter | None, limit: int | None) -> Iterator[CheckpointTuple]:
        """The tuples whose metadata has all the wanted values, up to a limit, read one by one."""
        given = 0
        for entry in entries:
            if limit is not None and given >= limit:
                return
            line = self.view.line(entry.line)
            self._items.begin_tuple()
            try:
                metadata = self.metadata(line)
                if wanted and any(value != metadata.get(key) for key, value in wanted.items()):
                    continue
                found = self._tuple(entry, line, metadata)
            except SHAPELESS as error:
                raise self._unreadable(entry.line, error) from error
            given += 1
            yield found

    def history(self, entry: Entry, channels: Sequence[str]) -> Mapping[str, DeltaChannelHistory]:
        """What each channel got from the ancestors of a checkpoint, back to the nearest one that stores its value."""
        writes: dict[str, list[PendingWrite]] = {channel: [] for channel in channels}
        seeds: dict[str, Any] = {}
        for ancestor in self.ancestors(entry):
            missing = [channel for channel in channels if channel not in seeds]
            if not missing:
                break
            try:
                for task, write in reversed(self.view.writes(ancestor)):
                    task, channel, value = self._write(task, write, missing)
                    if channel in missing:
                        writes[channel].append((task, channel, value))
                seeds |= self._seeds(ancestor, missing)
            except SHAPELESS as error:
                raise self._unreadable(ancestor.line, error) from error
        found = {channel: DeltaChannelHistory(writes=writes[channel][::-1]) for channel in channels}
        for channel, seed in seeds.items():
            found[channel]["seed"] = seed
        return found

    def ancestors(self, entry: Entry) -> Iterator[Entry]:
        """The chain of parents, nearest first."""
        passed = {entry.id}
        parent = entry.parent
        while parent is not None and parent not in passed:
            passed.add(parent)
            found = self.view.index.checkpoints.get((entry.ns, parent))
            if found is None:
                return
            yield found
            parent = found.parent

    def body(self, line: Data) -> Data:
        """A checkpoint without its id and values."""
        return self._inline(line, "body")

    def metadata(self, line: Data) -> CheckpointMetadata:
        """The metadata of a checkpoint."""
        return self._inline(line, "metadata")

    def _unreadable(self, line: int, error: Exception) -> LedgerCorrupt:
        """Something is not what we would have written, or not what the serializer can read."""
        return LedgerCorrupt(self.view.path, line, f"cannot be read ({error!r})", readable=line - 1)

    def _tuple(self, entry: Entry, line: Data, metadata: CheckpointMetadata) -> CheckpointTuple:
        body = self.body(line)
        self._texts.remember(entry.line, line)
        values: Data = {}
        for channel, version in body["channel_versions"].items():
            at = self.view.value_at(entry, line, channel, version)
            if at is not None:
                values[channel] = self._value(at)
        checkpoint = cast(Checkpoint, body | {"id": entry.id, "channel_values": values})
        writes = [self._write(task, write, None) for task, write in self.view.writes(entry)]
        return CheckpointTuple(
            config=self._config(entry, entry.id),
            checkpoint=checkpoint,
            metadata=metadata,
            parent_config=self._config(entry, entry.parent) if entry.parent else None,
            pending_writes=writes,
        )

    def _seeds(self, entry: Entry, channels: Sequence[str]) -> Data:
        line = self.view.line(entry.line)
        versions = self.body(line)["channel_versions"]
        found = {ch: self.view.value_at(entry, line, ch, versions[ch]) for ch in channels if ch in versions}
        return {channel: self._value(at) for channel, at in found.items() if at is not None}

    def _write(self, task: str, write: Write, wanted: Sequence[str] | None) -> PendingWrite:
        """One write; its value is left out if its channel is known not to be wanted."""
        if wanted is not None and write.channel and write.channel not in wanted:
            return task, write.channel, None
        value = self._value(write.at)
        if self._codec.sealed is None:
            return task, write.channel, value
        channel, value = value
        return task, channel, value

    def _value(self, at: Address) -> Any:
        if self._trees is not None:
            return self._shared_value(self._trees.at(at), f"{self.view.path}:{at.line}")
        packed = self._texts.at(at)
        return self._codec.unpack(packed.form, orjson.loads(packed.text), packed.type, f"{self.view.path}:{at.line}")

    def _shared_value(self, found: Tree, where: str) -> Any:
        """A value of its own from a tree that is not."""
        if found.form == "json":
            return self._codec.unpack("json", own(found.tree), None, where)
        if found.form == "msgpack" and self._codec.by_item and found.tree.__class__ is list:
            built = self._items.list_of(found.tree, lambda part: self._codec.unpack("msgpack", part, None, where))
            if built is not None:
                return built
        return self._codec.unpack(found.form, found.tree, found.type, where)

    def _inline(self, line: Data, key: str) -> Any:
        """The line is this caller's alone, and so is a part of it that is plain JSON."""
        value = line[key]
        form = form_of(value)
        return self._codec.unpack(form, value[form], value.get("type"), f"{self.view.path}:{line['number']}")

    def _config(self, entry: Entry, checkpoint_id: str) -> RunnableConfig:
        thread = self.view.index.thread
        return {"configurable": {"thread_id": thread, "checkpoint_ns": entry.ns, "checkpoint_id": checkpoint_id}}
