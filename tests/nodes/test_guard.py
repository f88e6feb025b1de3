"""The wrapper around every node: what a node that lies, forgets or invents gets to hear."""

from __future__ import annotations

import pytest
from kit.states import make_check, make_state
from langgraph.runtime import Runtime
from waypost.nodes.context import RunContext
from waypost.nodes.guard import guarded
from waypost.nodes.move import Move
from waypost.nodes.verdicts import judge
from waypost.state.errors import IllegalTransition, StateError
from waypost.state.status import Node, Route, Status


def call(move, state=None, node=Node.TRANSITION, **fields):
    events = []
    runtime = Runtime(context=None, stream_writer=events.append)
    run = guarded(node, lambda _state, _call: move, default=RunContext(), **fields)
    return run(state or make_state(checks=(make_check(),)), runtime), events


def test_a_good_move_is_written_down_with_both_statuses_node_route_and_reason():
    update, events = call(Move(Status.EXECUTE, Route.REWORK, "S1: exit code 1"))
    (record,) = update["transitions"]
    assert update["status"] is Status.EXECUTE
    assert (record.source, record.target, record.node, record.route, record.reason) == (
        Status.ACCEPT,
        Status.EXECUTE,
        Node.TRANSITION,
        Route.REWORK,
        "S1: exit code 1",
    )
    assert [event["event"] for event in events] == ["node_started", "node_finished"]


@pytest.mark.parametrize("target", [s for s in Status if s is not Status.EXECUTE])
def test_a_node_cannot_go_where_the_table_does_not_lead(target):
    with pytest.raises(IllegalTransition):
        call(Move(target, Route.REWORK, ""))


def test_a_node_cannot_say_done_without_proof():
    with pytest.raises(StateError, match="DONE without proof"):
        call(Move(Status.DONE, Route.ACCEPTED_ALL, "trust me"))


def test_a_proved_done_gets_through():
    state = make_state(checks=(make_check(),))
    state = state.model_copy(update={"verdicts": judge(state.task, state.plan, state.checks, ())})
    update, _ = call(Move(Status.DONE, Route.ACCEPTED_ALL, "proved"), state)
    assert update["status"] is Status.DONE


@pytest.mark.parametrize("field", ["status", "transitions"])
def test_a_node_cannot_write_what_belongs_to_the_guard(field):
    with pytest.raises(StateError, match=field):
        call(Move(Status.EXECUTE, Route.REWORK, "", {field: ()}))


def test_a_node_cannot_write_an_unknown_field():
    with pytest.raises(StateError, match="verdict"):
        call(Move(Status.EXECUTE, Route.REWORK, "", {"verdict": ()}))


def test_a_node_cannot_write_a_value_of_the_wrong_type():
    with pytest.raises(StateError, match="does not fit"):
        call(Move(Status.EXECUTE, Route.REWORK, "", {"reworks": {"S1": "many"}}))


def test_a_state_that_came_in_broken_is_refused():
    broken = make_state().model_copy(update={"limits": "none"})
    with pytest.raises(StateError, match="not valid"):
        call(Move(Status.EXECUTE, Route.REWORK, ""), broken)


def test_what_comes_after_sees_the_state_as_it_will_be():
    seen = []
    call(Move(Status.EXECUTE, Route.REWORK, ""), after=lambda state, _call: seen.append(state) or {})
    assert (seen[0].status, seen[0].transitions[-1].route) == (Status.EXECUTE, Route.REWORK)
