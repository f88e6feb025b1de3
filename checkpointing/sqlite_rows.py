"""The database of LangGraph's SqliteSaver, read and written row by row with nothing in it ever executed.

Values stay what they are made of: plain containers, and `Extension` where an object would be built. Which types an
extension may name is decided by the policy of the ledger, before anything else looks at it.

Raises, on import:
    ImportError: langgraph-checkpoint-sqlite is not installed; the message names the extra.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from ..state.errors import InputError, LedgerError
from .image import pack, unpack
from .policy import TypeName
from .values import Codec

try:
    from langgraph.checkpoint.sqlite import SqliteSaver
except ImportError as error:
    raise ImportError("SQLite needs langgraph-checkpoint-sqlite: pip install 'waypost[sqlite]'") from error

Key = tuple[str, str]


class WriteRow(NamedTuple):
    """One pending write as both savers keep it."""

    ns: str
    id: str
    task: str
    path: str
    idx: int
    channel: str
    value: Any


class Inert(JsonPlusSerializer):
    """LangGraph's serializer without the building of objects: an extension is kept as it was found."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """As LangGraph's serializer, for what `loads_typed` gives."""
        plain = obj is None or isinstance(obj, bytes | bytearray)
        return super().dumps_typed(obj) if plain else ("msgpack", pack(obj))

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Plain containers, and extensions."""
        return unpack(data[1]) if data[0] == "msgpack" else super().loads_typed(data)


class _Checked(Inert):
    """Reads under the policy of a ledger; `where` names the file in a refusal."""

    def __init__(self, codec: Codec, where: str) -> None:
        super().__init__()
        self._codec = codec
        self._where = where

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """As `Inert`, or `LedgerBlockedType`."""
        return self._codec.unpack("base64", base64.b64encode(data[1]), data[0], self._where)


class _Saver(SqliteSaver):
    """Sets nothing up in a database that is only read, which may be of a version without task paths."""

    def __init__(self, connection: sqlite3.Connection, codec: Codec, where: str, *, read_only: bool) -> None:
        super().__init__(connection, serde=_Checked(codec, where))
        if read_only:
            self.is_setup = True
            self._has_task_path = any(row[1] == "task_path" for row in connection.execute("PRAGMA table_info(writes)"))

    @property
    def path_column(self) -> str:
        """The task path in a query."""
        return "task_path" if self._has_task_path else "''"


class SqliteThreads:
    """The threads of one database, as they were when it was opened. Use `reading` or `writing`.

    Raises, from every method:
        LedgerBlockedType: a value names a type that is not allowed; nothing was executed.
        LedgerError: a row is not one that SqliteSaver writes, or SQLite refuses.
    """

    def __init__(self, saver: _Saver, file: Path) -> None:
        self._saver = saver
        self.file = file

    @classmethod
    @contextlib.contextmanager
    def reading(cls, file: Path, allow: frozenset[TypeName]) -> Generator[SqliteThreads]:
        """Open a database that exists, for reading only."""
        if not file.is_file():
            raise InputError(f"there is no file {file}", next_step="give the database as sqlite:FILE")
        address = f"file:{quote(str(file.absolute()))}?mode=ro"
        with _connected(file, address) as connection:
            with _told(file):
                connection.execute("BEGIN")
                _refuse_other_tables(connection, file)
                saver = _Saver(connection, Codec(Inert(), allow), str(file), read_only=True)
            yield cls(saver, file)

    @classmethod
    @contextlib.contextmanager
    def writing(cls, file: Path, allow: frozenset[TypeName]) -> Generator[SqliteThreads]:
        """Open a database, or make one. What was put is there if the block ends well, else none of it."""
        if not file.absolute().parent.is_dir():
            raise InputError(f"there is no folder {file.absolute().parent}", next_step="make it first")
        fresh = not os.path.lexists(file)
        if fresh:
            with _told(file):
                file.touch(mode=0o600)
        try:
            with _connected(file, f"file:{quote(str(file.absolute()))}") as connection:
                with _told(file):
                    saver = _Saver(connection, Codec(Inert(), allow), str(file), read_only=False)
                    saver.setup()
                    _refuse_other_tables(connection, file)
                    connection.execute("BEGIN IMMEDIATE")
                yield cls(saver, file)
                with _told(file):
                    connection.commit()
        except BaseException:
            if fresh:
                file.unlink(missing_ok=True)
            raise

    def names(self) -> list[str]:
        """The ids of all threads."""
        with _told(self.file):
            rows = self._rows("SELECT thread_id FROM checkpoints UNION SELECT thread_id FROM writes ORDER BY 1")
            return [_text(thread) for (thread,) in rows]

    def keys(self, thread: str) -> list[Key]:
        """Namespace and id of a thread's checkpoints, the newest of each namespace last."""
        query = "SELECT checkpoint_ns, checkpoint_id FROM checkpoints WHERE thread_id = ? ORDER BY 2, 1"
        with _told(self.file):
            return [(_text(ns), _text(id)) for ns, id in self._rows(query, thread)]

    def checkpoint(self, thread: str, key: Key) -> CheckpointTuple:
        """A checkpoint as SqliteSaver reads it."""
        ns, id = key
        config: RunnableConfig = {"configurable": {"thread_id": thread, "checkpoint_ns": ns, "checkpoint_id": id}}
        with _told(self.file):
            found = self._saver.get_tuple(config)
            if not id or found is None or found.checkpoint["id"] != id:
                raise ValueError(f"checkpoint {id!r} has another id inside")
            return found

    def newest(self, thread: str, ns: str) -> str | None:
        """The id of the checkpoint from which a thread goes on."""
        with _told(self.file):
            found = self._saver.get_tuple({"configurable": {"thread_id": thread, "checkpoint_ns": ns}})
            return found.checkpoint["id"] if found else None

    def writes(self, thread: str) -> Iterator[WriteRow]:
        """All writes of a thread, also those whose checkpoint never came, in the order in which they were put."""
        query = (
            f"SELECT checkpoint_ns, checkpoint_id, task_id, {self._saver.path_column}, channel, idx, type, value"
            " FROM writes WHERE thread_id = ? ORDER BY rowid"
        )
        with _told(self.file):
            for *texts, idx, kind, value in self._rows(query, thread):
                ns, id, task, path, channel = map(_text, texts)
                if not isinstance(idx, int):
                    raise TypeError(f"a write has the index {idx!r}")
                yield WriteRow(ns, id, task, path, idx, channel, self._saver.serde.loads_typed((kind, value)))

    def put(self, thread: str, found: CheckpointTuple) -> None:
        """Add a checkpoint."""
        at, parent = found.config.get("configurable", {}), (found.parent_config or {}).get("configurable", {})
        with _told(self.file):
            metadata = json.dumps(found.metadata, ensure_ascii=False).encode()  # so does SqliteSaver
            kind, data = self._saver.serde.dumps_typed(found.checkpoint)
            row = (thread, at["checkpoint_ns"], at["checkpoint_id"], parent.get("checkpoint_id"), kind, data, metadata)
            self._saver.conn.execute(
                "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type,"
                " checkpoint, metadata) VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )

    def put_writes(self, thread: str, writes: Iterable[WriteRow]) -> None:
        """Add writes, each at its index."""
        with _told(self.file):
            self._saver.conn.executemany(
                "INSERT INTO writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type,"
                " value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((thread, *write[:6], *self._saver.serde.dumps_typed(write.value)) for write in writes),
            )

    def _rows(self, query: str, *values: str) -> Iterator[tuple[Any, ...]]:
        return self._saver.conn.execute(query, values)


@contextlib.contextmanager
def _connected(file: Path, address: str) -> Generator[sqlite3.Connection]:
    """A connection that trusts nothing in the file; transactions are begun by hand."""
    with _told(file):
        connection = sqlite3.connect(address, uri=True, isolation_level=None)
    with contextlib.closing(connection):
        with _told(file):
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
        yield connection


@contextlib.contextmanager
def _told(file: Path) -> Generator[None]:
    """Whatever a file that is not what it should be may cause, as one kind of error."""
    try:
        yield
    except (OSError, sqlite3.Error, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if isinstance(error, LedgerError | InputError):
            raise
        raise LedgerError(
            f"{file}: {error or type(error).__name__}", next_step="nothing was moved; the file must be a SqliteSaver's"
        ) from error


def _refuse_other_tables(connection: sqlite3.Connection, file: Path) -> None:
    """A view or a virtual table under one of the names would run what its author wrote."""
    plain = {
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0")
    }
    plain &= {"checkpoints", "writes"}
    if plain != {"checkpoints", "writes"}:
        raise InputError(f"{file} is no database of SqliteSaver", next_step="its tables are checkpoints and writes")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a row has {value!r:.60} where a text belongs")
    return value
