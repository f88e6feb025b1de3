"""Who may write a thread: the lines that say so, and the refusal of everybody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from ..state.errors import LedgerConflict
from .index import LedgerIndex
from .lines import FORMAT, Data
from .records import PlainRecord
from .writer import WriterInfo, this_process

_TRIES, _PAUSE_S = 1000, 0.002


def opening(thread: str, sealed: str | None, follows: Data | None = None) -> PlainRecord:
    """The first line of a ledger; it makes its writer the holder of the lease."""
    by = this_process().json()
    return PlainRecord("open", {"format": FORMAT, "thread": thread, "sealed": sealed, "by": by, "follows": follows})


def lease(state: str) -> PlainRecord:
    """The line by which this process takes the lease (`held`) or lets it go (`released`)."""
    return PlainRecord("lease", {"by": this_process().json(), "state": state})


def refuse_if_driven(index: LedgerIndex, ledger: Path, *, takeover: bool) -> None:
    """Raise `LedgerConflict` if another living process holds the lease and it is not to be taken from it."""
    by = index.by
    if takeover or by is None or index.released or index.deleted or by == this_process() or not by.alive():
        return
    raise conflict(index, ledger, "is driven by another process")


def conflict(index: LedgerIndex, ledger: Path, what: str) -> LedgerConflict:
    """The refusal, with all that is known of the other writer."""
    by = index.by
    who = f"pid {by.pid}, started {by.started}, host {by.host}, boot {by.boot}" if by else "not known"
    return LedgerConflict(
        f"thread {index.thread or ledger.parent.name} {what}",
        facts={"ledger": ledger, "writer": who, "epoch": index.epoch},
        next_step="wait for it, stop it, or let it release the thread; if it is gone for sure: acquire(takeover=True)",
    )


def writer_of(index: LedgerIndex) -> WriterInfo | None:
    """Who the ledger says writes it."""
    by = index.by
    if by is None:
        return None
    return WriterInfo(by.pid, by.started, by.host, by.boot, index.epoch, by.alive(), index.released)


def patience() -> Iterator[None]:
    """So many short waits for a lock that is held for the time of one write."""
    pause = threading.Event()
    for _ in range(_TRIES):
        pause.wait(_PAUSE_S)
        yield
