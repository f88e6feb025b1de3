"""A ledger as a person wants to see it: plain JSON, whatever its values are.

Nothing is written, no object is built and no module is imported, so this serves any thread of anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from .index import Entry, Version
from .lines import Address, Data
from .mirror import TASKS
from .names import thread_key
from .people import object_in, people
from .pool import shared_pool
from .store import ThreadStore
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
    body, metadata = object_in(view, line["body"]), object_in(view, line["metadata"])
    parent = view.index.checkpoints.get((entry.ns, entry.parent or ""))
    before = object_in(view, view.line(parent.line)["body"]) if parent else {}
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


def visible(channels: Mapping[str, Any]) -> dict[str, Any]:
    """The channels of the user's own state, without those by which LangGraph drives the graph."""
    return {name: value for name, value in channels.items() if not name.startswith(("__", "branch:"))}


def writes_at(view: View, entry: Entry) -> Iterator[dict[str, Any]]:
    """The pending writes of a checkpoint in LangGraph's order."""
    for task, write in view.writes(entry):
        value = people(view.texts.at(write.at))
        yield {"task": task, "path": write.path, "channel": write.channel, "value": value}


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
