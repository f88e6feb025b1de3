"""Who drives a run or a batch, as far as can be seen from its ledger."""

from __future__ import annotations

from ..checkpointing import WriterInfo


def is_driving(writer: WriterInfo | None) -> bool:
    """Whether the process that a ledger names still holds it."""
    return writer is not None and writer.alive and not writer.released


def told_driver(writer: WriterInfo | None, *, ended: bool, waits_for: str | None) -> str:
    """`ended`, a pid, what a person is needed for, or that nobody drives it."""
    if ended:
        return "ended"
    if writer is not None and is_driving(writer):
        return f"pid {writer.pid}"
    return f"waits for {waits_for}" if waits_for else "nobody: resume it"
