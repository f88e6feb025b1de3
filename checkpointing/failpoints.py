"""The points of the ledger at which a test can kill this process; see `waypost.failpoints`."""

from __future__ import annotations

from ..failpoints import failpoint

FAILPOINTS: tuple[str, ...] = (
    "ledger.append.before",
    "ledger.append.after_write",
    "ledger.append.after_sync",
    "ledger.append.after_ack",
    "ledger.mirror.before",
    "ledger.mirror.after",
    "ledger.recover.before",
    "ledger.recover.after_quarantine",
    "ledger.recover.after_cut",
    "ledger.recover.after_settle",
    "ledger.create.after_folder",
    "ledger.create.after_file",
    "ledger.takeover.before",
    "ledger.takeover.after",
    "ledger.rewrite.before",
    "ledger.rewrite.after_write",
    "ledger.rewrite.after_rename",
    "ledger.delete.after_tombstone",
    "ledger.delete.after_mirrors",
    "ledger.delete.after_ledger",
)

__all__ = ["FAILPOINTS", "failpoint"]
