"""What waits for what, as a drawing: columns from left to right, everything right of what it waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_WIDE, _HIGH, _GAP_X, _GAP_Y, _EDGE = 176, 46, 56, 16, 2
AT_MOST = 300
_LABEL = 22


@dataclass(frozen=True)
class Item:
    """One box: a task of a batch, or a step of a run."""

    id: str
    title: str
    status: str
    waits_for: tuple[str, ...]
    href: str


@dataclass(frozen=True)
class Placed:
    """A box and its place."""

    item: Item
    x: int
    y: int

    @property
    def label(self) -> str:
        """Its id, as far as it fits."""
        return _short(self.item.id)

    @property
    def note(self) -> str:
        """Its title, as far as it fits."""
        return _short(self.item.title)


@dataclass(frozen=True)
class Dag:
    """What the template draws."""

    boxes: tuple[Placed, ...]
    lines: tuple[str, ...]
    width: int
    height: int
    box_width: int = _WIDE
    box_height: int = _HIGH


def lay_out(items: Sequence[Item]) -> Dag | None:
    """Place boxes and lines; None where there are too many to be seen.

    Args:
        items: in an order in which each stands behind all that it waits for.
    """
    if not items or len(items) > AT_MOST:
        return None
    columns = _columns(items)
    rows: dict[int, int] = {}
    places: dict[str, Placed] = {}
    for item in items:
        column = columns[item.id]
        row = rows.get(column, 0)
        rows[column] = row + 1
        places[item.id] = Placed(item, _EDGE + column * (_WIDE + _GAP_X), _EDGE + row * (_HIGH + _GAP_Y))
    lines = [_line(places[before], places[item.id]) for item in items for before in item.waits_for if before in places]
    width = _EDGE * 2 + (max(columns.values()) + 1) * (_WIDE + _GAP_X) - _GAP_X
    return Dag(tuple(places.values()), tuple(lines), width, _EDGE * 2 + max(rows.values()) * (_HIGH + _GAP_Y) - _GAP_Y)


def _columns(items: Sequence[Item]) -> Mapping[str, int]:
    columns: dict[str, int] = {}
    for item in items:
        columns[item.id] = max((columns[before] + 1 for before in item.waits_for if before in columns), default=0)
    return columns


def _line(before: Placed, after: Placed) -> str:
    x, y = before.x + _WIDE, before.y + _HIGH // 2
    to_x, to_y = after.x - 6, after.y + _HIGH // 2
    middle = (x + to_x) // 2
    return f"M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}"


def _short(text: str) -> str:
    return text if len(text) <= _LABEL else text[: _LABEL - 1] + "…"
