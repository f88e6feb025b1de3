"""The pipeline as a LangGraph graph. Its edges are the transition table; read it top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Annotated, Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

from ..nodes.adopt import adopt
from ..nodes.approvals import free_and_held
from ..nodes.baseline import baseline
from ..nodes.budget import share as attempt_share
from ..nodes.context import RunContext
from ..nodes.dispatch import dispatch
from ..nodes.extract import extract
from ..nodes.guard import Stage, guarded
from ..nodes.isolate.integrate import integrate
from ..nodes.isolate.progress import place_for
from ..nodes.leave_evidence import leave_evidence
from ..nodes.needs import need
from ..nodes.person import person
from ..nodes.plan import plan
from ..nodes.transition import transition
from ..nodes.verify import verify
from ..state.errors import StateError
from ..state.job import Job
from ..state.pipeline import PipelineState, append
from ..state.records import Order, Transition
from ..state.status import ENTRY, Node, Status, edges_of
from ..state.task import Task
from .allow import STATE_TYPES
from .compiled import Pipeline

STAGES: dict[Node, Stage[PipelineState]] = {
    Node.EXTRACT: extract,
    Node.PLAN: plan,
    Node.BASELINE: baseline,
    Node.VERIFY: verify,
    Node.TRANSITION: transition,
    Node.INTEGRATE: integrate,
    Node.ADOPT: adopt,
    Node.PERSON: person,
}


def build_pipeline(
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    *,
    context: RunContext | None = None,
) -> Pipeline:
    """The compiled graph: extract -> plan -> baseline -> dispatch -> verify -> transition, until it is decided.

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


class _Moves(TypedDict):
    """As much of the state as says which way a run went. LangGraph reads and validates what an edge asks for."""

    transitions: Annotated[tuple[Transition, ...], append]


def _follow(node: Node) -> Callable[[Any], str | list[Send]]:
    by_route = {edge.route: edge for edge in edges_of(node)}

    def follow(state: _Moves) -> str:
        return by_route[state["transitions"][-1].route].route.value

    def follow_or_dispatch(state: PipelineState) -> str | list[Send]:
        edge = by_route[state.transitions[-1].route]
        return jobs(state) if edge.then is Node.DISPATCH else edge.route.value

    return follow_or_dispatch if any(edge.then is Node.DISPATCH for edge in by_route.values()) else follow


def jobs(state: PipelineState) -> list[Send]:
    """One `Send` per order that has not ended: the steps of a wave run side by side.

    Where all have ended (the run was drained during verification), dispatch looks at them again and finds them so.

    Raises:
        StateError: a step is ordered that a person has to approve first, or before the baseline was taken.
    """
    task = need(state.task, "task")
    if state.status is Status.FREEZE and state.before is None:
        raise StateError("a step is to be dispatched before the checks ran on the untouched tree")
    orders = state.in_flight() or state.orders
    _, held = free_and_held(state, task, orders)
    if held:
        raise StateError(f"step {held[0].step} is to be dispatched without the approval that its card asks for")
    return [Send(Node.DISPATCH.value, _job(state, task, order, side_by_side=len(orders))) for order in orders]


def _job(state: PipelineState, task: Task, order: Order, *, side_by_side: int) -> Job:
    by_id = {check.id: check for check in state.checks}
    share = attempt_share(state, order, side_by_side)
    return Job(
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
        place=place_for(state, order),
        folder=state.isolated.folder if state.isolated else ".",
        commit=known.commit if (known := state.attempt(order.step, order.number)) else None,
        worker=state.worker,
        timeout_s=share.timeout_s,
        max_turns=share.max_turns,
        max_cost_usd=share.max_cost_usd,
        output_limit_bytes=state.limits.output_limit_bytes,
        max_parallel=state.limits.max_parallel,
    )


def _session(state: PipelineState, order: Order) -> str | None:
    """The newest conversation that an earlier attempt of the step has left."""
    earlier = [attempt.session for attempt in state.attempts_of(order.step) if attempt.number < order.number]
    return next((session for session in reversed(earlier) if session), None)


def _context_beside(checkpointer: BaseCheckpointSaver[Any] | None) -> RunContext:
    root = getattr(checkpointer, "root", None)
    return RunContext(runs_dir=Path(root)) if root is not None else RunContext()
