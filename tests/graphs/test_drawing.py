"""What is drawn is what is allowed: the graph's edges are the transition table, no more and no less."""

from __future__ import annotations

import re

from waypost.graphs.pipeline import build_pipeline
from waypost.state.status import ENTRY, TRANSITIONS, Status, state_diagram

END = "__end__"
TABLE = {(edge.node.value, edge.route.value, edge.then.value if edge.then else END) for edge in TRANSITIONS}


def test_the_drawn_edges_are_the_edges_of_the_table():
    edges = build_pipeline().get_graph().edges
    drawn = {(e.source, route, e.target) for e in edges if e.data for route in str(e.data).split(", ")}
    assert drawn == TABLE
    assert [(e.source, e.target) for e in edges if not e.data] == [("__start__", ENTRY.value)]


def test_the_mermaid_text_names_every_route_on_its_edge():
    text = build_pipeline().get_graph().draw_mermaid()
    arrows = re.findall(r"(\w+) -\. &nbsp;(.*?)&nbsp; \.-> (\w+);", text)
    assert {(source, route, target) for source, labels, target in arrows for route in labels.split(", ")} == TABLE


def test_the_state_diagram_has_one_arrow_per_edge_of_the_table():
    arrows = re.findall(r"^    (\w+) --> (\w+): (\w+) / (\w+)$", state_diagram(), re.MULTILINE)
    assert sorted(arrows) == sorted((e.source, e.target, e.node, e.route) for e in TRANSITIONS)
    assert state_diagram().startswith(f"stateDiagram-v2\n    [*] --> {Status.PLANNING}\n")
