"""Which files changed, read from the log of the newest scope check and from nothing else."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from ...state.errors import EvidenceError
from ...state.records import Check, CheckKind, Outcome
from .files import RunFile, RunFolder

SHOWN_AT_MOST = 500
_LINE_AT_MOST = 1 << 20


@dataclass(frozen=True)
class Change:
    """One changed file, and the line of the log that says so."""

    change: str
    path: str
    allowed: bool
    line: int


@dataclass(frozen=True)
class Scope:
    """What the newest scope check saw.

    Attributes:
        check: that check, None where no scope check is recorded.
        known: whether it left a list of changes; an unknown list is not an empty one.
        shown: changes outside the allowed paths first, then the others, at most SHOWN_AT_MOST.
        counts: number of changes per kind.
    """

    check: Check | None
    known: bool = False
    shown: tuple[Change, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    total: int = 0
    outside: int = 0

    @property
    def hidden(self) -> int:
        """How many changes are not shown."""
        return self.total - len(self.shown)


def read_scope(checks: tuple[Check, ...], run: RunFolder) -> Scope:
    """The changes of the newest scope check.

    Raises:
        EvidenceError: its log is missing, is not what was recorded, or holds a line that is no change.
    """
    found = [check for check in checks if check.kind is CheckKind.SCOPE]
    if not found:
        return Scope(None)
    # Steps in worktrees of their own have a scope check each: one that failed is what a reader has to see.
    newest = max(reversed(found), key=lambda check: (check.round, check.outcome is Outcome.FAILED))
    if newest.log is None:
        return Scope(newest)
    with run.open(newest.log) as file:
        return _tally(newest, _changes(file, newest.log_sha256 or "none"))


def _tally(check: Check, changes: Iterator[Change]) -> Scope:
    kinds: Counter[str] = Counter()
    allowed: list[Change] = []
    refused: list[Change] = []
    outside = 0
    for change in changes:
        # Of a renamed file the other name stands beside it; its old name is counted once.
        kinds[" ".join(change.change.split(" ")[:2]) if change.change.startswith("renamed") else change.change] += 1
        outside += not change.allowed
        rows = allowed if change.allowed else refused
        if len(rows) < SHOWN_AT_MOST:
            rows.append(change)
    shown = tuple([*refused, *allowed][:SHOWN_AT_MOST])
    return Scope(check, True, shown, tuple(sorted(kinds.items())), kinds.total(), outside)


def _changes(file: RunFile, recorded: str) -> Iterator[Change]:
    digest, left, number = hashlib.sha256(), file.size, 0
    while left and (line := file.stream.readline(min(left, _LINE_AT_MOST))):
        digest.update(line)
        left -= len(line)
        number += 1
        if line.strip():
            yield _change(line, f"{file.path}:{number}", number)
    file.require(recorded, digest.hexdigest())


def _change(line: bytes, where: str, number: int) -> Change:
    try:
        row: object = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    fields = cast("dict[str, object]", row) if isinstance(row, dict) else {}
    change, path, allowed = fields.get("change"), fields.get("path"), fields.get("allowed")
    if not (isinstance(change, str) and isinstance(path, str) and isinstance(allowed, bool)):
        raise EvidenceError(f"{where}: not a changed file", facts={"expected": "change, path and allowed"})
    return Change(change, path, allowed, number)
