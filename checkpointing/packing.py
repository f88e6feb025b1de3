"""From what LangGraph hands over to records, everything serialised: values are live objects, and may change soon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langgraph.checkpoint.base import WRITES_IDX_MAP, ChannelVersions, Checkpoint, CheckpointMetadata

from ..state.errors import LedgerError
from .index import Version
from .packed import Packed
from .reading import Target
from .records import CheckpointRecord, WritesRecord
from .values import Codec


def checkpoint_record(
    codec: Codec,
    target: Target,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
    before: Callable[[str], Packed | None],
) -> CheckpointRecord:
    """A checkpoint whose parent is the target; a channel in `new_versions` without a value has become empty.

    Args:
        before: gives what a channel held before, if that is at hand.
    """
    values = checkpoint["channel_values"]
    about = {key: value for key, value in checkpoint.items() if key not in ("id", "channel_values")}
    ns = target.ns or ""
    callers = [(above, str(id)) for above, id in metadata.get("parents", {}).items() if above != ns]
    changed: list[tuple[str, Version, Packed | None]] = [
        (channel, version, codec.pack(values[channel], before(channel)) if channel in values else None)
        for channel, version in new_versions.items()
    ]
    return CheckpointRecord(
        ns=ns,
        id=checkpoint["id"],
        parent=target.id,
        about=codec.pack(about),
        metadata=codec.pack(metadata),
        values=changed,
        ancestors=callers + ([(ns, target.id)] if target.id else []),
    )


def writes_record(
    codec: Codec, target: Target, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
) -> WritesRecord:
    """What a task wrote at the target; an encrypting saver hides the channels' names with the values.

    Raises:
        LedgerError: the target is no checkpoint.
    """
    if target.id is None:
        raise LedgerError("writes need the id of their checkpoint in the config")
    packed = [
        (WRITES_IDX_MAP.get(channel, at), "", codec.pack((channel, value)))
        if codec.sealed
        else (WRITES_IDX_MAP.get(channel, at), channel, codec.pack(value))
        for at, (channel, value) in enumerate(writes)
    ]
    return WritesRecord(target.ns or "", target.id, task_id, task_path, packed)
