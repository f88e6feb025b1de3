"""Which checkpoints of a thread are kept when some are to go."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .index import Entry
from .reading import Reader

Keys = set[tuple[str, str]]


def newest_only(reader: Reader) -> Keys:
    """The newest checkpoint of each namespace, and what its DeltaChannels still need.

    A subgraph's call (a namespace with ":") goes with the checkpoint it was called from, as with PostgresSaver.
    """
    kept: Keys = set()
    by_depth = sorted(reader.view.index.newest.values(), key=lambda entry: entry.ns.count("|") + (entry.ns != ""))
    for entry in by_depth:
        callers = {(ns, str(id)) for ns, id in _metadata(reader, entry).get("parents", {}).items()}
        gone = (callers & reader.view.index.checkpoints.keys()) - kept
        if ":" not in entry.ns or not gone:
            kept.add((entry.ns, entry.id))
    return kept | _needed_by(reader, kept)


def without_runs(reader: Reader, run_ids: Collection[str]) -> Keys:
    """All checkpoints but those of some runs, and but for what the DeltaChannels of the others still need."""
    kept: Keys = set()
    for entry in reader.view.entries(None):
        if _metadata(reader, entry).get("run_id") not in run_ids:
            kept.add((entry.ns, entry.id))
    return kept | _needed_by(reader, kept)


def _needed_by(reader: Reader, kept: Keys) -> Keys:
    """The ancestors from which a kept checkpoint's DeltaChannels are rebuilt."""
    needed: Keys = set()
    for key in kept:
        entry = reader.view.index.checkpoints[key]
        chain = [*reader.ancestors(entry)]
        if all((ancestor.ns, ancestor.id) in kept for ancestor in chain):
            continue
        missing = _without_value(reader, entry) & _delta_channels(reader, [entry, *chain])
        for ancestor in chain:
            if not missing:
                break
            needed.add((ancestor.ns, ancestor.id))
            missing &= _without_value(reader, ancestor)
    return needed


def _without_value(reader: Reader, entry: Entry) -> set[str]:
    """The channels of a checkpoint for which no value is stored at their version."""
    line = reader.view.line(entry.line)
    versions: dict[str, Any] = reader.body(line)["channel_versions"]
    return {ch for ch, version in versions.items() if reader.view.value_at(entry, line, ch, version) is None}


def _delta_channels(reader: Reader, entries: list[Entry]) -> set[str]:
    """The channels that LangGraph counts changes of: they are rebuilt from writes."""
    return {ch for entry in entries for ch in _metadata(reader, entry).get("counters_since_delta_snapshot", {})}


def _metadata(reader: Reader, entry: Entry) -> dict[str, Any]:
    return dict(reader.metadata(reader.view.line(entry.line)))
