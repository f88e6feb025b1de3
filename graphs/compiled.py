"""A compiled graph that refuses bad input before it is saved.

LangGraph checkpoints an invalid input, or an invalid `update_state`, before it complains; the thread can then not
even be read any more. Here nothing invalid reaches a checkpoint, and a second driver of a thread is told before its
first node runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.graph import Graph
from langgraph.graph import END
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, StateUpdate

from ..nodes.context import RunContext
from ..state.errors import StateError
from ..state.pipeline import PipelineState
from ..state.status import TRANSITIONS
from ..state.update import validate_state, validate_update

_GUARDED = ("status", "transitions")
_THREADS_AT_MOST = 1024

Compiled = CompiledStateGraph[PipelineState, RunContext, PipelineState, PipelineState]


class Pipeline(Compiled):
    """The compiled pipeline. Use it as any LangGraph graph: invoke, stream, get_state, update_state, draw."""

    @classmethod
    def of(cls, compiled: Compiled) -> Pipeline:
        """The same graph with its input checked; made as LangGraph's own `copy` makes one."""
        return cls(**compiled.__dict__)

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:
        """As LangGraph's `stream`. Raises StateError for an invalid input, LedgerConflict for a driven thread."""
        checked = _checked_input(input)
        self._take_lease(config)
        try:
            yield from cast(Iterator[Any], cast(Any, super()).stream(checked, _roomy(config), **kwargs))
        finally:
            self._show(config)

    async def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:
        """As LangGraph's `astream`, with the same checks as `stream`."""
        checked = _checked_input(input)
        await asyncio.to_thread(self._take_lease, config)
        try:
            async for chunk in cast(AsyncIterator[Any], cast(Any, super()).astream(checked, _roomy(config), **kwargs)):
                yield chunk
        finally:
            await asyncio.to_thread(self._show, config)

    def get_graph(self, config: RunnableConfig | None = None, *, xray: int | bool = False) -> Graph:
        """As LangGraph's, with every route on its edge; LangGraph shows one of several between two nodes."""
        graph = super().get_graph(config, xray=xray)
        graph.edges = [
            edge._replace(data=", ".join(routes)) if (routes := routes_between(edge.source, edge.target)) else edge
            for edge in graph.edges
        ]
        return graph

    def bulk_update_state(self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]) -> RunnableConfig:
        """As LangGraph's. Raises StateError for values that do not fit, and for a status set past the guard."""
        checked = _checked_supersteps(supersteps)
        values = self.get_state(config).values if _lacks_author(checked) else {}
        return super().bulk_update_state(config, _with_author(checked, values))

    async def abulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """As `bulk_update_state`."""
        checked = _checked_supersteps(supersteps)
        values = (await self.aget_state(config)).values if _lacks_author(checked) else {}
        return await super().abulk_update_state(config, _with_author(checked, values))

    def _take_lease(self, config: RunnableConfig | None) -> None:
        self._tell("acquire", config)

    def _show(self, config: RunnableConfig | None) -> None:
        """Whoever looks at the files for people once the graph has returned sees its last state."""
        self._tell("write_mirrors", config)

    def _tell(self, what: str, config: RunnableConfig | None) -> None:
        """Call a method that only our checkpointer has."""
        method = getattr(cast(Any, self).checkpointer, what, None)
        thread = (config or {}).get("configurable", {}).get("thread_id")
        if method is not None and thread is not None:
            method(str(thread))


def _roomy(config: RunnableConfig | None) -> RunnableConfig:
    """The config with threads enough for LangGraph's own waiting beside every step of a wave.

    With fewer, a stream that waits for events takes the thread that the step needs which would send them.
    `Limits.max_parallel` bounds how many steps are really worked on.
    """
    return {"max_concurrency": _THREADS_AT_MOST, **(config or {})}


def routes_between(source: str, target: str) -> list[str]:
    """The routes of the transition table that lead from one node of the graph to another, in table order."""
    return [edge.route.value for edge in TRANSITIONS if edge.node == source and (edge.then or END) == target]


def _checked_input(given: Any) -> Any:
    if given is None:
        return None
    if isinstance(given, Command):
        command = cast(Command[Any], given)
        if command.update is not None or command.goto:
            raise StateError(
                "a Command may only resume this graph", next_step='use Command(resume={"decision": "recover"})'
            )
        return command
    return validate_state(given)


def _checked_supersteps(supersteps: Sequence[Sequence[StateUpdate]]) -> list[list[StateUpdate]]:
    return [[update._replace(values=_checked_values(update.values)) for update in step] for step in supersteps]


def _lacks_author(supersteps: list[list[StateUpdate]]) -> bool:
    return bool(supersteps) and any(update.as_node is None for update in supersteps[0])


def _with_author(supersteps: list[list[StateUpdate]], values: Mapping[str, Any]) -> list[list[StateUpdate]]:
    """Updates that name no node count as made by the one that moved the run last: LangGraph would guess another,
    because it does not see who ran as a `Send`."""
    moves = values.get("transitions")
    if not moves or not _lacks_author(supersteps):
        return supersteps
    author = str(moves[-1].node)
    first = [update if update.as_node else update._replace(as_node=author) for update in supersteps[0]]
    return [first, *supersteps[1:]]


def _checked_values(values: object) -> dict[str, Any] | None:
    if values is None:
        return None
    if isinstance(values, PipelineState):
        values = {name: getattr(values, name) for name in values.model_fields_set}
    if not isinstance(values, Mapping):
        raise StateError(f"an update is a mapping of fields, not {type(values).__name__}")
    fields = cast(Mapping[str, Any], values)
    guarded = [name for name in _GUARDED if name in fields]
    if guarded:
        raise StateError(
            f'"{guarded[0]}" cannot be set from outside: only the transition table moves a run',
            next_step="resume the run, or answer its question with Command(resume=...)",
        )
    return validate_update(fields)
