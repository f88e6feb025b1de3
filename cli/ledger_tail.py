"""What `waypost ledger tail` prints: the newest lines of a ledger, each as one line for people, and those that come."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from ..checkpointing.looking import glance
from ..checkpointing.store import ThreadStore
from ..checkpointing.view import View
from .ledger import changed_text, text_of
from .ledger_pick import find_thread
from .ledger_text import answer, escaped, fitted, moment, print_json

POLL_S = 0.25


def tail(run: str, *, runs: Path, count: int, follow: bool, json: bool) -> int:
    """The last lines; with `follow`, also what is appended from now on, until Ctrl-C."""

    def work() -> int:
        store, view = find_thread(run, runs)
        _print_from(view, max(1, view.index.lines - count + 1), json=json)
        if follow:
            _follow(store, view, json=json)
        return 0

    return answer(work, json=json)


def _follow(store: ThreadStore, view: View, *, json: bool) -> None:
    """Print what comes; a ledger that is rewritten is told from its first line again. Ends when it is deleted."""
    pause = threading.Event()
    shown, genesis = view.index.lines, view.index.genesis
    try:
        while True:
            pause.wait(POLL_S)
            now = store.view(settle=False)
            if now is None:
                return
            if now.index.genesis != genesis:
                shown, genesis = 0, now.index.genesis
            if now.index.lines > shown:
                _print_from(now, shown + 1, json=json)
                shown = now.index.lines
    except KeyboardInterrupt:
        return


def _print_from(view: View, first: int, *, json: bool) -> None:
    for number in range(first, view.index.lines + 1):
        record = _record(view, number)
        if json:
            print_json(record)
        else:
            print(fitted(_text(record)), flush=True)


def _record(view: View, number: int) -> dict[str, Any]:
    """A line without its values."""
    line = view.line(number)
    record: dict[str, Any] = {key: line[key] for key in ("number", "kind", "time", "writer", "epoch")}
    match line["kind"]:
        case "checkpoint":
            record |= _of_checkpoint(view, number, line)
        case "writes":
            channels = [write["channel"] for write in line["writes"]]
            record |= {key: line[key] for key in ("ns", "id", "task", "path")} | {"channels": channels}
        case "open":
            record |= {"thread": line["thread"], "sealed": line["sealed"], "follows": line.get("follows")}
        case kind:
            record |= {"state": line["state"]} if kind == "lease" else {"reason": line["reason"]}
    return record


def _of_checkpoint(view: View, number: int, line: dict[str, Any]) -> dict[str, Any]:
    entry = view.index.checkpoints[line["ns"], line["id"]]
    seen = glance(view, entry._replace(line=number, parent=line["parent"]))
    told = {"step": seen.metadata.get("step"), "source": seen.metadata.get("source"), "nodes": seen.nodes}
    return {"ns": line["ns"], "id": line["id"], "parent": line["parent"], **told, "changed": seen.changed}


def _text(record: dict[str, Any]) -> str:
    ns = f" in {escaped(record['ns'])}" if record.get("ns") else ""
    match record["kind"]:
        case "checkpoint":
            nodes = "+".join(map(escaped, record["nodes"])) or text_of(record["source"])
            what = f"step {text_of(record['step'])} {nodes}{ns}  {escaped(record['id'])}  "
            what += changed_text(record["changed"])
        case "writes":
            channels = ", ".join(escaped(channel) or "(encrypted)" for channel in record["channels"])
            what = f"task {escaped(record['task'])}{ns}: {channels}  at {escaped(record['id'])}"
        case "open":
            again = record["follows"]
            what = f"thread {escaped(record['thread'])}" + (f", rewritten: {escaped(str(again))}" if again else "")
        case "lease":
            what = f"{escaped(record['state'])} by {escaped(record['writer'])}, epoch {record['epoch']}"
        case _:
            what = escaped(record["reason"])
    return f"{record['number']:>6}  {moment(record['time'])}  {record['kind']:<10}  {what.rstrip()}"
