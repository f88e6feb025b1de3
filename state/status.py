"""The transition table as data. The graph's edges, the guard and the diagrams are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .errors import IllegalTransition


class Status(StrEnum):
    """Where a run stands."""

    PLANNING = "PLANNING"
    ANALYSIS = "ANALYSIS"
    FREEZE = "FREEZE"
    EXECUTE = "EXECUTE"
    ACCEPT = "ACCEPT"
    DONE = "DONE"
    DRAINING = "DRAINING"
    BLOCKED = "BLOCKED"
    FAILED = "FAILED"


class Node(StrEnum):
    """Who may move a run: the stages, `integrate` (branches), `adopt` (after a drain), `person` (an interrupt)."""

    EXTRACT = "extract"
    PLAN = "plan"
    BASELINE = "baseline"
    DISPATCH = "dispatch"
    VERIFY = "verify"
    TRANSITION = "transition"
    INTEGRATE = "integrate"
    ADOPT = "adopt"
    PERSON = "person"


class Route(StrEnum):
    """Why a run moves: the label of an edge."""

    EXTRACTED = "extracted"
    UNREADABLE = "unreadable"
    FROZEN = "frozen"
    CONTRADICTORY = "contradictory"
    MEASURED = "measured"
    GREEN_BEFORE = "green_before"
    NOT_MEASURED = "not_measured"
    DISPATCHED = "dispatched"
    CHECKED = "checked"
    ACCEPTED_NEXT = "accepted_next"
    REWORK = "rework"
    RETRY = "retry"
    ACCEPTED_ALL = "accepted_all"
    EXHAUSTED = "exhausted"
    LOST = "lost"
    NOT_STARTED = "not_started"
    UNVERIFIABLE = "unverifiable"
    OVER_BUDGET = "over_budget"
    INTEGRATE = "integrate"
    MERGED = "merged"
    CONFLICT = "conflict"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not_delivered"
    DRAIN = "drain"
    ADOPTED = "adopted"
    NOT_ADOPTED = "not_adopted"
    APPROVAL_NEEDED = "approval_needed"
    APPROVE_START = "approve_start"
    APPROVE_RESULT = "approve_result"
    REJECT_START = "reject_start"
    REJECT_RESULT = "reject_result"
    ASK_AGAIN = "ask_again"
    RECOVER = "recover"
    RECHECK = "recheck"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class Edge:
    """One allowed move: `node`, at `source`, may take `route` to `target`; `then` runs next (None: the end)."""

    source: Status
    node: Node
    route: Route
    target: Status
    then: Node | None


TRANSITIONS: tuple[Edge, ...] = (
    Edge(Status.PLANNING, Node.EXTRACT, Route.EXTRACTED, Status.ANALYSIS, Node.PLAN),
    Edge(Status.PLANNING, Node.EXTRACT, Route.UNREADABLE, Status.FAILED, None),
    Edge(Status.ANALYSIS, Node.PLAN, Route.FROZEN, Status.FREEZE, Node.BASELINE),
    Edge(Status.ANALYSIS, Node.PLAN, Route.UNVERIFIABLE, Status.BLOCKED, Node.PERSON),
    Edge(Status.ANALYSIS, Node.PLAN, Route.CONTRADICTORY, Status.FAILED, None),
    Edge(Status.FREEZE, Node.BASELINE, Route.MEASURED, Status.FREEZE, Node.DISPATCH),
    Edge(Status.FREEZE, Node.BASELINE, Route.APPROVAL_NEEDED, Status.BLOCKED, Node.PERSON),
    Edge(Status.FREEZE, Node.BASELINE, Route.GREEN_BEFORE, Status.BLOCKED, Node.PERSON),
    Edge(Status.FREEZE, Node.BASELINE, Route.DRAIN, Status.DRAINING, Node.ADOPT),
    Edge(Status.FREEZE, Node.DISPATCH, Route.DISPATCHED, Status.EXECUTE, Node.VERIFY),
    Edge(Status.EXECUTE, Node.DISPATCH, Route.DISPATCHED, Status.EXECUTE, Node.VERIFY),
    Edge(Status.EXECUTE, Node.VERIFY, Route.CHECKED, Status.ACCEPT, Node.TRANSITION),
    Edge(Status.EXECUTE, Node.VERIFY, Route.DRAIN, Status.DRAINING, Node.ADOPT),
    Edge(Status.ACCEPT, Node.TRANSITION, Route.ACCEPTED_NEXT, Status.EXECUTE, Node.DISPATCH),
    Edge(Status.ACCEPT, Node.TRANSITION, Route.REWORK, Status.EXECUTE, Node.DISPATCH),
    Edge(Status.ACCEPT, Node.TRANSITION, Route.RETRY, Status.EXECUTE, Node.DISPATCH),
    Edge(Status.ACCEPT, Node.TRANSITION, Route.ACCEPTED_ALL, Status.DONE, None),
    Edge(Status.ACCEPT, Node.TRANSITION, Route.EXHAUSTED, Status.BLOCKED, Node.PERSON),
    Edge(Status.ACCEPT, Node.TRANSITION, Route.LOST, Status.BLOCKED, Node.PERSON),
    Edge(Status.ACCEPT, Node.TRANSITION, Route.NOT_STARTED, Status.BLOCKED, Node.PERSON),
    Edge(Status.ACCEPT, Node.TRANSITION, Route.UNVERIFIABLE, Status.BLOCKED, Node.PERSON),
    Edge(Status.ACCEPT, Node.TRANSITION, Route.OVER_BUDGET, Status.BLOCKED, Node.PERSON),
    Edge(Status.ACCEPT, Node.TRANSITION, Route.APPROVAL_NEEDED, Status.BLOCKED, Node.PERSON),
    Edge(Status.ACCEPT, Node.TRANSITION, Route.INTEGRATE, Status.ACCEPT, Node.INTEGRATE),
    Edge(Status.ACCEPT, Node.INTEGRATE, Route.MERGED, Status.EXECUTE, Node.VERIFY),
    Edge(Status.ACCEPT, Node.INTEGRATE, Route.CONFLICT, Status.BLOCKED, Node.PERSON),
    Edge(Status.ACCEPT, Node.INTEGRATE, Route.DELIVERED, Status.ACCEPT, Node.TRANSITION),
    Edge(Status.ACCEPT, Node.INTEGRATE, Route.NOT_DELIVERED, Status.BLOCKED, Node.PERSON),
    Edge(Status.DRAINING, Node.ADOPT, Route.ADOPTED, Status.EXECUTE, Node.DISPATCH),
    Edge(Status.DRAINING, Node.ADOPT, Route.NOT_MEASURED, Status.FREEZE, Node.BASELINE),
    Edge(Status.DRAINING, Node.ADOPT, Route.NOT_ADOPTED, Status.BLOCKED, Node.PERSON),
    Edge(Status.BLOCKED, Node.PERSON, Route.APPROVE_START, Status.EXECUTE, Node.DISPATCH),
    Edge(Status.BLOCKED, Node.PERSON, Route.APPROVE_RESULT, Status.ACCEPT, Node.TRANSITION),
    Edge(Status.BLOCKED, Node.PERSON, Route.REJECT_START, Status.FAILED, None),
    Edge(Status.BLOCKED, Node.PERSON, Route.REJECT_RESULT, Status.EXECUTE, Node.DISPATCH),
    Edge(Status.BLOCKED, Node.PERSON, Route.ASK_AGAIN, Status.BLOCKED, Node.PERSON),
    Edge(Status.BLOCKED, Node.PERSON, Route.RECOVER, Status.EXECUTE, Node.DISPATCH),
    Edge(Status.BLOCKED, Node.PERSON, Route.RECHECK, Status.EXECUTE, Node.VERIFY),
    Edge(Status.BLOCKED, Node.PERSON, Route.CONFLICT, Status.BLOCKED, Node.PERSON),
    Edge(Status.BLOCKED, Node.PERSON, Route.GIVE_UP, Status.FAILED, None),
)

ENTRY = Node.EXTRACT
ENDS = frozenset({Status.DONE, Status.FAILED})


def edges_of(node: Node) -> tuple[Edge, ...]:
    """Every allowed move of `node`, in table order."""
    return tuple(edge for edge in TRANSITIONS if edge.node == node)


def edges_from(source: Status) -> tuple[Edge, ...]:
    """Every allowed move that leaves `source`, in table order."""
    return tuple(edge for edge in TRANSITIONS if edge.source == source)


def check_transition(*, run_id: str, node: str, source: Status, target: Status, route: str) -> Edge:
    """The one edge that this move takes.

    Raises:
        IllegalTransition: the table has no such edge, or more than one.
    """
    wanted = (source, node, route, target)
    found = [edge for edge in TRANSITIONS if (edge.source, edge.node, edge.route, edge.target) == wanted]
    if len(found) == 1:
        return found[0]
    leaving = edges_from(source)
    owners = ", ".join(dict.fromkeys(f'"{edge.node}"' for edge in leaving))
    raise IllegalTransition(
        run_id=run_id,
        node=node,
        source=source,
        target=target,
        route=route,
        allowed=tuple((edge.target.value, edge.route.value, edge.node.value) for edge in leaving),
        next_step=(
            f"resume the run (waypost resume {run_id}): it continues at {owners}"
            if leaving
            else f"start a new run: {source} is an end"
        ),
    )


def state_diagram() -> str:
    """The table as a Mermaid state diagram, one arrow per edge, labelled with node and route."""
    rows = ["stateDiagram-v2", f"    [*] --> {Status.PLANNING}"]
    rows += [f"    {edge.source} --> {edge.target}: {edge.node} / {edge.route}" for edge in TRANSITIONS]
    rows += [f"    {end} --> [*]" for end in Status if end in ENDS]
    return "\n".join(rows) + "\n"
