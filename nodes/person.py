"""A blocked run asks a person, and does nothing until one has decided."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from langgraph.types import interrupt
from pydantic import Field, ValidationError

from ..state.errors import EvidenceError
from ..state.model import Record
from ..state.pipeline import Blocked, PipelineState
from ..state.records import Approval, Decision, Order
from ..state.status import Node as NodeName
from ..state.status import Route, Status, edges_of
from ..state.task import ApprovalPoint
from .approvals import ask_to_start, free_and_held
from .budget import affordable, forgive, over_budget
from .checks.fingerprint import work_sha256
from .choices import Choice, choices
from .context import Call
from .evidence.decided import decision_statement
from .evidence.envelope import decode_envelope
from .isolate.pick_up import StillInConflict, pick_up
from .manual import check_of, update_by
from .move import Move
from .needs import need
from .orders import rework_order
from .transition import count_reworks, exhausted, orders_after_recovery

_EDGES = {edge.route: edge for edge in edges_of(NodeName.PERSON)}
_ROUTES = {
    (Choice.APPROVE, ApprovalPoint.BEFORE_DISPATCH): Route.APPROVE_START,
    (Choice.APPROVE, ApprovalPoint.BEFORE_ACCEPTANCE): Route.APPROVE_RESULT,
    (Choice.REJECT, ApprovalPoint.BEFORE_DISPATCH): Route.REJECT_START,
    (Choice.REJECT, ApprovalPoint.BEFORE_ACCEPTANCE): Route.REJECT_RESULT,
}


class Answer(Record):
    """What `Command(resume=...)` must hold: the decision, who took it and why.

    Attributes:
        about: the name of what is approved or rejected, as the question gave it. An answer that names something
            else decides nothing: it was meant for another question.
        envelope: the decision, signed; what it signs has to be this very answer to this very question.
    """

    decision: Choice
    who: str = Field(default="unknown", max_length=200)
    note: str = Field(default="", max_length=10_000)
    about: str | None = None
    envelope: str = Field(default="", max_length=100_000)


def person(state: PipelineState, call: Call) -> Move:
    """Wait in an interrupt for an answer that fits the question; nothing is ever decided by default."""
    complaint = ""
    while True:
        answer = _read(interrupt(_question(state, complaint)))
        complaint = answer if isinstance(answer, str) else misfit(state, answer)
        if not complaint and isinstance(answer, Answer):
            return _decided(state, answer, call)


def _question(state: PipelineState, complaint: str) -> dict[str, Any]:
    blocked = state.blocked
    answer_with: dict[str, Any] = {
        "decision": [choice.value for choice in choices(state)],
        "who": "your name",
        "note": "why",
    }
    if blocked is not None and blocked.approval is not None:
        answer_with["about"] = blocked.approval.name
    question: dict[str, Any] = {
        "question": blocked.question if blocked else "The run is blocked. How shall it go on?",
        "reasons": list(blocked.reasons) if blocked else [],
        "answer_with": answer_with,
    }
    return {**question, "complaint": complaint} if complaint else question


def _read(answer: object) -> Answer | str:
    raw = {"decision": answer} if isinstance(answer, str) else answer
    try:
        return Answer.model_validate(raw)
    except ValidationError as error:
        return f"not an answer: {error.errors()[0]['msg']}"


def misfit(state: PipelineState, answer: Answer) -> str:
    """Why the answer does not fit the question; empty where it does."""
    if answer.decision not in choices(state):
        return f"{answer.decision} is not offered here"
    asked = state.blocked.approval if state.blocked else None
    if answer.about is not None and answer.about != (asked.name if asked else None):
        return f'the answer is about "{answer.about}", the question is about "{asked.name if asked else "no approval"}"'
    return _misfit_of_signature(state, answer, asked) if answer.envelope else ""


def _misfit_of_signature(state: PipelineState, answer: Answer, asked: Approval | None) -> str:
    """Whose signature it is, and whether it is right, is for an audit to say."""
    about = asked if answer.decision in (Choice.APPROVE, Choice.REJECT) else None
    wanted = decision_statement(state.run_id, answer.decision.value, about, answer.who, answer.note)
    try:
        signed = decode_envelope(answer.envelope.encode()).payload
    except EvidenceError as error:
        return error.what
    return "" if signed == wanted else "what was signed is another decision, or about another question"


def _decided(state: PipelineState, answer: Answer, call: Call) -> Move:
    approval = state.blocked.approval if state.blocked else None
    if answer.decision in (Choice.APPROVE, Choice.REJECT):
        approval = need(approval, "question for an approval")
        return _about_approval(state, answer, approval, call)
    route = Route(answer.decision.value)
    try:
        picked_up = pick_up(state, call, route, answer.who)
    except StillInConflict as conflict:
        return _still_in_conflict(state, answer, conflict)
    decision = _decision(route, answer)
    update: dict[str, Any] = {**picked_up, "decisions": (decision,), "blocked": None}
    if route is not Route.RECOVER:
        return _move(route, answer, update)
    fresh: dict[str, int] = {}
    update |= {"reworks": fresh, "forgiven": forgive(state)}
    return _start(state.model_copy(update={"forgiven": update["forgiven"]}), Route.RECOVER, answer, update)


def _still_in_conflict(state: PipelineState, answer: Answer, conflict: StillInConflict) -> Move:
    question = need(state.blocked, "blocked").question
    update = {"blocked": Blocked(question=question, reasons=conflict.reasons)}
    return Move(Status.BLOCKED, Route.CONFLICT, f"{answer.who} decided {answer.decision}, but {conflict}", update)


def _about_approval(state: PipelineState, answer: Answer, approval: Approval, call: Call) -> Move:
    if answer.decision is Choice.APPROVE and _changed(state, approval, call):
        why = f"{answer.who} approved the {approval.name}, but the files are not those that were shown: checked again"
        return Move(_EDGES[Route.RECHECK].target, Route.RECHECK, why, {"blocked": None})
    route = _ROUTES[answer.decision, approval.point]
    decision = _decision(route, answer, approval)
    update: dict[str, Any] = {"decisions": (decision,), "blocked": None}
    decided = state.model_copy(update={"decisions": (*state.decisions, decision)})
    if approval.check is not None:
        check = check_of(state, decision, call)
        decided = decided.model_copy(update={"checks": (*state.checks, check)})
        update |= update_by(state, check)
    if route is Route.APPROVE_START:
        return _start(decided, route, answer, update)
    if route is Route.REJECT_RESULT:
        return _send_back(decided, approval, answer, update)
    return _move(route, answer, update)


def _start(state: PipelineState, route: Route, answer: Answer, update: dict[str, Any]) -> Move:
    """Dispatch what waits, or ask for the next step that has to be approved before."""
    task = need(state.task, "task")
    orders = state.orders if route is Route.APPROVE_START else orders_after_recovery(state)
    free, held = free_and_held(state, task, orders)
    if held and (not free or route is Route.APPROVE_START):
        return _ask_again(ask_to_start(state, task, held[0]), answer, {**update, "orders": orders})
    return _move(route, answer, {**update, "orders": affordable(state, free)})


def _send_back(state: PipelineState, approval: Approval, answer: Answer, update: dict[str, Any]) -> Move:
    """A rejected result is a rework with the person's words, within the limits that hold for every rework."""
    step = approval.step
    newest = state.attempts_of(step)[-1]
    in_hand = (Order(step=step, number=newest.number, kind=newest.kind),)
    accepted = tuple(other for other in state.accepted if other != step)
    order = rework_order(state, step)
    reason = f"{step}: {order.feedback}"
    blocked = exhausted(state, [step], (reason,)) or over_budget(state, [order])
    if blocked is not None:
        return _ask_again(blocked, answer, {**update, "orders": in_hand, "accepted": accepted})
    update |= {"orders": (order,), "accepted": accepted, "reworks": count_reworks(state, [step])}
    return _move(Route.REJECT_RESULT, answer, update)


def _changed(state: PipelineState, approval: Approval, call: Call) -> bool:
    if approval.point is ApprovalPoint.BEFORE_DISPATCH or state.isolated is not None:
        return False
    baseline = need(state.baseline, "baseline")
    now = work_sha256(Path(state.workspace), baseline, runs_dir=call.context.runs_dir)
    return now != approval.work_sha256


def _decision(route: Route, answer: Answer, approval: Approval | None = None) -> Decision:
    return Decision(
        route=route, who=answer.who, note=answer.note, at=datetime.now(UTC), approval=approval, envelope=answer.envelope
    )


def _ask_again(blocked: Blocked, answer: Answer, update: dict[str, Any]) -> Move:
    why = f"{_words(answer)}; now: {blocked.question}"
    return Move(_EDGES[Route.ASK_AGAIN].target, Route.ASK_AGAIN, why, {**update, "blocked": blocked})


def _move(route: Route, answer: Answer, update: dict[str, Any]) -> Move:
    return Move(_EDGES[route].target, route, _words(answer), update)


def _words(answer: Answer) -> str:
    why = f": {answer.note}" if answer.note else ""
    return f"{answer.who} decided {answer.decision}{why}"
