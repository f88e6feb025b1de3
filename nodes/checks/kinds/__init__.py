"""Kinds of check, one file each. What they share, and how to write your own: `kind.py` and docs/checks.md."""

from __future__ import annotations

from .builtin import BUILTIN, installed_kinds, with_kinds
from .kind import Argument, Bench, Judged, Kept, Kind, Kinds, NotKept, Seen, Shape, failed, passed, unverifiable

__all__ = [
    "BUILTIN",
    "Argument",
    "Bench",
    "Judged",
    "Kept",
    "Kind",
    "Kinds",
    "NotKept",
    "Seen",
    "Shape",
    "failed",
    "installed_kinds",
    "passed",
    "unverifiable",
    "with_kinds",
]
