"""The checkpointers that compete, opened in a folder of their own and asked in one way."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from waypost.checkpointing import LedgerSaver

from lib.postgres import Server

LEDGER, MIRRORED = "LedgerSaver", "LedgerSaver, mirror"
PROCESS, PROCESS_MIRRORED = "LedgerSaver process", "LedgerSaver process, mirror"
LEDGER_ASYNC, PROCESS_ASYNC = "LedgerSaver (async)", "LedgerSaver process (async)"
MEMORY, MEMORY_ASYNC = "InMemorySaver", "InMemorySaver (async)"
SQLITE, ASYNC_SQLITE, POSTGRES = "SqliteSaver", "AsyncSqliteSaver", "PostgresSaver"
BARE, NONE, NONE_ASYNC = "append + fdatasync", "no checkpointer", "no checkpointer (async)"
LEDGERS: dict[str, dict[str, Any]] = {
    LEDGER: {"mirror": False},
    MIRRORED: {"mirror": True},
    PROCESS: {"mirror": False, "durability": "process"},
    PROCESS_MIRRORED: {"mirror": True, "durability": "process"},
    LEDGER_ASYNC: {"mirror": False},
    PROCESS_ASYNC: {"mirror": False, "durability": "process"},
}
SYNC = (LEDGER, MIRRORED, PROCESS, PROCESS_MIRRORED, MEMORY, SQLITE, POSTGRES)
_POOL_SIZE = 8
QUERY_LIMIT_S = 30


@dataclass
class Store:
    """One open checkpointer.

    Attributes:
        saver: the checkpointer.
        folder: where it keeps its files.
        address: what another process needs to open it: its folder, file or connection string.
        runner: the event loop if it is asked by its async verbs.
        bytes: how much it takes on the disk; None if it keeps nothing there.
        hurry: makes it skip all syncs while a thread is built that is read afterwards.
    """

    name: str
    saver: BaseCheckpointSaver[Any] | None
    folder: Path
    runner: asyncio.Runner | None = None
    bytes: Callable[[], int | None] = lambda: None
    hurry: Callable[[bool], None] = lambda on: None
    address: str = ""

    def ask(self, verb: str, *args: Any) -> Any:
        """Call a verb, or its async twin if that is how this one is asked."""
        if self.runner is None:
            return getattr(self.saver, verb)(*args)
        return self.runner.run(getattr(self.saver, f"a{verb}")(*args))

    def count(self, config: RunnableConfig) -> int:
        """Read all checkpoints of a thread."""
        assert self.saver is not None
        if self.runner is None:
            return sum(1 for _ in self.saver.list(config))
        return self.runner.run(self._acount(config))

    async def _acount(self, config: RunnableConfig) -> int:
        assert self.saver is not None
        return len([found async for found in self.saver.alist(config)])


@dataclass
class Shop:
    """Opens stores below a folder; `server` is None where there is no PostgreSQL."""

    folder: Path
    server: Server | None
    _opened: int = 0

    def has(self, name: str) -> bool:
        """Whether that store can be opened here."""
        return name != POSTGRES or self.server is not None

    @contextlib.contextmanager
    def open(self, *names: str) -> Iterator[dict[str, Store]]:
        """The stores of these names that can be had, each new and empty."""
        with contextlib.ExitStack() as stack:
            yield {name: stack.enter_context(self._open(name)) for name in names if self.has(name)}

    @contextlib.contextmanager
    def _open(self, name: str) -> Iterator[Store]:
        self._opened += 1
        folder = self.folder / f"{self._opened:03d}"
        folder.mkdir()
        with _open_in(name, folder, self.server) as store:
            yield store


@contextlib.contextmanager
def _open_in(name: str, folder: Path, server: Server | None) -> Iterator[Store]:
    if name in LEDGERS:
        yield from _ledger(name, folder)
    elif name in (NONE, NONE_ASYNC, MEMORY, MEMORY_ASYNC):
        saver = InMemorySaver() if name in (MEMORY, MEMORY_ASYNC) else None
        with asyncio.Runner() as runner:
            yield Store(name, saver, folder, runner if "async" in name else None)
    elif name == SQLITE:
        yield from _sqlite(name, folder)
    elif name == ASYNC_SQLITE:
        yield from _async_sqlite(name, folder)
    else:
        assert server is not None
        yield from _postgres(name, folder, server)


def _ledger(name: str, folder: Path) -> Iterator[Store]:
    with LedgerSaver(folder, **LEDGERS[name]) as saver, asyncio.Runner() as runner:

        def hurry(on: bool) -> None:
            saver._power = not on and LEDGERS[name].get("durability") != "process"

        yield Store(
            name, saver, folder, runner if "async" in name else None, lambda: _size_of(folder), hurry, str(folder)
        )


def _sqlite(name: str, folder: Path) -> Iterator[Store]:
    file = folder / "checkpoints.db"
    with contextlib.closing(sqlite3.connect(file, check_same_thread=False)) as connection:
        saver = SqliteSaver(connection)
        saver.setup()

        def hurry(on: bool) -> None:
            connection.execute(f"PRAGMA synchronous={'OFF' if on else 'FULL'}")

        yield Store(name, saver, folder, None, lambda: _sqlite_size(connection, folder), hurry, str(file))


def _async_sqlite(name: str, folder: Path) -> Iterator[Store]:
    with asyncio.Runner() as runner:
        context = AsyncSqliteSaver.from_conn_string(str(folder / "checkpoints.db"))
        saver = runner.run(context.__aenter__())
        try:
            runner.run(saver.setup())
            yield Store(name, saver, folder, runner, lambda: _size_of(folder))
        finally:
            runner.run(context.__aexit__(None, None, None))


def _postgres(name: str, folder: Path, server: Server) -> Iterator[Store]:
    limit = f"-c statement_timeout={QUERY_LIMIT_S * 1000}"
    settings = {"options": limit, "autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    address = server.database()
    with ConnectionPool(address, min_size=1, max_size=_POOL_SIZE, kwargs=settings) as pool:
        saver = PostgresSaver(pool)  # pyright: ignore[reportArgumentType]
        saver.setup()

        def size() -> int:
            with pool.connection() as connection:
                query = "SELECT sum(pg_total_relation_size(oid)) AS size FROM pg_class WHERE relname LIKE 'checkpoint%'"
                row: Any = connection.execute(query + " AND relkind = 'r'").fetchone()
                return int(row["size"])

        def hurry(on: bool) -> None:
            with pool.connection() as connection:
                connection.execute(f"SET synchronous_commit = {'off' if on else 'on'}")

        yield Store(name, saver, folder, None, size, hurry, address)


def _sqlite_size(connection: sqlite3.Connection, folder: Path) -> int:
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return _size_of(folder)


def _size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
