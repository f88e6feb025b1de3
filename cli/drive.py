"""Driving a run to its next stop: progress out, signals in."""

from __future__ import annotations

from typing import Any, cast

from langchain_core.runnables import RunnableConfig

from ..graphs.compiled import Pipeline
from ..nodes.context import RunContext
from ..state.errors import StateError
from ..state.events import Event
from ..state.ids import run_id
from ..state.pipeline import PipelineState
from ..state.update import validate_state
from .stopping import stopping
from .view import View


def drive(pipeline: Pipeline, given: Any, *, run: str, context: RunContext, view: View) -> PipelineState:
    """Run until the graph stops by itself, and return the state that the ledger then holds.

    SIGINT and SIGTERM make it stop at its next checkpoint; workers are left alive and adopted on resume. A second one
    stops the workers too.
    """

    with stopping(context, [context.run_dir(run_id(run))], view), view:
        for event in pipeline.stream(given, _config(run), context=context, stream_mode="custom", durability="sync"):
            view.event(cast(Event, event))
    state = read_state(pipeline, run)
    if state is None:
        raise StateError(f"run {run} left no checkpoint")
    return state


def read_state(pipeline: Pipeline, run: str) -> PipelineState | None:
    """The newest state in the ledger, validated whole; None where the first stage has not been reached."""
    values = pipeline.get_state(_config(run)).values
    return validate_state(values) if "run_id" in values else None


def has_checkpoint(pipeline: Pipeline, run: str) -> bool:
    """True once LangGraph has anything to go on from."""
    return pipeline.get_state(_config(run)).created_at is not None


def _config(run: str) -> RunnableConfig:
    return {"configurable": {"thread_id": run}}
