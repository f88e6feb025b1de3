"""What `waypost ledger show` and `diff` print of any thread: its checkpoints, values and writes. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..checkpointing.differences import Change, changes
from ..checkpointing.index import Entry
from ..checkpointing.looking import Glance, glance, visible, writes_at
from ..checkpointing.people import state_at
from ..checkpointing.view import View
from .ledger_pick import by_id, by_name, by_step, find_thread, newest
from .ledger_text import answer, brief, escaped, fitted, moment, pretty, print_json, table

_MARKS = {"added": "+", "changed": "~", "removed": "-", "emptied": "-"}


def show(
    run: str, *, runs: Path, checkpoint: str | None, step: int | None, latest: bool, writes: bool, json: bool
) -> int:
    """All checkpoints in a table, or one with its values."""

    def work() -> int:
        _, view = find_thread(run, runs)
        if checkpoint is None and step is None and not latest:
            return _show_all(view, writes=writes, json=json)
        chosen = by_id(view, checkpoint) if checkpoint else newest(view) if step is None else by_step(view, step)
        return _show_one(view, chosen, writes=writes, json=json)

    return answer(work, json=json)


def diff(run: str, a: str, b: str | None, *, runs: Path, json: bool) -> int:
    """What changed in the state from one checkpoint to another, or to the newest."""

    def work() -> int:
        _, view = find_thread(run, runs)
        old, new = by_name(view, a), by_name(view, b) if b else newest(view)
        found = list(changes(visible(state_at(view, old)), visible(state_at(view, new))))
        if json:
            for change in found:
                print_json(_change_record(change))
            return 0
        print(f"--- {_title(view, old)}")
        print(f"+++ {_title(view, new)}")
        for change in found:
            print(_change_line(change))
        return 0

    return answer(work, json=json)


def checkpoint_record(view: View, entry: Entry, seen: Glance) -> dict[str, Any]:
    """A checkpoint for a script, without its values."""
    return {
        "line": entry.line,
        "ns": entry.ns,
        "id": entry.id,
        "parent": entry.parent,
        "step": seen.metadata.get("step"),
        "source": seen.metadata.get("source"),
        "nodes": seen.nodes,
        "time": seen.time,
        "changed": seen.changed,
        "pending_writes": len(view.index.writes.get((entry.ns, entry.id), {})),
    }


def changed_text(changed: Mapping[str, str]) -> str:
    """Channels with a mark each: + added, ~ changed, - emptied."""
    return " ".join(f"{_MARKS[how]}{escaped(name)}" for name, how in visible(changed).items())


def text_of(value: object) -> str:
    """A small value of somebody's metadata."""
    return "" if value is None else escaped(str(value))


def _show_all(view: View, *, writes: bool, json: bool) -> int:
    entries = view.entries(None)[::-1]
    if json:
        for entry in entries:
            record = checkpoint_record(view, entry, glance(view, entry))
            print_json(record | ({"writes": [*writes_at(view, entry)]} if writes else {}))
        return 0
    lines = table(_headings(view), [_row(view, entry) for entry in entries])
    print(f"thread {escaped(view.index.thread)}: {len(entries)} checkpoints{_sealed(view)}")
    print(fitted(lines[0]))
    for entry, line in zip(entries, lines[1:], strict=True):
        print(fitted(line))
        if writes:
            _print_writes(view, entry)
    return 0


def _headings(view: View) -> list[str]:
    shown = ["line", "step", "nodes", "source", "id", "time", "changed"]
    return [*shown, "namespace"] if _has_subgraphs(view) else shown


def _row(view: View, entry: Entry) -> list[str]:
    seen = glance(view, entry)
    row = [str(entry.line), text_of(seen.metadata.get("step")), "+".join(map(escaped, seen.nodes))]
    row += [text_of(seen.metadata.get("source")), escaped(entry.id), moment(seen.time), changed_text(seen.changed)]
    return [*row, escaped(entry.ns)] if _has_subgraphs(view) else row


def _has_subgraphs(view: View) -> bool:
    return any(view.index.newest)


def _sealed(view: View) -> str:
    sealed = view.index.sealed
    return f", encrypted ({escaped(sealed)}): only the keys can be read" if sealed else ""


def _show_one(view: View, entry: Entry, *, writes: bool, json: bool) -> int:
    seen, state = glance(view, entry), state_at(view, entry)
    if json:
        record = {"thread_id": view.index.thread, **checkpoint_record(view, entry, seen), "metadata": seen.metadata}
        record |= {"values": state} | ({"writes": [*writes_at(view, entry)]} if writes else {})
        print_json(record)
        return 0
    facts = {
        "checkpoint": f"{escaped(entry.id)} (line {entry.line}){_sealed(view)}",
        "parent": escaped(entry.parent or "none"),
        "namespace": escaped(entry.ns),
        "step": f"{text_of(seen.metadata.get('step'))} {text_of(seen.metadata.get('source'))}",
        "nodes": ", ".join(map(escaped, seen.nodes)),
        "time": moment(seen.time),
        "changed": changed_text(seen.changed),
    }
    for label, text in facts.items():
        if text.strip():
            print(f"{label:<11} {text}")
    print(pretty(visible(state)))
    if writes:
        _print_writes(view, entry)
    return 0


def _print_writes(view: View, entry: Entry) -> None:
    for write in writes_at(view, entry):
        where = f"{escaped(write['task'])} {escaped(write['path'])}".rstrip()
        print(fitted(f"      {where}: {escaped(write['channel'])} = {brief(write['value'])}"))


def _title(view: View, entry: Entry) -> str:
    seen = glance(view, entry)
    return f"step {text_of(seen.metadata.get('step'))}  {escaped(entry.id)}  {moment(seen.time)}"


def _change_line(change: Change) -> str:
    path = escaped(change.path)
    if change.kind == "changed":
        return f"~ {path}: {brief(change.old)} -> {brief(change.new)}"
    return f"{_MARKS[change.kind]} {path}: {brief(change.new if change.kind == 'added' else change.old)}"


def _change_record(change: Change) -> dict[str, Any]:
    sides = {"removed": ("old",), "added": ("new",)}.get(change.kind, ("old", "new"))
    return {"change": change.kind, "path": change.path} | {side: getattr(change, side) for side in sides}
