"""The checkpointer of a LangGraph server: `waypost.checkpointing.server.ledger_checkpointer` in `langgraph.json`.

"checkpointer": { "path": "waypost.checkpointing.server.ledger_checkpointer" }
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from .aio import LedgerSaver

RUNS_DIR_VARIABLE = "WAYPOST_RUNS_DIR"
DEFAULT_RUNS_DIR = ".artifacts/agent_runs"


@asynccontextmanager
async def ledger_checkpointer() -> AsyncGenerator[LedgerSaver]:
    """A saver for as long as the server lives; at its end every thread is released.

    The folder of all threads is taken from the environment variable WAYPOST_RUNS_DIR. Types are allowed as by
    `LedgerSaver` without a list: LangGraph's own, and plain data of modules that are loaded.
    """
    root = os.environ.get(RUNS_DIR_VARIABLE) or DEFAULT_RUNS_DIR
    # Resolving a relative path asks for the working directory, which the server does not suffer on its event loop.
    async with await asyncio.to_thread(LedgerSaver, root) as saver:
        yield saver
