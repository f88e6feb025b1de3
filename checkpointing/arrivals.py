"""What waits to be written, and how long it pays to let it wait for company: who shares a group shares its sync.

LangGraph hands over what a task wrote and, a moment later and from another thread, the checkpoint of its step. Each
would sync by itself. So writes wait, before they take any lock, about as long as the checkpoint took to come lately,
if that is not much more than what a sync takes. The idea is PostgreSQL's `commit_delay`; here both times are measured.
Nothing is acknowledged earlier than without it, and nobody waits for a checkpoint that has not been coming.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable

from .commit import Ticket

_WEIGHT = 0.25
# A group of its own costs as much again as its sync, of which the checkpoint has to wait for some.
_WORTH = 4.0
_SLACK = 2.0
_MOST_S = 0.02


class Rhythm:
    """What is known of one thread: how long a sync takes, and how long after writes their checkpoint comes.

    Times are in seconds of any clock that does not step back.

    Args:
        like: begin with what is known of another thread, which is most likely driven by a graph of the same kind.
    """

    def __init__(self, like: Rhythm | None = None) -> None:
        self._sync_s = like._sync_s if like else 0.0
        self._gap_s: float | None = like._gap_s if like else None
        self._under_way: float | None = None
        self._over = False

    def synced(self, seconds: float) -> None:
        """A sync took so long."""
        self._sync_s += (seconds - self._sync_s) * (_WEIGHT if self._sync_s else 1.0)

    def writes_come(self, now: float) -> float:
        """Writes arrive; gives how long they are to wait for company, 0 for not at all."""
        self._under_way, self._over = now, False
        if self._gap_s is None or self._gap_s > self._sync_s * _WORTH:
            return 0.0
        return min(self._gap_s * _SLACK, _MOST_S)

    def writes_end(self, came: float) -> None:
        """The writes that came then are acknowledged, or failed."""
        if self._under_way == came:
            self._under_way, self._over = None, True

    def checkpoint_comes(self, now: float) -> None:
        """A checkpoint arrives. Only while writes are under way could they have shared a sync with it."""
        if self._under_way is not None:
            gap_s = min(now - self._under_way, _MOST_S)
            known_s = gap_s if self._gap_s is None else self._gap_s
            # The first step of a graph takes longest: a shorter time is believed at once, as a wait costs little.
            self._gap_s = min(gap_s, known_s + (gap_s - known_s) * _WEIGHT)
        elif self._over:
            self.in_vain()
        self._under_way, self._over = None, False

    def in_vain(self) -> None:
        """Writes waited, or would have waited, and no checkpoint came."""
        if self._gap_s is not None:
            self._gap_s = min(self._gap_s * 2, 2 * _MOST_S)


class Arrivals:
    """The tickets of one thread that nobody has begun to write; whoever writes takes them all."""

    _latest: Rhythm | None = None

    def __init__(self) -> None:
        self._waiting: deque[Ticket] = deque()
        self._rhythm = Arrivals._latest = Rhythm(Arrivals._latest)
        self.synced = self._rhythm.synced

    def __len__(self) -> int:
        return len(self._waiting)

    def bring_all(self, tickets: Iterable[Ticket]) -> None:
        """Add tickets without waiting for company."""
        self._waiting.extend(tickets)

    def bring_checkpoint(self, ticket: Ticket) -> None:
        """Add a checkpoint, for which writes may be waiting."""
        self._rhythm.checkpoint_comes(time.perf_counter())
        self._waiting.append(ticket)

    def bring_writes(self, ticket: Ticket, *, patient: bool) -> float:
        """Add writes and, if they are patient, wait a moment for a checkpoint that takes them along.

        Returns:
            When they came, for `writes_end`.
        """
        came = time.perf_counter()
        wait_s = self._rhythm.writes_come(came)
        if not patient or not wait_s:
            self._waiting.append(ticket)
            return came
        ticket.gate = threading.Lock()
        ticket.gate.acquire()
        self._waiting.append(ticket)
        if not ticket.gate.acquire(timeout=wait_s):
            self._rhythm.in_vain()
        return came

    def writes_end(self, came: float) -> None:
        """The writes that came then are acknowledged, or failed."""
        self._rhythm.writes_end(came)

    def take_all(self) -> list[Ticket]:
        """Everything that waits, in the order in which it came."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]
