"""The checkpoints of a ledger, a page at a time: what each changed, and the state at it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..checkpointing.differences import Change, changes
from ..checkpointing.index import Entry
from ..checkpointing.looking import Glance, glance, visible
from ..checkpointing.view import View
from ..state.errors import RunNotFound
from .ledgers import state_of
from .paging import page_of

_CHANGES_AT_MOST, _VALUE_AT_MOST, _STATE_AT_MOST = 300, 600, 400_000


@dataclass(frozen=True)
class Told:
    """One place that changed, its values as text."""

    kind: str
    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as a line of the list."""

    line: int
    id: str
    ns: str
    step: str
    nodes: str
    time: str
    changed: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StateAt:
    """The state at one checkpoint, and what changed on the way to it.

    Attributes:
        state: all channels as indented JSON, cut where it is very long.
        before, after: lines of the neighbours, None at the ends.
    """

    at: Checkpoint
    state: str
    told: tuple[Told, ...]
    cut: bool
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of a page, newest first, and how many there are on all pages."""

    rows: tuple[Checkpoint, ...] = ()
    number: int = 0
    at: int = 1
    pages: int = 1


def checkpoints(view: View, *, page: int) -> Checkpoints:
    """The checkpoints of a page."""
    entries = view.entries(None)
    shown, at, pages = page_of(len(entries), page)
    return Checkpoints(tuple(_told(glance(view, one)) for one in entries[shown]), len(entries), at, pages)


def state_at_line(view: View, line: int) -> StateAt:
    """One checkpoint by its line. Raises RunNotFound where none stands there."""
    entries = view.entries(None)
    at = next((number for number, entry in enumerate(entries) if entry.line == line), None)
    if at is None:
        raise RunNotFound(f"no checkpoint stands in line {line}", next_step="go back to the list of checkpoints")
    entry = entries[at]
    state = state_of(view, entry)
    parent = view.index.checkpoints.get((entry.ns, entry.parent or ""))
    found = _changes(state_of(view, parent) if parent else {}, state)
    text = json.dumps(state, indent=2, ensure_ascii=False)
    return StateAt(
        at=_told(glance(view, entry)),
        state=_cut(text, _STATE_AT_MOST),
        told=tuple(found[:_CHANGES_AT_MOST]),
        cut=len(found) > _CHANGES_AT_MOST,
        before=_line(entries, at + 1),
        after=_line(entries, at - 1),
    )


def _line(entries: Sequence[Entry], at: int) -> int | None:
    return entries[at].line if 0 <= at < len(entries) else None


def _changes(old: dict[str, Any], new: dict[str, Any]) -> list[Told]:
    return [_texts(change) for _, change in zip(range(_CHANGES_AT_MOST + 1), changes(old, new), strict=False)]


def _texts(change: Change) -> Told:
    old = "" if change.kind == "added" else _value(change.old)
    new = "" if change.kind == "removed" else _value(change.new)
    return Told(change.kind, change.path, old, new)


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return _cut(text or '""', _VALUE_AT_MOST)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _told(seen: Glance) -> Checkpoint:
    step, source = seen.metadata.get("step"), seen.metadata.get("source")
    return Checkpoint(
        line=seen.entry.line,
        id=seen.entry.id,
        ns=seen.entry.ns,
        step="" if step is None else str(step),
        nodes=" + ".join(node.strip("_") for node in seen.nodes) or str(source or ""),
        time=seen.time,
        changed=tuple(visible(seen.changed).items()),
    )
