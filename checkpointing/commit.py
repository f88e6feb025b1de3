"""Turning records that wait together into the lines that are written together."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from ..state.errors import LedgerError
from .index import LedgerIndex
from .lines import Data, digest, seal
from .records import Encoder, Record
from .view import View
from .watermark import Watermark
from .writer import this_process


class Commit(NamedTuple):
    """Where a record stands in the ledger."""

    line: int
    bytes: int
    sha256: str


class Line(NamedTuple):
    """One line to write: its data for the index, its bytes and their hash."""

    data: Data
    raw: bytes
    sha256: str


@dataclass(slots=True)
class Ticket:
    """A record that somebody waits for; it ends with a result or an error.

    Attributes:
        power: it is acknowledged only when it is on disk.
        sealed: with which cipher its values are encrypted.
        gate: a lock that is held until it is done, if somebody waits for that.
    """

    record: Record
    power: bool
    sealed: str | None
    done: bool = False
    commit: Commit | None = None
    error: BaseException | None = None
    gate: threading.Lock | None = None

    def succeed(self, commit: Commit | None) -> None:
        """It is acknowledged; None: there was nothing to write."""
        self.commit = commit
        self._end()

    def fail(self, error: BaseException) -> None:
        """It is not in the ledger, unless it was acknowledged before."""
        if not self.done:
            self.error = error
            self._end()

    def _end(self) -> None:
        # In this order: whoever sees `done` without a lock must find the result.
        self.done = True
        if self.gate is not None:
            self.gate.release()

    def result(self) -> Commit | None:
        """What became of it."""
        if self.error is not None:
            raise self.error
        return self.commit


class Group:
    """The lines of some tickets, ready to be written behind what an index knows.

    Args:
        view: the ledger they are put behind.
        tickets: in the order of the lines.
        epoch: of the lease under which they are written.
        whole: they are a ledger of their own, which is on disk before anybody sees it.

    Attributes:
        lines: in order; none if all tickets failed or had nothing to write.
        raw: the bytes of all lines.
    """

    def __init__(self, view: View, tickets: list[Ticket], epoch: int, *, whole: bool = False) -> None:
        self._index: LedgerIndex = view.index
        self._sealed = view.index.sealed
        self._begun = view.index.lines > 0
        self._encoder = Encoder(view)
        self._epoch = epoch
        self._whole = whole
        self.lines: list[Line] = []
        self._tickets: list[Ticket] = []
        for ticket in tickets:
            self._add(ticket)
        self.raw = self.lines[0].raw if len(self.lines) == 1 else b"".join([line.raw for line in self.lines])

    @property
    def mark(self) -> Watermark:
        """The watermark when they are acknowledged."""
        index, last = self._index, self.lines[-1]
        end = index.end + len(self.raw)
        return Watermark(index.lines + len(self.lines), end, last.sha256, index.genesis or self.lines[0].sha256)

    def committed(self) -> None:
        """They are on disk and in the index: tell who waits."""
        self._encoder.committed()
        end = self._index.end - len(self.raw)
        for ticket, line in zip(self._tickets, self.lines, strict=True):
            end += len(line.raw)
            ticket.succeed(Commit(line.data["number"], end, line.sha256))

    def _add(self, ticket: Ticket) -> None:
        number = self._index.lines + len(self.lines) + 1
        try:
            self._check_seal(ticket)
            self._encoder.sealed = self._sealed is not None
            body = ticket.record.body(number, self._encoder)
        except LedgerError as error:
            ticket.fail(error)
            return
        if body is None:
            ticket.succeed(None)
            return
        prev = self.lines[-1].sha256 if self.lines else self._index.last
        acked = number - 1 if self._whole else self._index.lines
        data = header(number, ticket.record.kind, self._epoch, acked, prev)
        data |= body
        if ticket.record.kind == "open":
            self._sealed, self._begun = data["sealed"], True
        raw = seal(data)
        self.lines.append(Line(data, raw, digest(raw)))
        self._tickets.append(ticket)

    def _check_seal(self, ticket: Ticket) -> None:
        """An encrypted ledger takes nothing in clear, and one in clear nothing that its readers have no key for."""
        if self._begun and (ticket.sealed is None) != (self._sealed is None):
            state = "in clear, but this saver encrypts" if ticket.sealed else "encrypted, and this saver has no key"
            raise LedgerError(f"thread {self._index.thread} is {state}; nothing was written")


def header(number: int, kind: str, epoch: int, acked: int, prev: str, time: str = "") -> Data:
    """The keys every line begins with."""
    return {
        "number": number,
        "kind": kind,
        "time": time or datetime.now(UTC).isoformat(timespec="microseconds"),
        "writer": this_process().name,
        "epoch": epoch,
        "acked": acked,
        "prev": prev,
    }
