"""LedgerSaver: LangGraph checkpoints in append-only files, for any graph."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    get_checkpoint_metadata,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from ..state.errors import LedgerError
from .disk import Disk
from .files import LEDGER
from .keeping import newest_only, without_runs
from .mirror import newest
from .names import thread_key
from .packing import checkpoint_record, writes_record
from .policy import type_names
from .pool import shared_pool
from .reading import Reader, Target
from .records import Record
from .runs import begins_a_run
from .store import ThreadStore
from .transplant import Move
from .values import Codec
from .view import Head, View
from .writer import WriterInfo

Durability = Literal["power", "process"]


class LedgerSync(BaseCheckpointSaver[str]):
    """The verbs of a checkpointer, as plain calls. Use `LedgerSaver`, which has them as coroutines too.

    When `put` or `put_writes` has returned, what it was given survives `kill -9`, and a power loss too unless
    `durability="process"`; docs/ledger-format.md says how and under which assumptions.

    Args:
        root: the folder of all threads. Nothing is made on disk before the first run or put.
        serde: LangGraph's serializer by default; an `EncryptedSerializer` leaves nothing in clear but the keys.
        durability: `"power"` syncs before acknowledging, `"process"` does not.
        mirror: keep `pipeline_state.json` and `snapshots/` for people beside the ledger, written in the background.
        allow: types, or (module, name) pairs, that may be read beside LangGraph's own list.
        read_only: never write, not even to recover.
        disk: another door to the operating system, for tests of faults; such a saver shares its threads with no other.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        serde: SerializerProtocol | None = None,
        durability: Durability = "power",
        mirror: bool = True,
        allow: Iterable[type | tuple[str, str]] = (),
        read_only: bool = False,
        disk: Disk | None = None,
    ) -> None:
        super().__init__(serde=serde)
        if durability not in ("power", "process"):
            raise ValueError(f'durability must be "power" or "process", not {durability!r}')
        self._pool = shared_pool(Path(root), disk)
        self.root = self._pool.root
        self._power = durability == "power"
        self._mirror = mirror
        self._allow = type_names(allow)
        self._read_only = read_only
        self._made: Codec | None = None

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint a config points at, or the newest of its namespace; None if there is none.

        When LangGraph asks at the start of a run, the thread is acquired first: else two processes could both run
        nodes before either puts anything. Looking at a thread, as `get_state` does, acquires nothing.

        Raises:
            LedgerConflict: a run is about to start, and another living process writes this thread.
            LedgerCorrupt: the ledger is damaged.
            LedgerBlockedType: a value names a type that is not allowed.
        """
        target = Target.of(config)
        if begins_a_run(config):
            self.acquire(target.thread)
        reader = self._reader(target.thread)
        entry = reader.view.find(target.ns or "", target.id) if reader else None
        return reader.tuple(entry) if reader and entry else None

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Checkpoints, newest first, read one by one and without holding any lock.

        Args:
            config: a thread; one namespace of it if `checkpoint_ns` is there, one checkpoint if `checkpoint_id` is.
                None: all threads.
            filter: values that the metadata must have.
            before: only ids smaller than the one in this config.
            limit: at most so many.
        """
        target = Target.of(config) if config else None
        older_than = before.get("configurable", {}).get("checkpoint_id") if before else None
        for thread in [target.thread] if target else self.threads():
            reader = self._reader(thread, many=True)
            if reader is None:
                continue
            entries = reader.view.entries(target.ns if target else None)
            if target and target.id:
                entries = [entry for entry in entries if entry.id == target.id]
            if older_than:
                entries = [entry for entry in entries if entry.id < older_than]
            for found in reader.matching(entries, filter, limit):
                yield found
                limit = limit if limit is None else limit - 1

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint with the channels in `new_versions`; its parent is the checkpoint of the config.

        Returns:
            A config with the thread, namespace and id of what was saved.

        Raises:
            LedgerConflict: another living process writes this thread.
            LedgerLost: another process took over, or the parent was deleted.
            LedgerNoSpace, LedgerIOError: it was not saved.
        """
        target = Target.of(config)
        store = self._writable(target.thread)
        about = get_checkpoint_metadata(config, metadata)
        before = partial(store.at_hand, target.ns or "")
        record = checkpoint_record(self._codec, target, checkpoint, about, new_versions, before)
        commit = store.append(record, power=self._power, sealed=self._codec.sealed)
        if commit and self._mirror and not record.ns:
            store.show(record, commit)
        return {"configurable": {"thread_id": target.thread, "checkpoint_ns": record.ns, "checkpoint_id": record.id}}

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Save what a task wrote at the checkpoint of the config, which may come later.

        Special channels replace what the task wrote there before; of regular positions the first write stays.

        Raises:
            LedgerConflict, LedgerLost, LedgerNoSpace, LedgerIOError: as `put`.
        """
        target = Target.of(config)
        store = self._writable(target.thread)
        record = writes_record(self._codec, target, writes, task_id, task_path)
        store.append(record, power=self._power, sealed=self._codec.sealed)

    def delete_thread(self, thread_id: str) -> None:
        """Remove a thread's ledger and mirrors from the disk; other files in its folder stay.

        A write that comes late does not bring it back; a new run under the same id is a new thread.

        Raises:
            LedgerConflict: another living process writes it.
        """
        self._writable(thread_key(thread_id)).delete(power=self._power)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Remove the checkpoints, and their writes, whose metadata has one of these run ids, in all threads.

        Checkpoints stay from which a DeltaChannel of another run is still rebuilt.

        Raises:
            LedgerConflict: another living process writes one of the threads concerned.
        """
        runs = {str(run_id) for run_id in run_ids}
        for thread in list(self.threads()) if runs else ():
            self._rewrite(thread, lambda reader: without_runs(reader, runs), "delete_for_runs", forget_lost=True)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints with their ids, parents, writes and task paths; nothing happens if there are none."""
        reader = self._reader(thread_key(source_thread_id))
        store = self._writable(thread_key(target_thread_id))
        if reader is None or store is self._pool.store(thread_key(source_thread_id)):
            return
        move = Move(reader, {*reader.view.index.checkpoints})
        store.append_all(move.records(), power=self._power, sealed=self._codec.sealed)
        self._show_newest(store)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Make threads small.

        Args:
            thread_ids: the threads; unknown ones are passed over.
            strategy: `"keep_latest"` keeps the newest checkpoint of each namespace, and what its DeltaChannels need;
                `"delete"` and `"delete_all"` keep nothing.
        """
        if isinstance(thread_ids, str):
            raise TypeError("thread_ids must be a sequence of ids, not one text")
        if strategy not in ("keep_latest", "delete", "delete_all"):
            raise ValueError(f'strategy must be "keep_latest", "delete" or "delete_all", not {strategy!r}')
        for thread in map(thread_key, thread_ids):
            if strategy == "keep_latest":
                self._rewrite(thread, newest_only, "prune")
            else:
                self._writable(thread).delete(power=self._power)

    def compact(self, thread_id: object) -> None:
        """Write a thread's ledger anew without what no longer counts; all checkpoints and writes stay."""
        self._rewrite(thread_key(thread_id), lambda reader: {*reader.view.index.checkpoints}, "compact", always=True)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """What the ancestors of a checkpoint wrote to each channel, oldest first, and the value it started from."""
        target = Target.of(config)
        reader = self._reader(target.thread)
        entry = reader.view.find(target.ns or "", target.id) if reader else None
        if not channels or reader is None or entry is None:
            return {channel: DeltaChannelHistory(writes=[]) for channel in channels}
        return reader.history(entry, channels)

    def get_next_version(self, current: str | int | float | None, channel: None) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """A version after `current`, of this saver or any other; its random part keeps forks apart."""
        whole = "0" if current is None else str(current).partition(".")[0]
        return f"{int(whole) + 1:0{max(len(whole), 10)}d}.{random.getrandbits(48):012x}"

    def with_allowlist(self, extra_allowlist: Collection[tuple[str, ...]]) -> Self:
        """A saver that shares everything with this one and may read these types too."""
        clone = copy.copy(self)
        clone.serde = super().with_allowlist(extra_allowlist).serde
        clone._allow = self._allow | type_names(extra_allowlist)
        clone._made = None
        return clone

    def acquire(self, thread_id: object, *, takeover: bool = False) -> None:
        """Become the writer of a thread before anything is put.

        Args:
            thread_id: the thread; it is made if it is not there.
            takeover: also from a process that lives. It can write nothing from then on.

        Raises:
            LedgerConflict: another living process writes it.
        """
        store = self._writable(thread_key(thread_id))
        store.acquire(power=self._power, sealed=self._codec.sealed, takeover=takeover)

    def release(self, thread_id: object) -> None:
        """Let another process take over a thread at once; nothing happens if this process does not write it."""
        self._pool.store(thread_key(thread_id)).release(power=self._power)

    def write_mirrors(self, thread_id: object) -> None:
        """Show the newest state of a thread to people at once; by itself that can be a tenth of a second behind.

        Also where the process that has written it was killed before it could show it.
        """
        store = self._pool.store(thread_key(thread_id))
        if self._mirror and not self._read_only and not store.mirror.has_shown:
            # What is wrong with the ledger is told to whoever reads it.
            with contextlib.suppress(LedgerError, OSError):
                self._show_newest(store)
        store.mirror.settle()

    def close(self) -> None:
        """Release all threads of this root that this process writes, also through other saver objects."""
        for store in self._pool.opened():
            store.release(power=self._power)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def writer(self, thread_id: object) -> WriterInfo | None:
        """Who writes a thread, according to its ledger; None if there is no such thread."""
        return self._pool.store(thread_key(thread_id)).writer()

    def head(self, thread_id: object) -> Head:
        """How far a thread's ledger goes; zero lines if there is no such thread."""
        store = self._pool.store(thread_key(thread_id))
        view = store.view(settle=self._settles)
        return view.head() if view else Head(str(store.path / LEDGER), 0, 0, "")

    def threads(self) -> Iterator[str]:
        """The ids of all threads under the root."""
        return self._pool.threads()

    @property
    def _codec(self) -> Codec:
        """For the serializer as it is now: it is a public attribute, and LangGraph's users assign to it."""
        if self._made is None or self._made.serde is not self.serde:
            self._made = Codec(self.serde, self._allow)
        return self._made

    @property
    def _settles(self) -> bool:
        return self._power and not self._read_only

    def _reader(self, thread: str, *, many: bool = False) -> Reader | None:
        view = self._pool.store(thread).view(settle=self._settles)
        return Reader(view, self._codec, many=many) if view else None

    def _writable(self, thread: str) -> ThreadStore:
        if self._read_only:
            raise LedgerError("this saver is read-only", next_step="open one without read_only to write")
        return self._pool.store(thread)

    def _rewrite(
        self,
        thread: str,
        keep: Callable[[Reader], set[tuple[str, str]]],
        reason: str,
        *,
        forget_lost: bool = False,
        always: bool = False,
    ) -> None:
        def choose(view: View) -> Sequence[Record] | None:
            reader = Reader(view, self._codec)
            kept = keep(reader)
            return Move(reader, kept).records() if always or kept < view.index.checkpoints.keys() else None

        store = self._writable(thread)
        if store.rewrite(choose, reason=reason, power=self._power, forget_lost=forget_lost):
            self._show_newest(store)

    def _show_newest(self, store: ThreadStore) -> None:
        view = store.view(settle=False)
        if self._mirror and view and (found := newest(view)):
            store.show(*found)
