"""Files for people, made from what was just committed: the newest state, and what each step changed.

They are never read back, never synced, and their errors never reach a put, which does not wait for them either. What
comes within a moment is written together, and of several states only the last one: nobody reads the others, and each
would be a file made and thrown away.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, cast

import orjson

from .background import BACKGROUND
from .commit import Commit
from .disk import Disk
from .failpoints import failpoint
from .files import SNAPSHOTS, STATE, Files
from .lines import Address, Data
from .packed import HASHED_FROM, Packed, for_people
from .records import CheckpointRecord
from .view import View

_OPTION = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
# A value stands in "values" of its page.
_INDENT = b"\n    "
_MAX_NAME = 80
PAUSE_S = 0.1
"""How long what was committed may wait for what follows it."""
_BEHIND_MANY, _BEHIND_MOST = 50, 100
# LangGraph's channel of calls by `Send`.
TASKS = "__pregel_tasks"
_NO_NODES = frozenset({"__interrupt__", "__snapshot_bumps__"})


@dataclass(frozen=True, slots=True)
class _Shown:
    """A channel as it is shown.

    Attributes:
        stored: as it is in the ledger.
        page: as JSON for people, with the line breaks and the indent that it has in a mirror.
        items: how many items it has; 0 where it is no list and no object.
    """

    version: Any
    stored: Packed
    page: bytes
    items: int

    @classmethod
    def of(cls, version: Any, stored: Packed, before: _Shown | None) -> _Shown:
        """What has only grown is that of before with what is new behind it: it costs what is new."""
        if before is not None and (new := before.news(stored)) is not None:
            page = before.page[: -len(_INDENT) - 1] + b"," + _indented(new)[1:]
            return cls(version, stored, page, before.items + len(new))
        tree = _people(stored)
        items = len(cast(list[Any] | Data, tree)) if isinstance(tree, list | dict) else 0
        return cls(version, stored, _indented(tree), items)

    def news(self, stored: Packed) -> list[Any] | Data | None:
        """What a later value has behind all that this one has; None where it is no list or object that has grown."""
        old, new = self.stored.text, stored.text
        opening = old[:1]
        if stored.form != self.stored.form or opening not in (b"[", b"{") or old.startswith(b'{"$') or len(old) <= 2:
            return None
        if not new.startswith(old[:-1] + b","):
            return None
        return for_people(stored.form, orjson.loads(opening + new[len(old) :]))


def _indented(tree: Any) -> bytes:
    return orjson.dumps(tree, option=_OPTION).replace(b"\n", _INDENT)


class Mirror:
    """The mirrors of one thread.

    Args:
        pause_s: how long it waits at most for what follows; with 0 everything is written before `update` returns.
    """

    def __init__(self, pause_s: float = PAUSE_S) -> None:
        self.lock = threading.Lock()
        self._pause_s = pause_s
        self._behind: deque[tuple[View, CheckpointRecord, Commit]] = deque()
        self.forget()

    def forget(self) -> None:
        """Line numbers and channels mean something else from now on."""
        self._line = 0
        self._since: float | None = None
        self._seen: tuple[str | None, Data] = (None, {})
        self._shown: dict[str, _Shown] = {}
        self._due: tuple[Files, Data] | None = None
        self._behind.clear()

    def update(self, view: View, record: CheckpointRecord, commit: Commit) -> None:
        """Have a committed checkpoint of the root namespace shown, unless a newer one is shown already."""
        self._behind.append((view, record, commit))
        if not self._pause_s or len(self._behind) >= _BEHIND_MOST:
            self.settle()
        elif self._since is None or len(self._behind) == _BEHIND_MANY:
            self._since = self._since or time.monotonic()
            BACKGROUND.soon(self._catch_up)

    @property
    def has_shown(self) -> bool:
        """Whether anything was shown, or waits to be, since the ledger was last begun or rewritten here."""
        return bool(self._line or self._behind)

    def settle(self) -> None:
        """Write at once what waits to be written."""
        with self.lock:
            self._show_all()
            self._write_state()

    def _catch_up(self) -> float | None:
        left_s = (self._since or 0.0) + self._pause_s - time.monotonic()
        if left_s > 0 and len(self._behind) < _BEHIND_MANY:
            return left_s
        # Before the rest: what comes from now on asks for itself.
        self._since = None
        self.settle()
        return None

    def _show_all(self) -> None:
        while self._behind:
            self._show(*self._behind.popleft())

    def _show(self, view: View, record: CheckpointRecord, commit: Commit) -> None:
        # Of any kind: whoever releases a thread or ends a run has nothing to do with what could not be shown.
        with contextlib.suppress(Exception):
            if commit.line <= self._line or view.index.deleted:
                return
            self._line = commit.line
            failpoint("ledger.mirror.before")
            about, metadata = _people(record.about), _people(record.metadata)
            files = view.files
            new = {
                channel: _Shown.of(version, packed, self._shown.get(channel))
                for channel, version, packed in record.values
                if packed
            }
            changes = {channel: self._change(channel, shown) for channel, shown in new.items()}
            self._shown = self._state(view, record, about["channel_versions"], new)
            page: Data = {
                "thread_id": view.index.thread,
                "checkpoint_id": record.id,
                "step": metadata.get("step"),
                "ledger": {"line": commit.line, "bytes": commit.bytes, "sha256": commit.sha256},
            }
            name = self._name(view, record, about, metadata)
            _put_snapshot(files, name, page | {"values": changes})
            self._due = (files, page)
            failpoint("ledger.mirror.after")

    def _write_state(self) -> None:
        if self._due is None:
            return
        files, page = self._due
        self._due = None
        state = {channel: orjson.Fragment(shown.page) for channel, shown in self._shown.items()}
        with contextlib.suppress(Exception):
            _replace(files.disk, files.folder, STATE, page | {"values": state})

    def _state(self, view: View, record: CheckpointRecord, versions: Data, new: dict[str, _Shown]) -> dict[str, _Shown]:
        """Every channel that has a value: new, as shown last time, or read from the ledger."""
        shown: dict[str, _Shown] = {}
        emptied = {channel for channel, _, packed in record.values if packed is None}
        for channel, version in versions.items():
            if channel in emptied:
                continue
            known = new.get(channel) or self._shown.get(channel)
            if known is None or known.version != version:
                at = view.index.values.get((record.ns, channel, version))
                known = _Shown.of(version, view.texts.at(at), None) if at else None
            if known is not None:
                shown[channel] = known
        return shown

    def _change(self, channel: str, shown: _Shown) -> Any:
        """What a snapshot shows of a channel: of a long list or object that only grew, what is new."""
        old = self._shown.get(channel)
        news = old.news(shown.stored) if old is not None and len(shown.stored.text) >= HASHED_FROM else None
        if old is None or news is None:
            return orjson.Fragment(shown.page)
        return {"kept": old.items, "new": news}

    def _name(self, view: View, record: CheckpointRecord, about: Data, metadata: Data) -> str:
        """Step and nodes: those that have seen something new since the parent."""
        before = self._seen[1] if self._seen[0] == record.parent else _seen_by(view, record)
        seen: Data = about.get("versions_seen", {})
        self._seen = (record.id, seen)
        ran = {node for node, versions in seen.items() if versions and versions != before.get(node)}
        ran |= _sent_by(view, record) if TASKS in about["channel_versions"] else set()
        step = metadata.get("step")
        nodes = "+".join(node.strip("_") for node in sorted(ran) if node not in _NO_NODES)
        label = "input" if metadata.get("source") == "input" else nodes or str(metadata.get("source", "step"))
        return f"{max(step, 0) if isinstance(step, int) else 0:04d}-{_safe(label)}.json"


def newest(view: View) -> tuple[CheckpointRecord, Commit] | None:
    """The newest checkpoint of the root namespace as it was put, for showing it again."""
    entry = view.index.newest.get("")
    if entry is None:
        return None
    line, text = view.line(entry.line), view.texts
    values = [
        (channel, stored["version"], None if "empty" in stored else text.at(Address(entry.line, channel)))
        for channel, stored in line["values"].items()
    ]
    about, metadata = text.inline(line["body"]), text.inline(line["metadata"])
    record = CheckpointRecord(entry.ns, entry.id, entry.parent, about, metadata, values, [])
    return record, Commit(view.index.lines, view.index.end, view.index.last)


def _seen_by(view: View, record: CheckpointRecord) -> Data:
    """What the nodes had seen at the parent of a checkpoint."""
    entry = view.index.checkpoints.get((record.ns, record.parent or ""))
    return _people(view.texts.inline(view.line(entry.line)["body"])).get("versions_seen", {}) if entry else {}


def _sent_by(view: View, record: CheckpointRecord) -> set[str]:
    """The nodes that the parent of a checkpoint called by `Send`; they leave no trace in what nodes have seen."""
    entry = view.index.checkpoints.get((record.ns, record.parent or ""))
    if entry is None:
        return set()
    versions = _people(view.texts.inline(view.line(entry.line)["body"])).get("channel_versions", {})
    at = view.index.values.get((record.ns, TASKS, versions.get(TASKS)))
    shown: Any = _people(view.texts.at(at)) if at else None
    sends = cast(list[Any], shown if isinstance(shown, list) else [])
    return {str(cast(list[Any], send)[0]) for send in sends if isinstance(send, list) and send}


def _put_snapshot(files: Files, name: str, page: Data) -> None:
    folder = files.disk.open_subfolder(files.folder, SNAPSHOTS, create=True)
    try:
        _replace(files.disk, folder, name, page)
    finally:
        files.disk.close(folder)


def _replace(disk: Disk, folder: int, name: str, page: Data) -> None:
    new = name + ".new"
    disk.remove(folder, new)
    fd = disk.open_file(folder, new, write=True, create=True)
    try:
        disk.write(fd, 0, orjson.dumps(page, option=_OPTION) + b"\n")
    finally:
        disk.close(fd)
    disk.rename(folder, new, name)


def _people(packed: Packed) -> Any:
    return for_people(packed.form, orjson.loads(packed.text))


def _safe(label: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]", "-", label)[:_MAX_NAME]
