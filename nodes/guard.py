"""The one wrapper around every node: valid state in, an allowed move and a valid update out, the move recorded.

LangGraph validates Pydantic state on node input only and drops unknown keys without a word; here both are errors.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from langgraph.runtime import Runtime

from ..failpoints import failpoint
from ..state.errors import StateError
from ..state.events import Event, NodeFinished, NodeStarted
from ..state.job import Job
from ..state.pipeline import PipelineState
from ..state.records import Transition
from ..state.status import Node, check_transition
from ..state.update import apply_update, validate_state, validate_update
from .context import Call, RunContext
from .move import Move
from .secrets import hide_in_event, hide_in_update
from .workers.launcher.masking import Masker

_Input = TypeVar("_Input", PipelineState, Job)
_OWNED = ("status", "transitions")

Stage = Callable[[_Input, Call], Move]
After = Callable[[PipelineState, Call], dict[str, Any]]
LangGraphNode = Callable[[Any, Runtime[RunContext]], dict[str, Any]]


def guarded(node: Node, stage: Stage[_Input], *, default: RunContext, after: After | None = None) -> LangGraphNode:
    """`stage` as a LangGraph node.

    Args:
        default: the context of a run that was invoked without one.
        after: called with the state as it will be, just before it is handed to LangGraph; its result joins the update.

    Raises (when the node runs):
        IllegalTransition: the stage wants a move that the table does not have.
        StateError: the state that came in, or the update that goes out, is not valid.
    """

    def run(state: _Input, runtime: Runtime[RunContext]) -> dict[str, Any]:
        context: RunContext = runtime.context or default
        with context.busy:
            return work(state, runtime, context)

    def work(state: _Input, runtime: Runtime[RunContext], context: RunContext) -> dict[str, Any]:
        failpoint(f"node.{node}.enter")
        masker = context.environment.masker()
        call = _call(runtime, context, masker)
        clock = time.monotonic()
        call.say(NodeStarted(event="node_started", run_id=state.run_id, node=node))
        if isinstance(state, PipelineState):
            state = validate_state(state)
        move = stage(state, call)
        failpoint(f"node.{node}.moved")
        update = _update(node, state, move, masker)
        if isinstance(state, PipelineState):
            new_state = apply_update(state, update)
            update |= validate_update(after(new_state, call)) if after else {}
        call.say(_finished(node, state.run_id, move, time.monotonic() - clock))
        failpoint(f"node.{node}.exit")
        return update

    run.__name__ = node.value
    return run


def _update(node: Node, state: PipelineState | Job, move: Move, masker: Masker) -> dict[str, Any]:
    owned = [name for name in _OWNED if name in move.update]
    if owned:
        raise StateError(f'node "{node}" writes "{owned[0]}", which belongs to the guard')
    edge = check_transition(run_id=state.run_id, node=node, source=state.status, target=move.target, route=move.route)
    record = Transition(
        source=edge.source,
        target=edge.target,
        node=edge.node,
        route=edge.route,
        reason=move.reason,
        at=datetime.now(UTC),
    )
    return hide_in_update(validate_update({**move.update, "status": edge.target, "transitions": (record,)}), masker)


def _call(runtime: Runtime[RunContext], context: RunContext, masker: Masker) -> Call:
    control = runtime.control

    def draining() -> bool:
        return context.drain.is_set() or (control is not None and control.drain_requested)

    def say(event: Event) -> None:
        hidden = hide_in_event(event, masker)
        runtime.stream_writer(hidden)
        context.listen(hidden)

    return Call(context=context, say=say, draining=draining)


def _finished(node: Node, run: str, move: Move, duration_s: float) -> Event:
    return NodeFinished(
        event="node_finished",
        run_id=run,
        node=node,
        outcome=f"{move.target} ({move.route})",
        text=move.reason,
        duration_s=round(duration_s, 3),
    )
