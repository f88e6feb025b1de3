"""What this process has deleted, so that a write that comes late does not bring a thread back."""

from __future__ import annotations

from collections.abc import Iterable

from ..state.errors import LedgerLost
from .commit import Ticket
from .index import LedgerIndex
from .records import CheckpointRecord, WritesRecord
from .transplant import MovedCheckpoint

Key = tuple[str, str]


class Graves:
    """Checkpoints that were deleted, by namespace and id.

    Attributes:
        past: what we knew of the ledger when we last wrote it, if that is over.
    """

    def __init__(self) -> None:
        self._dead: set[Key] = set()
        self.past: LedgerIndex | None = None

    def compare(self, now: LedgerIndex) -> None:
        """If the thread that we wrote before is gone, or is another now, bury what we knew of it."""
        past = self.past
        if past is not None and (now.deleted or (now.genesis != past.genesis and not now.rewritten)):
            self.bury({*past.checkpoints, *past.writes} - now.checkpoints.keys())
            self.past = None

    def bury(self, keys: Iterable[Key]) -> None:
        """Remember these as deleted."""
        self._dead.update(keys)

    def refuse_late(self, tickets: list[Ticket]) -> list[Ticket]:
        """Fail the tickets that belong to what was deleted; give the others back.

        A checkpoint whose ancestors are all alive, or that has none, is a new start and makes its id live again.
        """
        if not self._dead:
            return tickets
        alive: list[Ticket] = []
        for ticket in tickets:
            if self._is_late(ticket.record):
                why = "this belongs to a checkpoint that was deleted"
                ticket.fail(LedgerLost(why, next_step="start the thread anew"))
            else:
                alive.append(ticket)
        return alive

    def _is_late(self, record: object) -> bool:
        if isinstance(record, WritesRecord):
            return (record.ns, record.id) in self._dead
        if isinstance(record, MovedCheckpoint):
            self._dead.discard((record.entry.ns, record.entry.id))
        if not isinstance(record, CheckpointRecord):
            return False
        late = any(key in self._dead for key in record.ancestors)
        (self._dead.add if late else self._dead.discard)((record.ns, record.id))
        return late
