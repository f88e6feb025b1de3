"""A batch as a LangGraph graph: one node that starts what can begin and waits until one task ends, again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from ..failpoints import failpoint
from ..state.batch import BatchState, BatchTask, TaskEnd
from .allow import STATE_TYPES

WORK = "work"


@dataclass
class BatchContext:
    """What a batch is handed besides its state: who runs a task, in which threads, and whether it shall stop.

    Attributes:
        run_task: brings the run of a task to its next stop, in a thread of `threads`.
        drain: set it, and no further task is started; those that are worked on are waited for.
    """

    run_task: Callable[[BatchTask], TaskEnd]
    threads: Executor
    drain: threading.Event
    flying: dict[str, Future[TaskEnd]] = field(default_factory=dict[str, "Future[TaskEnd]"])

    def start(self, state: BatchState) -> None:
        """Start what can begin, as far as there is room."""
        for task in state.startable(self.flying):
            if self.drain.is_set() or len(self.flying) >= state.max_parallel:
                return
            self.flying[task.id] = self.threads.submit(self.run_task, task)

    def next_end(self) -> dict[str, TaskEnd]:
        """Wait until a task ends. Raises what running it has raised."""
        wait(self.flying.values(), return_when=FIRST_COMPLETED)
        id = next(id for id, future in self.flying.items() if future.done())
        return {id: self.flying.pop(id).result()}


BatchGraph = CompiledStateGraph[BatchState, BatchContext, BatchState, BatchState]


def build_batch(checkpointer: BaseCheckpointSaver[Any]) -> BatchGraph:
    """The compiled graph. Invoke it with a `BatchState`; go on with an update that takes back ends to look at again.

    Every end of a task is one checkpoint. Whatever a task was doing when the process died is found by `run_task`.
    """
    builder = cast(Any, StateGraph(BatchState, context_schema=BatchContext))
    builder.add_node(WORK, _work)
    builder.add_edge(START, WORK)
    builder.add_conditional_edges(WORK, _follow, [WORK, END])
    allowed = checkpointer.with_allowlist({(item.__module__, item.__name__) for item in STATE_TYPES})
    return cast(BatchGraph, builder.compile(checkpointer=allowed, name="waypost-batch"))


def _work(state: BatchState, runtime: Runtime[BatchContext]) -> dict[str, Any]:
    context = runtime.context
    context.start(state)
    if not context.flying:
        return {"over": True}
    failpoint("batch.work.started")
    ends = context.next_end()
    failpoint("batch.work.ended")
    return {"ends": state.after(ends, context.flying, datetime.now(UTC)), "over": False}


def _follow(state: BatchState) -> str:
    return END if state.over else WORK
