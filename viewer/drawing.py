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
WIDTH, HEIGHT = 968, 316


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
    Box(Node.DISPATCH, 388, 138, 58, "dispatch", "workers work"),
    Box(Node.VERIFY, 552, 138, 58, "verify", "runs the checks"),
    Box(Node.TRANSITION, 722, 138, 62, "transition", "decides"),
    Box(DONE, 898, 138, 46, "DONE", "proved"),
    Box(Node.INTEGRATE, 636, 34, 54, "integrate", "merges branches"),
    Box(Node.ADOPT, 470, 240, 50, "adopt", "after a stop"),
    Box(Node.PERSON, 722, 240, 62, "person", "is asked"),
    Box(FAILED, 898, 240, 46, "FAILED", "ended"),
)

_LINES = {
    (Node.EXTRACT, Node.PLAN): "M134 138H170",
    (Node.PLAN, Node.DISPATCH): "M282 138H326",
    (Node.DISPATCH, Node.VERIFY): "M446 138H490",
    (Node.VERIFY, Node.TRANSITION): "M610 138H656",
    (Node.TRANSITION, DONE): "M784 138H848",
    (Node.TRANSITION, Node.DISPATCH): "M690 114V94Q690 86 682 86H396Q388 86 388 94V110",
    (Node.TRANSITION, Node.INTEGRATE): "M712 114V48Q712 40 704 40H694",
    (Node.INTEGRATE, Node.TRANSITION): "M690 28H722Q730 28 730 36V110",
    (Node.INTEGRATE, Node.VERIFY): "M582 34H560Q552 34 552 42V110",
    (Node.INTEGRATE, Node.PERSON): "M690 18H796Q804 18 804 26V224Q804 232 796 232H788",
    (Node.TRANSITION, Node.PERSON): "M710 162V212",
    (Node.PERSON, Node.TRANSITION): "M734 216V166",
    (Node.VERIFY, Node.ADOPT): "M542 162V226Q542 234 534 234H524",
    (Node.ADOPT, Node.DISPATCH): "M420 240H404Q396 240 396 232V166",
    (Node.ADOPT, Node.PERSON): "M520 248H656",
    (Node.PERSON, Node.VERIFY): "M660 232H568Q560 232 560 224V166",
    (Node.PERSON, Node.DISPATCH): "M700 264V272Q700 280 692 280H388Q380 280 380 272V166",
    (Node.PERSON, FAILED): "M784 248H848",
    (Node.PERSON, Node.PERSON): "M746 264V272Q746 278 740 278H732Q726 278 726 272V268",
    (Node.PLAN, Node.PERSON): "M220 162V286Q220 294 228 294H704Q712 294 712 286V268",
    (Node.PLAN, FAILED): "M236 162V298Q236 306 244 306H884Q892 306 892 298V268",
    (Node.EXTRACT, FAILED): "M80 162V304Q80 312 88 312H896Q904 312 904 304V268",
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
