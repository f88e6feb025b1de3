"""What `langgraph.json` names: the graph and its checkpointer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ..checkpointing.server import DEFAULT_RUNS_DIR, RUNS_DIR_VARIABLE
from ..graphs.pipeline import build_pipeline
from .graph import ServedPipeline
from .ledgers import ServedLedgers

graph = ServedPipeline.of(build_pipeline())


@asynccontextmanager
async def checkpointer() -> AsyncGenerator[ServedLedgers]:
    """The ledgers of the runs folder that WAYPOST_RUNS_DIR names, for as long as the server lives."""
    root = os.environ.get(RUNS_DIR_VARIABLE) or DEFAULT_RUNS_DIR
    # Resolving a relative path asks for the working directory, which the server does not suffer on its event loop.
    async with await asyncio.to_thread(ServedLedgers, root) as ledgers:
        yield ledgers
