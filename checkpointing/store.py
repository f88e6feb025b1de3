"""One thread in this process: who may read and write its ledger, and in which order. The only owner of its handles.

All saver objects of a process share one store for each thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path

from ..state.errors import LedgerConflict, LedgerError, LedgerIOError, LedgerLost
from .arrivals import Arrivals
from .commit import Commit, Group, Ticket
from .disk import Disk
from .failpoints import failpoint
from .files import telling
from .graves import Graves
from .index import LedgerIndex
from .lease import lease, opening, refuse_if_driven, writer_of
from .ledger import Ledger, is_read_only
from .mirror import PAUSE_S, Mirror
from .names import folder_name
from .packed import Packed
from .proof import prove
from .records import CheckpointRecord, PlainRecord, Record
from .texts import TextCache
from .view import View
from .writer import WriterInfo


class ThreadStore:
    """See the module.

    Args:
        disk: the door to the operating system.
        root: the folder of all threads.
        thread, pause_s: the thread's key, and what `Mirror` says of it.
    """

    def __init__(self, disk: Disk, root: Path, thread: str, pause_s: float = PAUSE_S) -> None:
        self.thread = thread
        self.path = root / folder_name(thread)
        self._arrivals = Arrivals()
        self._ledger = Ledger(disk, self.path, thread, self._arrivals.synced)
        self._commit = threading.Lock()
        self._graves = Graves()
        self.mirror = Mirror(pause_s)
        self._leased = False
        self._broken: LedgerError | None = None

    def view(self, *, settle: bool) -> View | None:
        """The ledger as it is now; None if there is no such thread.

        Args:
            settle: make sure first that nothing is shown that is not on disk.

        Raises:
            LedgerCorrupt: it is damaged.
        """
        ledger = self._ledger
        if not self._drives():
            with self._commit:
                ledger.refresh()
                if settle and ledger.settled < ledger.index.end:
                    self._settle_for_reader()
        if ledger.index.lines == 0 or ledger.index.deleted:
            return None
        try:
            return ledger.view()
        except FileNotFoundError:
            return None

    def writer(self) -> WriterInfo | None:
        """Who the ledger says writes it; None if there is no such thread."""
        view = self.view(settle=False)
        return writer_of(view.index) if view else None

    def show(self, record: CheckpointRecord, commit: Commit) -> None:
        """Bring the mirrors up to a committed checkpoint; an encrypted ledger has none."""
        view = self.view(settle=False)
        if view is not None and view.index.sealed is None:
            self.mirror.update(view, record, commit)

    def at_hand(self, ns: str, channel: str) -> Packed | None:
        """The value a channel was last given, if it is still in memory."""
        at = self._ledger.index.last_value.get((ns, channel))
        return self._ledger.cache.get(at) if at else None

    def rest(self) -> bool:
        """Give the handles back until they are needed again; false if they are just now in use."""
        if not self._commit.acquire(blocking=False):
            return False
        try:
            self._ledger.rest()
        finally:
            self._commit.release()
        return True

    def _drives(self) -> bool:
        """Whether our own index is the truth: we hold the lease, and the file is as we left it."""
        if not self._leased or self._broken is not None:
            return False
        if self._commit.acquire(blocking=False):
            try:
                self._notice_takeover()
            finally:
                self._commit.release()
        return self._leased and self._broken is None

    def _notice_takeover(self) -> None:
        """Give up for good before another's lines are read: to know them would pass for having written them."""
        if self._leased and self._broken is None and not self._ledger.is_as_known():
            self._broken = self._ledger.lost()

    def _settle_for_reader(self) -> None:
        """Put on disk what we are about to show; where we may not write, show it as it is."""
        try:
            with self._ledger.locked():
                self._ledger.refresh()
                if self._ledger.settled < self._ledger.index.end:
                    self._ledger.settle()
        except FileNotFoundError:
            self._ledger.forget()
        except LedgerIOError as error:
            if not is_read_only(error):
                raise

    def acquire(self, *, power: bool, sealed: str | None, takeover: bool = False) -> None:
        """Take the lease if this process does not hold it; recovery after whatever happened before.

        Raises:
            LedgerConflict: another living process holds it.
            LedgerCorrupt: the ledger is damaged.
        """
        with self._commit:
            if self._leased and self._broken is None and self._ledger.is_as_known():
                return
            self._let_go()
            self._take_lease(power, sealed, takeover)

    def release(self, *, power: bool) -> None:
        """Let go of the lease, so that another process can take over at once; no error if it is not held."""
        self.mirror.settle()
        with self._commit:
            if self._leased and self._broken is None:
                with contextlib.suppress(LedgerLost):
                    index = self._ledger.index
                    self._append([Ticket(lease("released"), power, index.sealed)], index.epoch)
            self._let_go()

    def drop_lock(self) -> None:
        """Close the lock file without unlocking it; see `Files.drop_lock`."""
        if self._ledger.files is not None:
            self._ledger.files.drop_lock()

    def _let_go(self) -> None:
        if self._leased:
            self._graves.past = self._ledger.index
        self._leased, self._broken = False, None
        self._ledger.forget()

    def _take_lease(self, power: bool, sealed: str | None, takeover: bool, then: Sequence[Ticket] = ()) -> None:
        """From nothing known to being the writer, with what is to be written next in the same group.

        A folder that vanishes under us was a deletion: begin again.
        """
        for _ in range(3):
            with contextlib.suppress(FileNotFoundError), telling("recover", self._ledger.file):
                self._ledger.refresh()
                refuse_if_driven(self._ledger.index, self._ledger.file, takeover=takeover)
                self._ledger.make_folder()
                with self._ledger.locked():
                    if self._enter(power, sealed, takeover, then):
                        return
            self._ledger.forget()
        raise LedgerConflict(f"{self._ledger.path} is removed again and again", next_step="stop who deletes it")

    def _enter(self, power: bool, sealed: str | None, takeover: bool, then: Sequence[Ticket]) -> bool:
        """Recover the file and write the line that makes us the writer; false if it had to be removed first."""
        ledger = self._ledger
        torn = ledger.refresh(entering=True)
        if ledger.index.deleted:
            ledger.remove()
            return False
        refuse_if_driven(ledger.index, ledger.file, takeover=takeover)
        self._graves.compare(ledger.index)
        ledger.recover(torn, power=power)
        failpoint("ledger.takeover.before")
        record = lease("held") if ledger.index.lines else opening(self.thread, sealed)
        self._append([Ticket(record, power, ledger.index.sealed), *then], ledger.index.epoch + 1, locked=True)
        failpoint("ledger.takeover.after")
        self._leased = True
        self._graves.past = None
        return True

    def append(self, record: Record, *, power: bool, sealed: str | None) -> Commit | None:
        """Put one line at the end; what arrives together from several threads shares one write and one sync.

        Serialise before: whoever comes first writes for all who wait.

        Returns:
            Where it stands now; None if the ledger held all of it already.

        Raises:
            LedgerConflict, LedgerCorrupt: as `acquire`, which is done first if need be.
            LedgerLost: another process took over, or the record belongs to what was deleted.
            LedgerNoSpace, LedgerIOError: it is not in the ledger.
        """
        ticket, came = Ticket(record, power, sealed), 0.0
        if record.kind == "writes":
            came = self._arrivals.bring_writes(ticket, patient=power and self._leased)
        else:
            self._arrivals.bring_checkpoint(ticket)
        if not ticket.done:
            with self._commit:
                if not ticket.done:
                    self._commit_group(sealed)
        if came:
            self._arrivals.writes_end(came)
        return ticket.result()

    def append_all(self, records: Iterable[Record], *, power: bool, sealed: str | None) -> list[Commit | None]:
        """As `append`, for records that are written and synced together."""
        tickets = [Ticket(record, power, sealed) for record in records]
        self._arrivals.bring_all(tickets)
        with self._commit:
            if not all(ticket.done for ticket in tickets):
                self._commit_group(sealed)
        return [ticket.result() for ticket in tickets]

    def _commit_group(self, sealed: str | None) -> None:
        group = self._arrivals.take_all()
        try:
            if self._graves.past is not None and not self._leased:
                self._ledger.refresh()
                self._graves.compare(self._ledger.index)
            alive = self._graves.refuse_late(group)
            if alive:
                self._raise_if_broken()
                if self._leased:
                    self._append(alive, self._ledger.index.epoch)
                else:
                    self._take_lease(any(ticket.power for ticket in alive), sealed, takeover=False, then=alive)
        except BaseException as error:
            for ticket in group:
                ticket.fail(error)
            if not isinstance(error, LedgerError):
                self._let_go()
            if not isinstance(error, Exception):
                raise

    def _append(self, tickets: list[Ticket], epoch: int, *, locked: bool = False) -> None:
        group = Group(self._ledger.view(), tickets, epoch)
        if not group.lines:
            return
        try:
            held = None if locked else self._ledger.lock()
            try:
                self._ledger.write(group, power=any(ticket.power for ticket in tickets))
            finally:
                if held is not None:
                    held.unlock()
        except (LedgerLost, LedgerIOError) as error:
            self._broken = error
            raise
        except FileNotFoundError as error:
            self._broken = LedgerLost(f"{self._ledger.path} was deleted", next_step="start the thread anew")
            raise self._broken from error

    def _raise_if_broken(self) -> None:
        if self._broken is not None:
            next_step = "acquire the thread again: that is recovery"
            raise type(self._broken)(self._broken.what, facts=self._broken.facts, next_step=next_step)

    def rewrite(
        self, choose: Callable[[View], Sequence[Record] | None], *, reason: str, power: bool, forget_lost: bool = False
    ) -> bool:
        """Replace the ledger by one that holds only the chosen records; false if there was nothing to do.

        Args:
            choose: gives the records, or None to leave the ledger as it is.
            reason: for people, in the new open line.
            forget_lost: whether a late write to what goes is refused from now on.

        Raises:
            LedgerConflict: another living process writes it.
            LedgerNoSpace, LedgerIOError: the ledger is as before.
        """
        with self._commit:
            ledger = self._ledger
            self._raise_if_broken()
            if not self._leased:
                ledger.refresh()
            if not ledger.index.lines or ledger.index.deleted or choose(ledger.view()) is None:
                return False
            if not self._leased:
                self._take_lease(power, ledger.index.sealed, takeover=False)
            before = {*ledger.index.checkpoints}
            with self._removing("rewrite"):
                self._notice_takeover()
                self._raise_if_broken()
                ledger.replace(self._whole(choose(ledger.view()) or [], reason))
            if forget_lost:
                self._graves.bury(before - ledger.index.checkpoints.keys())
            return True

    @contextlib.contextmanager
    def _removing(self, what: str) -> Generator[None]:
        """Hold the file lock and the mirrors; if it goes wrong, the file has to be looked at anew."""
        try:
            with telling(what, self._ledger.file), self._ledger.locked(), self.mirror.lock:
                yield
                self.mirror.forget()
        except BaseException:
            self._let_go()
            raise

    def _whole(self, records: Sequence[Record], reason: str) -> Group:
        index = self._ledger.index
        first = opening(self.thread, index.sealed, {"line": index.lines, "sha256": index.last, "reason": reason})
        tickets = [Ticket(record, True, index.sealed) for record in (first, *records)]
        empty = View(LedgerIndex(sealed=index.sealed), self._ledger.opened, self._ledger.reading, TextCache())
        group = Group(empty, tickets, index.epoch + 1, whole=True)
        prove(group.raw, str(self._ledger.file))
        return group

    def delete(self, *, power: bool) -> None:
        """Remove the thread from the disk; no error if there is none.

        Raises:
            LedgerConflict: another living process writes it.
        """
        with self._commit:
            ledger = self._ledger
            ledger.refresh()
            if ledger.index.lines == 0:
                return
            if not self._leased or self._broken is not None:
                sealed = ledger.index.sealed
                self._let_go()
                self._take_lease(power, sealed, takeover=False)
            self._graves.bury([*ledger.index.checkpoints, *ledger.index.writes])
            with self._removing("delete"):
                record = PlainRecord("tombstone", {"reason": "delete_thread"})
                self._append([Ticket(record, power, ledger.index.sealed)], ledger.index.epoch, locked=True)
                failpoint("ledger.delete.after_tombstone")
                ledger.remove()
            self._let_go()
