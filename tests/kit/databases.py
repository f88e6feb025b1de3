"""Databases of SqliteSaver. Importing this skips a test module where the extra [sqlite] is not installed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import CheckpointTuple

from .ledgers import config

sqlite_saver: Any = pytest.importorskip("langgraph.checkpoint.sqlite", reason="needs the extra [sqlite]").SqliteSaver


@contextmanager
def opened(file: Path) -> Iterator[Any]:
    with closing(sqlite3.connect(file, check_same_thread=False)) as connection:
        yield sqlite_saver(connection)


def make(file: Path, build: Callable[[Any], None]) -> Path:
    with opened(file) as saver:
        build(saver)
    return file


def tuples(saver: Any, thread: str = "t") -> dict[Any, CheckpointTuple]:
    found = list(saver.list(config(thread, None)))
    return {tuple(sorted(item.config["configurable"].items())): item for item in found}


def rows(file: Path) -> list[list[Any]]:
    """Everything a database holds but for the bytes, which may be another spelling of the same."""
    with closing(sqlite3.connect(file)) as connection:
        writes = connection.execute(
            "SELECT thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, value FROM writes"
        )
        checkpoints = connection.execute(
            "SELECT thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, metadata FROM checkpoints"
        )
        return [sorted(writes, key=repr), sorted(checkpoints, key=repr)]
