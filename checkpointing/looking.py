"""A ledger as a person wants to see it: plain JSON, whatever its values are.

Nothing is written, no object is built and no module is imported, so this serves any thread of anybody.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import orjson

from .image import plain, tag, unpack
from .index import Entry, Version
from .lines import Address, Data
from .mirror import TASKS
from .names import thread_key
from .pool import shared_pool
from .store import ThreadStore
from .values import Packed, for_people
from .view import View

_NO_NODES = frozenset({"__interrupt__", "__snapshot_bumps__"})


class Glance(NamedTuple):
    """One checkpoint. In a sealed ledger `body` and `metadata` are empty, and so is all that follows from them.

    Attributes:
        nodes: the nodes that ran between the parent and here.
        changed: channels whose version is not the parent's: "added", "changed", or "emptied".
    """

    entry: Entry
    time: str
    body: Data
    metadata: Data
    nodes: list[str]
    changed: dict[str, str]


def thread_store(root: Path, thread: object) -> ThreadStore:
    """The thread of a root, for `view(settle=False)`, which reads on and never writes.

    Raises:
        InvalidId: no thread can have that id.
    """
    return shared_pool(root, None).store(thread_key(thread))


def glance(view: View, entry: Entry) -> Glance:
    """What there is to say of a checkpoint beside its values."""
    line = view.line(entry.line)
    body, metadata = _object(view, line["body"]), _object(view, line["metadata"])
    parent = view.index.checkpoints.get((entry.ns, entry.parent or ""))
    before = _object(view, view.line(parent.line)["body"]) if parent else {}
    called = _called_by(view, parent, before) if parent else ()
    # Without its parent, which may have been pruned, nothing says which of the nodes ran last.
    nodes = nodes_that_ran(body.get("versions_seen", {}), before.get("versions_seen", {}), called) if parent else []
    changed = _changed(view, entry, line, body, metadata, before.get("channel_versions", {}))
    return Glance(entry, line["time"], body, metadata, nodes, changed)


def nodes_that_ran(seen: Mapping[str, Data], before: Mapping[str, Data], called: Iterable[str]) -> list[str]:
    """The nodes that ran from one checkpoint to the next.

    Args:
        seen, before: `versions_seen` of the later and the earlier one.
        called: nodes called by `Send` at the earlier one; they leave no trace in what nodes have seen.
    """
    ran = {node for node, versions in seen.items() if versions and versions != before.get(node)}
    return sorted((ran | {*called}) - _NO_NODES)


def state_at(view: View, entry: Entry) -> dict[str, Any]:
    """The values of a checkpoint's channels; those of a DeltaChannel stand in writes, and are not among them."""
    line = view.line(entry.line)
    versions: dict[str, Version] = _object(view, line["body"]).get("channel_versions", {})
    places = {channel: view.value_at(entry, line, channel, version or 0) for channel, version in versions.items()}
    return {channel: people(view.texts.at(at)) for channel, at in places.items() if at is not None}


def visible(channels: Mapping[str, Any]) -> dict[str, Any]:
    """The channels of the user's own state, without those by which LangGraph drives the graph."""
    return {name: value for name, value in channels.items() if not name.startswith(("__", "branch:"))}


def writes_at(view: View, entry: Entry) -> Iterator[dict[str, Any]]:
    """The pending writes of a checkpoint in LangGraph's order."""
    for task, write in view.writes(entry):
        value = people(view.texts.at(write.at))
        yield {"task": task, "path": write.path, "channel": write.channel, "value": value}


def people(packed: Packed) -> Any:
    """A stored value as plain JSON; what cannot be read without its key or its class is told by type and size."""
    tree = orjson.loads(packed.text)
    if packed.form != "base64":
        return for_people(packed.form, tree)
    data = base64.b64decode(tree)
    if packed.type == "msgpack":
        try:
            return plain(tag(unpack(data)))
        except (ValueError, TypeError):
            pass
    return tree if packed.type in ("bytes", "bytearray") else f"<{packed.type}: {len(data)} bytes>"


def _called_by(view: View, entry: Entry, body: Data) -> Iterator[str]:
    at = view.value_at(entry, view.line(entry.line), TASKS, body.get("channel_versions", {}).get(TASKS, 0))
    sends: Any = people(view.texts.at(at)) if at else None
    for send in cast(list[Any], sends) if isinstance(sends, list) else ():
        match send:
            case [str() as node, *_]:
                yield node
            case _:
                pass


def _changed(
    view: View, entry: Entry, line: Data, body: Data, metadata: Data, before: Mapping[str, Version]
) -> dict[str, str]:
    versions: Mapping[str, Version] = body.get("channel_versions", {})
    from_writes: Data = metadata.get("counters_since_delta_snapshot") or {}
    changed: dict[str, str] = {}
    for channel, version in versions.items():
        if channel in before and before[channel] == version:
            continue
        at: Address | None = view.value_at(entry, line, channel, version or 0)
        gone = at is None and channel not in from_writes
        changed[channel] = "emptied" if gone else "changed" if channel in before else "added"
    return changed


def _object(view: View, value: Data) -> Data:
    found = people(view.texts.inline(value))
    return cast(Data, found) if isinstance(found, dict) else {}
