"""The pipeline as a drawing: where its stages stand, which way a run has gone, and where it is now.

The arrows are those of the transition table. Where they lie was drawn by hand; a test sees that none is missing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from ..state.pipeline import PipelineState
from ..state.records import Transition
from ..state.status import ENTRY, TRANSITIONS, Edge, Node, Status

DONE, FAILED = Status.DONE.value, Status.FAILED.value
WIDTH, HEIGHT = 1116, 316


class Box(NamedTuple):
    """A stage, or an end: the middle of its box, and half its sizes."""

    name: str
    x: int
    y: int
    half_width: int
    label: str
    note: str


_BOXES = (
    Box(Node.EXTRACT, 80, 138, 54, "extract", "reads the task"),
    Box(Node.PLAN, 228, 138, 54, "plan", "freezes it"),
    Box(Node.BASELINE, 376, 138, 54, "baseline", "before the work"),
    Box(Node.DISPATCH, 536, 138, 58, "dispatch", "workers work"),
    Box(Node.VERIFY, 700, 138, 58, "verify", "runs the checks"),
    Box(Node.TRANSITION, 870, 138, 62, "transition", "decides"),
    Box(DONE, 1046, 138, 46, "DONE", "proved"),
    Box(Node.INTEGRATE, 784, 34, 54, "integrate", "merges branches"),
    Box(Node.ADOPT, 618, 240, 50, "adopt", "after a stop"),
    Box(Node.PERSON, 870, 240, 62, "person", "is asked"),
    Box(FAILED, 1046, 240, 46, "FAILED", "ended"),
)

_LINES = {
    (Node.EXTRACT, Node.PLAN): "M134 138H170",
    (Node.PLAN, Node.BASELINE): "M282 138H318",
    (Node.BASELINE, Node.DISPATCH): "M430 138H474",
    (Node.BASELINE, Node.ADOPT): "M376 162V244Q376 252 384 252H564",
    (Node.ADOPT, Node.BASELINE): "M568 228H400Q392 228 392 220V166",
    (Node.BASELINE, Node.PERSON): "M360 162V279Q360 287 368 287H838Q846 287 846 279V268",
    (Node.DISPATCH, Node.VERIFY): "M594 138H638",
    (Node.VERIFY, Node.TRANSITION): "M758 138H804",
    (Node.TRANSITION, DONE): "M932 138H996",
    (Node.TRANSITION, Node.DISPATCH): "M838 114V94Q838 86 830 86H544Q536 86 536 94V110",
    (Node.TRANSITION, Node.INTEGRATE): "M860 114V48Q860 40 852 40H842",
    (Node.INTEGRATE, Node.TRANSITION): "M838 28H870Q878 28 878 36V110",
    (Node.INTEGRATE, Node.VERIFY): "M730 34H708Q700 34 700 42V110",
    (Node.INTEGRATE, Node.PERSON): "M838 18H944Q952 18 952 26V224Q952 232 944 232H936",
    (Node.TRANSITION, Node.PERSON): "M858 162V212",
    (Node.PERSON, Node.TRANSITION): "M882 216V166",
    (Node.VERIFY, Node.ADOPT): "M690 162V226Q690 234 682 234H672",
    (Node.ADOPT, Node.DISPATCH): "M568 240H552Q544 240 544 232V166",
    (Node.ADOPT, Node.PERSON): "M668 248H804",
    (Node.PERSON, Node.VERIFY): "M808 232H716Q708 232 708 224V166",
    (Node.PERSON, Node.DISPATCH): "M832 264V272Q832 280 824 280H536Q528 280 528 272V166",
    (Node.PERSON, FAILED): "M932 248H996",
    (Node.PERSON, Node.PERSON): "M894 264V272Q894 278 888 278H880Q874 278 874 272V268",
    (Node.PLAN, Node.PERSON): "M220 162V286Q220 294 228 294H852Q860 294 860 286V268",
    (Node.PLAN, FAILED): "M236 162V298Q236 306 244 306H1032Q1040 306 1040 298V268",
    (Node.EXTRACT, FAILED): "M80 162V304Q80 312 88 312H1044Q1052 312 1052 304V268",
}


@dataclass(frozen=True)
class Arrow:
    """One way from a stage to the next, as it lies in the drawing.

    Attributes:
        routes: of the table, in words.
        times: how often the run has gone this way.
        newest: whether its last move was this one.
    """

    path: str
    routes: str
    times: int
    newest: bool


@dataclass(frozen=True)
class Stage:
    """A box, and what it means for the run: here now, been there, or never."""

    box: Box
    times: int
    here: bool


@dataclass(frozen=True)
class Drawing:
    """What the template draws. `told` says in a sentence what can be seen."""

    arrows: tuple[Arrow, ...]
    stages: tuple[Stage, ...]
    told: str
    width: int = WIDTH
    height: int = HEIGHT


def draw(state: PipelineState) -> Drawing:
    """The pipeline with the way of a run in it."""
    gone = [_end_of(edge) for move in state.transitions for edge in _edges(move)]
    times, here = Counter(gone), current(state)
    been = Counter(source for source, _ in gone)
    been.update(target for _, target in gone if target in (DONE, FAILED))
    arrows = tuple(
        Arrow(path, _routes(*ends), times[ends], bool(gone) and gone[-1] == ends) for ends, path in _LINES.items()
    )
    stages = tuple(Stage(box, been[box.name], box.name == here) for box in _BOXES)
    # What was gone lies over what was not.
    return Drawing(tuple(sorted(arrows, key=lambda arrow: arrow.times > 0)), stages, _told(state, here, been))


def current(state: PipelineState) -> str:
    """The stage that runs now or would run next, or the end that was reached."""
    if not state.transitions:
        return ENTRY.value
    edges = _edges(state.transitions[-1])
    return _end_of(edges[0])[1] if edges else ""


def ways() -> set[tuple[str, str]]:
    """Every way that the transition table has, from a stage to a stage or an end."""
    return {_end_of(edge) for edge in TRANSITIONS}


def drawn() -> set[tuple[str, str]]:
    """Every way that has a line in the drawing."""
    return {(str(source), str(target)) for source, target in _LINES}


def _edges(move: Transition) -> list[Edge]:
    wanted = (move.source, move.node, move.route, move.target)
    return [edge for edge in TRANSITIONS if (edge.source, edge.node, edge.route, edge.target) == wanted]


def _end_of(edge: Edge) -> tuple[str, str]:
    return edge.node.value, edge.then.value if edge.then else edge.target.value


def _routes(source: str, target: str) -> str:
    names = dict.fromkeys(edge.route.value for edge in TRANSITIONS if _end_of(edge) == (source, target))
    return f"{source} to {target}: {', '.join(names)}"


def _told(state: PipelineState, here: str, been: Counter[str]) -> str:
    where = f"The run has ended as {here}." if here in (DONE, FAILED) else f"The run is at {here}."
    gone = ", ".join(f"{name} {times} times" if times > 1 else name for name, times in been.items())
    return f"{where} So far: {gone}." if gone else where
