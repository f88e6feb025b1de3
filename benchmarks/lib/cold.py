"""The child process of the cold open: opens one thread, gets its newest checkpoint, prints the milliseconds.

Arguments: the store's name, and its folder or connection string.
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys
import time
from pathlib import Path

import orjson
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from waypost.checkpointing import LedgerSaver

_CONFIG = {"configurable": {"thread_id": "long"}}


def _ledger(address: str) -> None:
    assert LedgerSaver(address).get_tuple(_CONFIG)


def _process(address: str) -> None:
    assert LedgerSaver(address, durability="process").get_tuple(_CONFIG)


def _sqlite(address: str) -> None:
    with sqlite3.connect(address) as connection:
        assert SqliteSaver(connection).get_tuple(_CONFIG)


def _postgres(address: str) -> None:
    with PostgresSaver.from_conn_string(address) as saver:
        assert saver.get_tuple(_CONFIG)


def _floor(address: str) -> None:
    data = (Path(address) / "long" / "ledger.jsonl").read_bytes()
    start = 0
    while stop := data.find(b"\n", start) + 1:
        line = data[start:stop]
        hashlib.sha256(line).hexdigest()
        orjson.loads(line)
        start = stop


_WAYS = {
    "LedgerSaver": _ledger,
    "LedgerSaver process": _process,
    "SqliteSaver": _sqlite,
    "PostgresSaver": _postgres,
    "read, hash and parse": _floor,
}

if __name__ == "__main__":
    way, address = _WAYS[sys.argv[1]], sys.argv[2]
    began = time.perf_counter()
    way(address)
    print((time.perf_counter() - began) * 1000)
