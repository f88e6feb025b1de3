"""Moving whole threads between LangGraph's SqliteSaver and ledgers, proven by reading everything back.

Nothing is built from what is moved, so the classes of a thread's values need not be there; which types it may name
is decided as when a ledger is read. If anything is wrong with one of the threads asked for, none is moved.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from langgraph.checkpoint.base import CheckpointTuple

from ..state.errors import LedgerError, RunExists, RunNotFound
from .disk import PosixDisk
from .fsck import is_thread
from .ledger import Ledger
from .mirror import newest
from .names import folder_name, thread_key
from .policy import type_names
from .pool import Pool
from .reading import Reader
from .records import CheckpointRecord, Record, WritesRecord
from .sqlite_rows import Inert, SqliteThreads, WriteRow
from .values import Codec
from .view import View

_STAGED = ".import-"


@dataclass(frozen=True)
class Moved:
    """What was moved of one thread, and found equal on both sides."""

    thread: str
    checkpoints: int
    writes: int


def import_sqlite(
    file: Path, runs: Path, threads: Sequence[str] = (), allow: Iterable[type | tuple[str, str]] = ()
) -> list[Moved]:
    """Copy threads of a SqliteSaver's database into ledgers; the database is only read.

    They are written and compared in a folder beside the others, which then gives them their names.

    Args:
        file: the database.
        runs: the root of the ledgers.
        threads: which; all if none is given.
        allow: types that values may name beside LangGraph's own list.

    Raises:
        RunNotFound: the database has no such thread.
        RunExists: something stands where a thread would come to stand.
        LedgerBlockedType: a value names a type that is not allowed.
        LedgerError: the database holds what a ledger cannot.
    """
    names = type_names(allow)
    with SqliteThreads.reading(file, names) as source:
        wanted = _wanted(threads, source.names(), f"in {file}")
        for thread in wanted:
            _refuse_taken(runs, thread)
        with _staged(runs) as staging:
            moved = [_import_one(source, staging, thread, Codec(Inert(), names)) for thread in wanted]
            _publish(runs, staging, wanted)
    return moved


def export_sqlite(
    runs: Path, file: Path, threads: Sequence[str] = (), allow: Iterable[type | tuple[str, str]] = ()
) -> list[Moved]:
    """Copy threads into a database for SqliteSaver, which is made if it is not there; the ledgers are only read.

    Args and Raises: as `import_sqlite`.
    """
    names = type_names(allow)
    named = [thread_key(thread) for thread in threads]
    wanted = _wanted(named, named or [*_threads_of(runs)], f"in {runs}")
    with SqliteThreads.writing(file, names) as target:
        for thread in set(wanted) & {*target.names()}:
            raise RunExists(f"thread {thread!r} is in {file} already", next_step="choose another file")
        return [_export_one(runs, target, thread, Codec(Inert(), names)) for thread in wanted]


def _threads_of(runs: Path) -> Iterator[str]:
    """All threads of a root; a folder that cannot be read, or belongs elsewhere, is an error and not left out."""
    for folder in sorted(runs.absolute().iterdir()) if runs.is_dir() else ():
        if not is_thread(folder):
            continue
        with _read(folder, None) as view:
            if view is not None and folder_name(view.index.thread) != folder.name:
                what = f"{folder} holds thread {view.index.thread!r}, which belongs into a folder of another name"
                raise LedgerError(what, next_step="move the folder away, or choose threads with --thread")
            if view is not None:
                yield view.index.thread


@contextlib.contextmanager
def _read(folder: Path, thread: str | None) -> Generator[View | None]:
    """A ledger as it is now, whatever is appended later; None if there is no thread."""
    ledger = Ledger(PosixDisk(), folder, thread)
    try:
        ledger.refresh()
        yield ledger.view() if ledger.index.lines and not ledger.index.deleted else None
    finally:
        if ledger.files is not None:
            ledger.files.close()


def _wanted(threads: Sequence[str], known: Sequence[str], where: str) -> list[str]:
    wanted = list(dict.fromkeys(threads or known))
    if missing := [thread for thread in wanted if thread not in known]:
        raise RunNotFound(f"there is no thread {missing[0]!r} {where}", facts={"there are": len(known)})
    if not wanted:
        raise RunNotFound(f"there is no thread {where}")
    return wanted


# -- into ledgers


def _refuse_taken(runs: Path, thread: str) -> None:
    folder = runs / folder_name(thread_key(thread))
    if folder.exists() or folder.is_symlink():
        raise RunExists(f"thread {thread!r} has a folder already: {folder}", next_step="choose others with --thread")


@contextlib.contextmanager
def _staged(runs: Path) -> Generator[Path]:
    """A root for threads that nobody sees yet; whatever is still in it at the end is removed."""
    disk = PosixDisk()
    for path in reversed([path for path in (runs.absolute(), *runs.absolute().parents) if not path.exists()]):
        disk.make_folder(path)
    staging = runs.absolute() / f"{_STAGED}{secrets.token_hex(8)}"
    disk.make_folder(staging)
    try:
        yield staging
    finally:
        for folder in staging.iterdir():
            ledger = Ledger(disk, folder, None)
            with contextlib.suppress(LedgerError):
                ledger.refresh()
            if ledger.files is not None:
                ledger.remove()
        disk.remove_folder(staging)


def _import_one(source: SqliteThreads, staging: Path, thread: str, codec: Codec) -> Moved:
    store = Pool(staging, PosixDisk()).store(thread)
    store.acquire(power=True, sealed=None)
    for record in _records(source, thread, codec):
        store.append(record, power=False, sealed=None)
    view = store.view(settle=False)
    if view is not None and (found := newest(view)):
        store.show(*found)
    store.release(power=True)  # the sync of this line is that of all before it
    with _read(staging / folder_name(thread), thread) as view:
        assert view is not None
        return _compared(source, Reader(view, codec), codec, thread)


def _records(source: SqliteThreads, thread: str, codec: Codec) -> Iterator[Record]:
    """A thread's checkpoints, oldest first, then its writes.

    SqliteSaver keeps all values in each checkpoint. Here one is put where its version is new, or where the same
    version stands for several values: then each checkpoint that has it gets its own.
    """
    several = _versions_of_several_values(source, thread)
    stored: set[Any] = set()
    for key in source.keys(thread):
        found = source.checkpoint(thread, key)
        checkpoint, values = found.checkpoint, found.checkpoint["channel_values"]
        new = {
            channel: version
            for channel, version in checkpoint["channel_versions"].items()
            if (place := (key[0], channel, version)) in several or (channel in values and place not in stored)
        }
        stored |= {(key[0], channel, version) for channel, version in new.items()}
        yield CheckpointRecord(
            ns=key[0],
            id=key[1],
            parent=_parent(found),
            about=codec.pack(
                {part: value for part, value in checkpoint.items() if part not in ("id", "channel_values")}
            ),
            metadata=codec.pack(found.metadata),
            values=[(ch, version, codec.pack(values[ch]) if ch in values else None) for ch, version in new.items()],
            ancestors=[],
        )
    yield from _writes_records(source.writes(thread), codec)


def _versions_of_several_values(source: SqliteThreads, thread: str) -> set[Any]:
    seen: dict[Any, object] = {}
    several: set[Any] = set()
    for key in source.keys(thread):
        checkpoint = source.checkpoint(thread, key).checkpoint
        for channel, version in checkpoint["channel_versions"].items():
            values = checkpoint["channel_values"]
            value = hash(_bytes(values[channel])) if channel in values else None
            if seen.setdefault((key[0], channel, version), value) != value:
                several.add((key[0], channel, version))
    return several


def _writes_records(rows: Iterable[WriteRow], codec: Codec) -> Iterator[WritesRecord]:
    """The writes of a task that stand behind one another, as one record."""
    record: WritesRecord | None = None
    for row in rows:
        if record is None or (record.ns, record.id, record.task, record.path) != row[:4]:
            if record is not None:
                yield record
            record = WritesRecord(*row[:4], [])
        record.writes.append((row.idx, row.channel, codec.pack(row.value)))
    if record is not None:
        yield record


def _publish(runs: Path, staging: Path, threads: Sequence[str]) -> None:
    """Give staged threads their names: a rename, which a folder that came meanwhile and holds something refuses."""
    disk = PosixDisk()
    root = disk.open_folder(staging.parent.resolve())
    try:
        for thread in threads:
            name = folder_name(thread)
            try:
                disk.rename(root, f"{staging.name}/{name}", name)
            except OSError as error:
                raise RunExists(f"thread {thread!r} cannot come to stand in {runs}: {error.strerror}") from None
        disk.sync_folder(root)
    finally:
        disk.close(root)


# -- into SQLite


def _export_one(runs: Path, target: SqliteThreads, thread: str, codec: Codec) -> Moved:
    with _read(runs.absolute() / folder_name(thread), thread) as view:
        if view is None:
            raise RunNotFound(f"there is no thread {thread!r} in {runs}")
        reader = Reader(view, codec)
        for ns, entry in view.index.newest.items():
            largest = max(found.id for found in view.entries(ns))
            if entry.id != largest:
                raise LedgerError(
                    f"thread {thread!r} goes on from {entry.id}, but SqliteSaver would go on from {largest}: it takes"
                    " the largest id, and the clock was set back in between",
                    next_step="nothing was moved",
                )
        for entry in view.entries(None)[::-1]:
            target.put(thread, reader.tuple(entry))
        target.put_writes(thread, _writes_of(view, codec))
        return _compared(target, reader, codec, thread)


def _writes_of(view: View, codec: Codec) -> Iterator[WriteRow]:
    """All writes of a ledger that count, also those whose checkpoint never came."""
    for (ns, id), held in view.index.writes.items():
        for (task, idx), write in held.items():
            packed, where = view.texts.at(write.at), f"{view.path}:{write.at.line}"
            value = codec.unpack(packed.form, orjson.loads(packed.text), packed.type, where)
            yield WriteRow(ns, id, task, write.path, idx, write.channel, value)


# -- the proof


def _compared(sqlite: SqliteThreads, reader: Reader, codec: Codec, thread: str) -> Moved:
    """Read every tuple and every write on both sides again.

    Raises:
        LedgerError: something differs; it says what.
    """
    view = reader.view
    keys = sqlite.keys(thread)
    _same(thread, "the list of checkpoints", set(keys), {*view.index.checkpoints})
    for key in keys:
        theirs, ours = _parts(sqlite.checkpoint(thread, key)), _parts(reader.tuple(view.index.checkpoints[key]))
        for part in theirs.keys() | ours.keys():
            _same(thread, f"{part} of checkpoint {key[1]}", theirs.get(part), ours.get(part))
    for ns, entry in view.index.newest.items():
        _same(thread, f"the newest checkpoint of namespace {ns!r}", sqlite.newest(thread, ns), entry.id)
    writes = {_plain(row) for row in sqlite.writes(thread)}
    _same(thread, "the pending writes", writes, {_plain(row) for row in _writes_of(view, codec)})
    return Moved(thread, len(keys), len(writes))


def _parts(found: CheckpointTuple) -> dict[str, object]:
    """A tuple in parts that are equal only if their serialised bytes are."""
    checkpoint = found.checkpoint
    return {
        "config": found.config,
        "parent": _parent(found),
        "metadata": _bytes(found.metadata),
        **{part: _bytes(value) for part, value in sorted(checkpoint.items()) if part != "channel_values"},
        "channel_values": {channel: _bytes(value) for channel, value in checkpoint["channel_values"].items()},
        "pending_writes": [(task, channel, _bytes(value)) for task, channel, value in found.pending_writes or ()],
    }


def _plain(row: WriteRow) -> tuple[Any, ...]:
    return *row[:6], _bytes(row.value)


def _bytes(value: Any) -> tuple[str, bytes]:
    return Inert().dumps_typed(value)


def _parent(found: CheckpointTuple) -> str | None:
    return (found.parent_config or {}).get("configurable", {}).get("checkpoint_id") or None


def _same(thread: str, what: str, theirs: object, ours: object) -> None:
    if theirs != ours:
        raise LedgerError(
            f"thread {thread!r}: {what} would not be the same in a ledger and in SQLite",
            next_step="nothing was moved; this thread holds what one of the two cannot",
        )
