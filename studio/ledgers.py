"""The checkpointer of the server: the ledgers of the runs folder, under the thread ids that the server takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple

from ..checkpointing import LedgerSaver
from ..checkpointing.writer import WriterInfo
from ..graphs.allow import STATE_TYPES
from ..state.errors import LedgerError, Refused
from ..state.ids import server_thread
from .names import Names
from .versions import for_ledger, for_server, of_channels, with_versions


class ServedLedgers(LedgerSaver):
    """A `LedgerSaver` to which a run started in a terminal is the thread `server_thread(run_id)`.

    Args:
        root: the folder of all runs.
    """

    def __init__(self, root: str | Path) -> None:
        super().__init__(root, allow=STATE_TYPES)
        self._names = Names(self.root)

    def run_of(self, thread_id: object) -> str:
        """The name of the run that a thread of the server is."""
        return self._names.run_of(thread_id)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """As `LedgerSaver.get_tuple`."""
        found = super().get_tuple(self._inward(config))
        return _outward(found) if found else None

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """As `LedgerSaver.list`."""
        inward = self._inward(config) if config else None
        yield from map(_outward, super().list(inward, filter=filter, before=before, limit=limit))

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """As `LedgerSaver.put`."""
        checkpoint = with_versions(checkpoint, for_ledger)
        new = of_channels(new_versions, for_ledger)
        return _config_outward(super().put(self._inward(config), checkpoint, metadata, new))

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """As `LedgerSaver.put_writes`."""
        super().put_writes(self._inward(config), writes, task_id, task_path)

    def delete_thread(self, thread_id: str) -> None:
        """Nothing: the server forgets a thread, the ledger does not."""

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Nothing: what was done is not undone by taking it out of the record."""

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Nothing: `waypost ledger compact` makes a ledger small."""

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Raises Refused: a copy would be a second record of the same files, workers and branches."""
        refusal = LedgerError(
            f"run {self.run_of(source_thread_id)} cannot be copied: its files and its workspace are there once",
            next_step="fork it in its own thread, from one of its checkpoints, or start a new run",
        )
        raise Refused(refusal)

    def acquire(self, thread_id: object, *, takeover: bool = False) -> None:
        """As `LedgerSaver.acquire`."""
        super().acquire(self.run_of(thread_id), takeover=takeover)

    def release(self, thread_id: object) -> None:
        """As `LedgerSaver.release`."""
        super().release(self.run_of(thread_id))

    def writer(self, thread_id: object) -> WriterInfo | None:
        """As `LedgerSaver.writer`."""
        return super().writer(self.run_of(thread_id))

    def _inward(self, config: RunnableConfig) -> RunnableConfig:
        configurable = config.get("configurable", {})
        return {**config, "configurable": {**configurable, "thread_id": self.run_of(configurable["thread_id"])}}


def _outward(found: CheckpointTuple) -> CheckpointTuple:
    parent = _config_outward(found.parent_config) if found.parent_config else None
    checkpoint = with_versions(found.checkpoint, for_server)
    return found._replace(config=_config_outward(found.config), checkpoint=checkpoint, parent_config=parent)


def _config_outward(config: RunnableConfig) -> RunnableConfig:
    configurable = config.get("configurable", {})
    return {**config, "configurable": {**configurable, "thread_id": server_thread(configurable["thread_id"])}}
