"""The transition table: what it allows, and that everything else is refused with a full diagnosis."""

from __future__ import annotations

import itertools

import pytest
from waypost.state.errors import IllegalTransition
from waypost.state.status import ENDS, TRANSITIONS, Node, Route, Status, check_transition, edges_from, edges_of

RUN = "DKT-003_20260211T134056Z_ac778e9"
ALLOWED = {(edge.node, edge.source, edge.target) for edge in TRANSITIONS}
FORBIDDEN = [
    (node, source, target)
    for node, source, target in itertools.product(Node, Status, Status)
    if (node, source, target) not in ALLOWED
]


@pytest.mark.parametrize("edge", TRANSITIONS, ids=lambda edge: f"{edge.source}-{edge.node}-{edge.route}")
def test_every_edge_of_the_table_is_allowed_and_found(edge):
    found = check_transition(run_id=RUN, node=edge.node, source=edge.source, target=edge.target, route=edge.route)
    assert found == edge


@pytest.mark.parametrize(("node", "source", "target"), FORBIDDEN)
def test_every_other_pair_of_statuses_is_refused_for_every_node_on_every_route(node, source, target):
    for route in Route:
        with pytest.raises(IllegalTransition) as caught:
            check_transition(run_id=RUN, node=node, source=source, target=target, route=route)
        error = caught.value
        assert (error.run_id, error.node, error.source, error.target, error.route) == (RUN, node, source, target, route)
        assert error.allowed == tuple((e.target, e.route, e.node) for e in edges_from(source))


def test_an_allowed_pair_on_the_wrong_route_is_refused():
    with pytest.raises(IllegalTransition):
        check_transition(run_id=RUN, node=Node.TRANSITION, source=Status.ACCEPT, target=Status.DONE, route=Route.REWORK)


def test_the_message_names_run_node_both_statuses_route_allowed_targets_and_the_next_step():
    with pytest.raises(IllegalTransition) as caught:
        check_transition(
            run_id=RUN, node="transition", source=Status.PLANNING, target=Status.DONE, route="accepted_all"
        )
    assert str(caught.value) == (
        f'run {RUN} cannot go PLANNING -> DONE in node "transition"\n'
        "  route tried  accepted_all\n"
        "  allowed      PLANNING -> ANALYSIS (extracted, by extract), PLANNING -> FAILED (unreadable, by extract)\n"
        f'  next         resume the run (waypost resume {RUN}): it continues at "extract"'
    )


@pytest.mark.parametrize("end", sorted(ENDS))
def test_nothing_leaves_an_end(end):
    assert edges_from(end) == ()


def test_every_status_but_the_first_can_be_reached():
    reached, todo = {Status.PLANNING}, [Status.PLANNING]
    while todo:
        for edge in edges_from(todo.pop()):
            if edge.target not in reached:
                reached.add(edge.target)
                todo.append(edge.target)
    assert reached == set(Status)


def test_done_is_reached_by_one_edge_only():
    edges = [edge for edge in TRANSITIONS if edge.target is Status.DONE]
    assert [(edge.source, edge.node, edge.route) for edge in edges] == [
        (Status.ACCEPT, Node.TRANSITION, Route.ACCEPTED_ALL)
    ]


@pytest.mark.parametrize("node", Node)
def test_a_route_of_a_node_leads_to_one_target_only(node):
    targets: dict[Route, set[Status]] = {}
    for edge in edges_of(node):
        targets.setdefault(edge.route, set()).add(edge.target)
    assert all(len(found) == 1 for found in targets.values())
