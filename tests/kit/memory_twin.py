"""LangGraph's memory saver with what it lacks: pruning, and a newest checkpoint that no clock decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langgraph.checkpoint.base import Checkpoint, CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver

from kit.ledgers import config


class MemoryTwin:
    """Keeps each checkpoint in an `InMemorySaver` under a number in place of its id, and gives it back under its id.

    The memory saver takes the largest id for the newest. Numbers are given in the order of the first puts, so that is
    what it does here too, whatever ids the clock gave.
    """

    def __init__(self) -> None:
        self._memory: Any = InMemorySaver()
        self._numbers: dict[str, str] = {}

    def put(self, given: dict[str, Any], checkpoint: Checkpoint, metadata: Any, new: dict[str, Any]) -> None:
        number = self._numbers.setdefault(checkpoint["id"], f"{len(self._numbers):08d}")
        self._memory.put(self._inside(given), {**checkpoint, "id": number}, metadata, new)

    def put_writes(self, given: dict[str, Any], *rest: Any) -> None:
        self._memory.put_writes(self._inside(given), *rest)

    def get_tuple(self, given: dict[str, Any]) -> CheckpointTuple | None:
        found = self._memory.get_tuple(self._inside(given))
        return found and self._outside(found)

    def list(self, given: dict[str, Any] | None, **limits: Any) -> Iterator[CheckpointTuple]:
        return map(self._outside, self._memory.list(given, **limits))

    def delete_thread(self, thread: str) -> None:
        self._memory.delete_thread(thread)

    def prune(self, thread: str) -> None:
        """Keep the newest checkpoint of each namespace, with its writes and values, and without its parent."""
        kept: set[tuple[str, str]] = set()
        values: set[tuple[Any, ...]] = set()
        for ns, found in self._memory.storage.get(thread, {}).items():
            for number in sorted(found)[:-1]:
                del found[number]
                self._memory.writes.pop((thread, ns, number), None)
            for number, (checkpoint, metadata, _) in found.items():
                kept.add((ns, number))
                found[number] = (checkpoint, metadata, None)
                versions = self._memory.serde.loads_typed(checkpoint)["channel_versions"]
                values |= {(thread, ns, channel, version) for channel, version in versions.items()}
        for key in [key for key in self._memory.blobs if key[0] == thread and key not in values]:
            del self._memory.blobs[key]

    def _inside(self, given: dict[str, Any]) -> dict[str, Any]:
        at = given["configurable"]
        id = at.get("checkpoint_id")
        return config(at["thread_id"], at["checkpoint_ns"], id and self._numbers.get(id, id))

    def _outside(self, found: CheckpointTuple) -> CheckpointTuple:
        ids = {number: id for id, number in self._numbers.items()}

        def named(given: Any) -> Any:
            at = given["configurable"]
            return config(at["thread_id"], at["checkpoint_ns"], ids[at["checkpoint_id"]])

        return found._replace(
            config=named(found.config),
            checkpoint={**found.checkpoint, "id": ids[found.checkpoint["id"]]},
            parent_config=found.parent_config and named(found.parent_config),
        )
