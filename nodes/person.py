"""A blocked run asks a person, and does nothing until one has decided."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from langgraph.types import interrupt
from pydantic import Field, ValidationError

from ..state.model import Record
from ..state.pipeline import Blocked, PipelineState
from ..state.records import AttemptOutcome, Decision
from ..state.status import Node as NodeName
from ..state.status import Route, Status, edges_of
from .context import Call
from .isolate.pick_up import StillInConflict, pick_up
from .move import Move
from .needs import need
from .transition import orders_after_recovery

_ROUTES = {edge.route: edge for edge in edges_of(NodeName.PERSON) if edge.target is not Status.BLOCKED}


class Answer(Record):
    """What `Command(resume=...)` must hold: the decision, and who took it and why."""

    decision: Route
    who: str = Field(default="unknown", max_length=200)
    note: str = Field(default="", max_length=10_000)


def person(state: PipelineState, call: Call) -> Move:
    """Wait in an interrupt for an answer that fits the question; nothing is ever decided by default."""
    offered = choices(state)
    complaint = ""
    while True:
        answer = _read(interrupt(_question(state, offered, complaint)))
        if isinstance(answer, Answer) and answer.decision in offered:
            return _decided(state, answer, call)
        complaint = answer if isinstance(answer, str) else f"{answer.decision} is not offered here"


def choices(state: PipelineState) -> tuple[Route, ...]:
    """What a person may decide now. Rechecking needs finished attempts to look at, recovering something to dispatch."""
    attempts = [state.attempt(order.step, order.number) for order in state.orders]
    checkable = bool(attempts) and all(a is not None and a.outcome is not AttemptOutcome.RUNNING for a in attempts)
    useless = {Route.RECHECK} if not checkable else set[Route]()
    if state.isolated is not None and not orders_after_recovery(state):
        useless.add(Route.RECOVER)
    return tuple(route for route in _ROUTES if route not in useless)


def _question(state: PipelineState, offered: tuple[Route, ...], complaint: str) -> dict[str, Any]:
    blocked = state.blocked
    question: dict[str, Any] = {
        "question": blocked.question if blocked else "The run is blocked. How shall it go on?",
        "reasons": list(blocked.reasons) if blocked else [],
        "answer_with": {"decision": [route.value for route in offered], "who": "your name", "note": "why"},
    }
    return {**question, "complaint": complaint} if complaint else question


def _read(answer: object) -> Answer | str:
    raw = {"decision": answer} if isinstance(answer, str) else answer
    try:
        return Answer.model_validate(raw)
    except ValidationError as error:
        return f"not an answer: {error.errors()[0]['msg']}"


def _decided(state: PipelineState, answer: Answer, call: Call) -> Move:
    edge = _ROUTES[answer.decision]
    try:
        picked_up = pick_up(state, call, answer.decision, answer.who)
    except StillInConflict as conflict:
        reason = f"{answer.who} decided {answer.decision}, but {conflict}"
        question = need(state.blocked, "blocked").question
        update = {"blocked": Blocked(question=question, reasons=conflict.reasons)}
        return Move(Status.BLOCKED, Route.CONFLICT, reason, update)
    decision = Decision(route=answer.decision, who=answer.who, note=answer.note, at=datetime.now(UTC))
    update: dict[str, Any] = {**picked_up, "decisions": (decision,), "blocked": None}
    if answer.decision is Route.RECOVER:
        fresh: dict[str, int] = {}
        update |= {"orders": orders_after_recovery(state), "reworks": fresh, "forgiven_s": state.spent_s()}
    why = f": {answer.note}" if answer.note else ""
    return Move(edge.target, edge.route, f"{answer.who} decided {answer.decision}{why}", update)
