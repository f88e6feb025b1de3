"""The savers an experiment is done to, behind one face."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from kit.ledgers import config, make_checkpoint
from langgraph.checkpoint.base.id import uuid6
from waypost.checkpointing import LedgerSaver, fsck
from waypost.checkpointing.disk import PosixDisk

from faults.model import Item, Op, State

if HAS_SQLITE := importlib.util.find_spec("langgraph.checkpoint.sqlite") is not None:
    from langgraph.checkpoint.sqlite import SqliteSaver

LOCK_S = 1.0
CONSTANT = "a value that never changes " * 80


class Subject(Protocol):
    """A saver that keeps its threads in a folder."""

    name: str
    verbs: tuple[str, ...]

    def open(self, folder: Path, **options: Any) -> Any: ...
    def close(self, saver: Any) -> None: ...
    def complaints(self, folder: Path) -> list[str]: ...


class Ledgers:
    """LedgerSaver, each time as after a restart."""

    name = "LedgerSaver"
    verbs = ("put", "write", "prune", "compact", "delete", "release")

    def open(self, folder: Path, **options: Any) -> LedgerSaver:
        return LedgerSaver(folder / "root", **{"disk": PosixDisk(), **options})

    def close(self, saver: LedgerSaver) -> None:
        saver.close()

    def complaints(self, folder: Path) -> list[str]:
        if not (folder / "root").is_dir():
            return []
        return [f"fsck: line {line}: {what}" for line, what in fsck(folder / "root").problems]


class Sqlite:
    """SqliteSaver as it is meant to be used."""

    name = "SqliteSaver"
    verbs = ("put", "write", "delete")

    def open(self, folder: Path, **options: Any) -> Any:
        folder.mkdir(exist_ok=True)
        return SqliteSaver(sqlite3.connect(folder / "db.sqlite", timeout=LOCK_S, check_same_thread=False))

    def close(self, saver: Any) -> None:
        saver.conn.close()

    def complaints(self, folder: Path) -> list[str]:
        return []


SUBJECTS: dict[str, Subject] = {"ledger": Ledgers(), "sqlite": Sqlite()}


def digest(values: dict[str, Any]) -> str:
    """What stands for the values of a checkpoint in a comparison."""
    text = json.dumps(values, sort_keys=True)
    return f"{str(values.get('text'))[:16]}|{hashlib.sha1(text.encode()).hexdigest()[:12]}"


def state_in(saver: Any, thread: str) -> State:
    """All checkpoints of a thread, oldest first, as they are shown."""
    shown = [
        Item(
            found.checkpoint["id"],
            digest(found.checkpoint["channel_values"]),
            tuple(sorted((task, value if isinstance(value, str) else repr(value)) for task, _, value in writes)),
        )
        for found in saver.list(config(thread))
        for writes in [found.pending_writes or ()]
    ]
    return tuple(reversed(shown))


class Talk:
    """Drives one thread as a run does, and can go on where another process stopped.

    Each checkpoint has a new text, a log that grew by it, and a large value that never changes.
    """

    def __init__(self, saver: Any, thread: str) -> None:
        self.saver = saver
        self.thread = thread
        self.go_on()

    def go_on(self) -> None:
        """Continue from the newest checkpoint."""
        found = self.saver.get_tuple(config(self.thread))
        self.at: str | None = found.checkpoint["id"] if found else None
        self.values: dict[str, Any] = dict(found.checkpoint["channel_values"]) if found else {}
        self.versions: dict[str, Any] = dict(found.checkpoint["channel_versions"]) if found else {}

    def put(self, text: str) -> tuple[Op, Callable[[], None]]:
        """The operation that puts a next checkpoint, and the call that does it."""
        changed: dict[str, Any] = {"text": text, "log": [*self.values.get("log", []), text[:40]]}
        if "fixed" not in self.values:
            changed["fixed"] = CONSTANT
        values, id = self.values | changed, str(uuid6())

        def call() -> None:
            new = {name: self.saver.get_next_version(self.versions.get(name), None) for name in changed}
            made = make_checkpoint(dict(values), self.versions | new, id)
            about = {"source": "loop", "step": len(values["log"]), "parents": {}}
            self.saver.put(config(self.thread, id=self.at), made, about, new)
            self.values, self.versions, self.at = values, self.versions | new, id

        return ["put", self.thread, id, digest(values)], call

    def write(self, task: str, value: str) -> tuple[Op, Callable[[], None]]:
        """The operation that puts a write at the newest checkpoint, and the call that does it."""
        at = self.at

        def call() -> None:
            self.saver.put_writes(config(self.thread, id=at), [("text", value)], task)

        return ["write", self.thread, at, task, value], call

    def remove(self, verb: str) -> tuple[Op, Callable[[], None]]:
        """Prune, compact, delete or release."""
        saver, thread = self.saver, self.thread
        calls: dict[str, Callable[[], Any]] = {
            "prune": lambda: saver.prune([thread]),
            "compact": lambda: saver.compact(thread),
            "delete": lambda: saver.delete_thread(thread),
            "release": lambda: saver.release(thread),
        }

        def call() -> None:
            calls[verb]()
            if verb == "delete":
                self.at, self.values, self.versions = None, {}, {}

        return [verb, thread], call
