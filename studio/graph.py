"""The pipeline as the server runs it: a form in, the run's own context to its nodes, the thread let go at each stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, StateUpdate

from ..cli.books import close_books
from ..cli.found import configured
from ..graphs.compiled import Pipeline
from ..nodes.context import RunContext
from ..nodes.recall import recall_run
from ..state.errors import InputError, Refused, RunNotFound, WaypostError
from ..state.ids import run_id
from ..state.pipeline import PipelineState
from ..state.status import ENDS, Status
from ..state.update import validate_state
from .asked import NewRun, RunLimits, begin
from .ledgers import ServedLedgers


class ServedPipeline(Pipeline):
    """Use `ServedPipeline.of(build_pipeline())`: the server brings the checkpointer, a `ServedLedgers`."""

    def get_input_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """The form of a new run."""
        return NewRun.model_json_schema()

    def get_context_jsonschema(self) -> dict[str, Any]:
        """The form of its limits."""
        return RunLimits.model_json_schema()

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, *, context: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """As LangGraph's.

        Args:
            input: the fields of a `NewRun`; None goes on, a `Command` answers a question.
            context: the fields of `RunLimits`, for a new run.

        Raises:
            Refused: nothing was started, or another process drives the run.
        """
        options = {**kwargs, "durability": "sync"}
        options.pop("checkpoint_during", None)
        with _told_to_the_server():
            ledgers, thread = self._ledgers(), _thread_of(config)
            run, given = await asyncio.to_thread(_prepare, ledgers, thread, input, context, self)
            async with _driving(run, ledgers, thread):
                stream = super().astream(given, config, context=run, **options)
                async for chunk in stream:
                    yield chunk
                await asyncio.to_thread(_close, self, ledgers, thread, run)

    async def abulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """As `Pipeline.abulk_update_state`; afterwards any other process may go on with the run. Raises Refused."""
        with _told_to_the_server():
            ledgers, thread = self._ledgers(), _thread_of(config)
            try:
                return await super().abulk_update_state(config, supersteps)
            finally:
                await asyncio.to_thread(ledgers.release, thread)

    def _ledgers(self) -> ServedLedgers:
        checkpointer: Any = cast(Any, self).checkpointer
        # The server puts an adapter around what it was given.
        found = getattr(checkpointer, "_inner", checkpointer)
        if not isinstance(found, ServedLedgers):
            raise InputError(
                "the server keeps no ledgers: nothing was started",
                next_step='"checkpointer": { "path": "waypost.studio.served.checkpointer" } in langgraph.json',
            )
        return found


@contextmanager
def _told_to_the_server() -> Generator[None]:
    try:
        yield
    except Refused:
        raise
    except WaypostError as error:
        raise Refused(error) from error


@asynccontextmanager
async def _driving(run: RunContext, ledgers: ServedLedgers, thread: str) -> AsyncGenerator[None]:
    """While entered the run is driven. At the end no node runs any more, and any other process may go on with it.

    A run that is cancelled is drained: its nodes cannot be stopped from outside, so they are told, and waited for.
    Workers are left alive and adopted by whoever goes on.
    """
    try:
        yield
    finally:
        run.drain.set()
        await asyncio.shield(asyncio.to_thread(_let_go, run, ledgers, thread))


def _let_go(run: RunContext, ledgers: ServedLedgers, thread: str) -> None:
    run.busy.wait_for_end()
    ledgers.release(thread)


def _thread_of(config: RunnableConfig | None) -> str:
    thread = (config or {}).get("configurable", {}).get("thread_id")
    if thread is None:
        raise InputError("a run needs a thread: its ledger is the record of what was done")
    return str(thread)


def _prepare(
    ledgers: ServedLedgers, thread: str, given: Any, limits: Any, graph: ServedPipeline
) -> tuple[RunContext, Any]:
    """The context of the run, and what LangGraph is given: the first state of a run, None, or a Command."""
    run = run_id(ledgers.run_of(thread))
    here = RunContext(runs_dir=ledgers.root)
    state = _state(ledgers, thread, graph)
    if state is not None and state.run_id != run:
        raise InputError(f"thread {thread} holds the state of run {state.run_id}, which has a ledger of its own")
    if given is None or isinstance(given, Command):
        going_on = cast(Any, given)
        asked = recall_run(here.run_dir(run)) if state is None else None
        state = state or asked
        if state is None:
            raise RunNotFound(f"thread {thread} has no run yet", next_step="start one: give a task_file")
        return configured(here, state), asked or going_on
    if state is not None:
        raise InputError(
            f"thread {thread} has a run already: {state.run_id} is {state.status}",
            next_step="start a new run in a new thread; to go on with this one, give no input, or answer its question",
        )
    fresh = begin(given, limits, thread=run, runs=ledgers.root)
    return configured(here, fresh), fresh


def _state(ledgers: ServedLedgers, thread: str, graph: ServedPipeline) -> PipelineState | None:
    looking = cast(Any, graph).copy(update={"checkpointer": ledgers})
    values = looking.get_state({"configurable": {"thread_id": thread}}).values
    return validate_state(values) if "run_id" in values else None


def _close(graph: ServedPipeline, ledgers: ServedLedgers, thread: str, run: RunContext) -> None:
    """Attest a run that has stopped, as the command line does."""
    state = _state(ledgers, thread, graph)
    if state is not None and state.evidence and (state.status in ENDS or state.status is Status.BLOCKED):
        close_books(state, Path(run.run_dir(state.run_id)), None)
