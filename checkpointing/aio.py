"""The same verbs as coroutines: each is the plain call in a thread, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)

from .saver import LedgerSync

_AT_ONCE = 8
_WORTH_A_THREAD_S = 0.0005
_T = TypeVar("_T")


class LedgerSaver(LedgerSync):
    __doc__ = LedgerSync.__doc__

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """As `get_tuple`."""
        return await self._in_thread(self.get_tuple, config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """As `list`; a few tuples are read at a time."""
        found = self.list(config, filter=filter, before=before, limit=limit)
        while some := await self._in_thread(lambda: _some_of(found)):
            while some:  # what the caller has let go must not be kept here, or the collector is busy with it
                yield some.pop()

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """As `put`."""
        return await self._in_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """As `put_writes`."""
        await self._in_thread(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """As `delete_thread`."""
        await self._in_thread(self.delete_thread, thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """As `delete_for_runs`."""
        await self._in_thread(self.delete_for_runs, run_ids)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """As `copy_thread`."""
        await self._in_thread(self.copy_thread, source_thread_id, target_thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """As `prune`."""
        await self._in_thread(self.prune, thread_ids, strategy=strategy)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """As `get_delta_channel_history`."""
        return await self._in_thread(self.get_delta_channel_history, config=config, channels=channels)

    async def _in_thread(self, verb: Callable[..., _T], *arguments: Any, **named: Any) -> _T:
        # Threads of our own: a graph's sync nodes may fill the loop's default executor, and wait for us there.
        call = partial(contextvars.copy_context().run, verb, *arguments, **named)
        return await asyncio.get_running_loop().run_in_executor(self._pool.executor, call)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._in_thread(self.close)


def _some_of(found: Iterator[_T]) -> list[_T]:
    """The next few items, last one first: as many as it takes to make a thread worth its while; none at the end."""
    until = time.monotonic() + _WORTH_A_THREAD_S
    some: list[_T] = []
    for item in islice(found, _AT_ONCE):
        some.append(item)
        if time.monotonic() > until:
            break
    return some[::-1]
