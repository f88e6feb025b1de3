"""The pipeline as a LangGraph graph. Its edges are the transition table; read it top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from ..nodes.adopt import adopt
from ..nodes.context import RunContext
from ..nodes.dispatch import dispatch
from ..nodes.extract import extract
from ..nodes.guard import Stage, guarded
from ..nodes.leave_evidence import leave_evidence
from ..nodes.needs import need
from ..nodes.person import person
from ..nodes.plan import plan
from ..nodes.transition import transition
from ..nodes.verify import verify
from ..state.job import Job
from ..state.pipeline import PipelineState
from ..state.records import Order
from ..state.status import ENTRY, Node, edges_of
from .allow import STATE_TYPES
from .compiled import Pipeline

STAGES: dict[Node, Stage[PipelineState]] = {
    Node.EXTRACT: extract,
    Node.PLAN: plan,
    Node.VERIFY: verify,
    Node.TRANSITION: transition,
    Node.ADOPT: adopt,
    Node.PERSON: person,
}


def build_pipeline(
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    *,
    context: RunContext | None = None,
) -> Pipeline:
    """The compiled graph: extract -> plan -> dispatch -> verify -> transition, and back until it is decided.

    Args:
        checkpointer: where the run is kept; `LedgerSaver(runs_dir)` gives a readable, crash-safe ledger.
        context: workers, runs folder and stop signals for invocations that bring none of their own. Its runs
            folder defaults to the root of a `LedgerSaver`.

    Returns:
        A LangGraph graph over `PipelineState`. Invoke it with a state from `new_run`; resume it with `None`, or
        with `Command(resume={"decision": ...})` where it is BLOCKED.
    """
    default = context or _context_beside(checkpointer)
    # LangGraph's own annotations of add_node are partly unknown to a strict type checker.
    builder = cast(Any, StateGraph(PipelineState, context_schema=RunContext))
    for node, stage in STAGES.items():
        builder.add_node(node.value, guarded(node, stage, default=default, after=leave_evidence))
    builder.add_node(Node.DISPATCH.value, guarded(Node.DISPATCH, dispatch, default=default), input_schema=Job)
    builder.add_edge(START, ENTRY.value)
    for node in Node:
        builder.add_conditional_edges(node.value, _follow(node), _targets(node))
    if checkpointer is not None:
        checkpointer = checkpointer.with_allowlist({(item.__module__, item.__name__) for item in STATE_TYPES})
    # A drained run stops here, in any process, until somebody resumes it.
    return Pipeline.of(builder.compile(checkpointer=checkpointer, interrupt_before=[Node.ADOPT.value], name="waypost"))


def _targets(node: Node) -> dict[Hashable, str]:
    return {edge.route.value: edge.then.value if edge.then else END for edge in edges_of(node)}


def _follow(node: Node) -> Callable[[PipelineState], str | list[Send]]:
    by_route = {edge.route: edge for edge in edges_of(node)}

    def follow(state: PipelineState) -> str | list[Send]:
        edge = by_route[state.transitions[-1].route]
        return jobs(state) if edge.then is Node.DISPATCH else edge.route.value

    return follow


def jobs(state: PipelineState) -> list[Send]:
    """One `Send` per order that has not ended: the steps of a wave run side by side.

    Where all have ended (the run was drained during verification), dispatch looks at them again and finds them so.
    """
    task = need(state.task, "task")
    by_id = {check.id: check for check in state.checks}
    return [
        Send(
            Node.DISPATCH.value,
            Job(
                run_id=state.run_id,
                status=state.status,
                task_id=task.id,
                task_title=task.title,
                task_goal=task.goal,
                step=task.step(order.step),
                order=order,
                failing=tuple(by_id[check] for check in order.failing if check in by_id),
                session=_session(state, order),
                workspace=state.workspace,
                worker=state.worker,
                timeout_s=state.limits.step_timeout_s,
                output_limit_bytes=state.limits.output_limit_bytes,
            ),
        )
        for order in state.in_flight() or state.orders
    ]


def _session(state: PipelineState, order: Order) -> str | None:
    """The newest conversation that an earlier attempt of the step has left."""
    earlier = [attempt.session for attempt in state.attempts_of(order.step) if attempt.number < order.number]
    return next((session for session in reversed(earlier) if session), None)


def _context_beside(checkpointer: BaseCheckpointSaver[Any] | None) -> RunContext:
    root = getattr(checkpointer, "root", None)
    return RunContext(runs_dir=Path(root)) if root is not None else RunContext()
