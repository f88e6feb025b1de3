"""Versions of channels as the server writes them, and as they stand in a ledger.

LangGraph compares versions as texts. The server pads them to 32 digits and asks no checkpointer how, a ledger to 10:
side by side in one thread the newer one would often be the smaller text, and nodes would run twice or never.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from langgraph.checkpoint.base import Checkpoint

_SERVER, _LEDGER = 32, 10


def for_server(version: Any) -> Any:
    """A version of a ledger as the server would have written it."""
    return _padded(version, _SERVER)


def for_ledger(version: Any) -> Any:
    """A version of the server as a ledger would have written it."""
    return _padded(version, _LEDGER)


def with_versions(checkpoint: Checkpoint, change: Callable[[Any], Any]) -> Checkpoint:
    """The same checkpoint with every version in it changed."""
    seen = {node: of_channels(versions, change) for node, versions in checkpoint["versions_seen"].items()}
    versions = of_channels(checkpoint["channel_versions"], change)
    return cast(Checkpoint, {**checkpoint, "channel_versions": versions, "versions_seen": seen})


def of_channels(versions: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """The same versions by channel, each of them changed."""
    return {channel: change(version) for channel, version in versions.items()}


def _padded(version: Any, width: int) -> Any:
    if not isinstance(version, str):
        return version
    whole, point, rest = version.partition(".")
    return f"{int(whole):0{width}d}{point}{rest}" if whole.isdecimal() else version
