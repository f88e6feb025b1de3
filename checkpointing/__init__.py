"""LangGraph checkpoints in append-only files."""

from .aio import LedgerSaver
from .fsck import FsckReport, fsck
from .view import Head
from .writer import WriterInfo

__all__ = ["FsckReport", "Head", "LedgerSaver", "WriterInfo", "fsck"]
