"""LangGraph checkpoints in append-only files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .fsck import FsckReport, fsck
from .peek import Peek, peek
from .view import Head
from .writer import WriterInfo

if TYPE_CHECKING:
    from .aio import LedgerSaver

__all__ = ["FsckReport", "Head", "LedgerSaver", "Peek", "WriterInfo", "fsck", "peek"]


def __getattr__(name: str) -> Any:
    """Load the saver when it is first asked for: who only looks at a ledger does not wait for LangGraph."""
    if name != "LedgerSaver":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return import_module(".aio", __name__).LedgerSaver
