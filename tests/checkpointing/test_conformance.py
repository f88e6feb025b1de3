"""LangGraph's own contract tests for checkpointers, on every capability they know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from waypost.checkpointing import LedgerSaver, fsck

CAPABILITIES = ["put", "put_writes", "get_tuple", "list", "delete_thread", "delete_for_runs", "copy_thread", "prune"]


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_conformance(tmp_path: Path, capability: str) -> None:
    @checkpointer_test(name="LedgerSaver")
    async def ledger_saver() -> AsyncGenerator[LedgerSaver, None]:
        async with LedgerSaver(tmp_path, durability="process") as saver:
            yield saver

    report = asyncio.run(validate(ledger_saver, capabilities={capability}))

    result = report.results[capability]
    assert result.detected
    assert result.failures == []
    assert result.passed
    assert fsck(tmp_path).problems == []
