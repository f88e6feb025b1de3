"""Rows of a picture: cut to the width of the terminal, and folded to its height."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

_DOTS, _LINE = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "-\\|/"
_FRAMES_PER_S = 10
_WIDE = 60


@dataclass(frozen=True)
class Glyphs:
    """The signs of a picture."""

    done: str
    failed: str
    asks: str
    waits: str
    branch: str
    last: str
    bar: str
    space: str
    dot: str
    frames: str

    def turning(self) -> str:
        """The sign of what goes on now."""
        return self.frames[int(time.monotonic() * _FRAMES_PER_S) % len(self.frames)]


UNICODE = Glyphs("✓", "✗", "?", "○", "├─ ", "└─ ", "│  ", "   ", " · ", _DOTS)
ASCII = Glyphs("+", "x", "?", "o", "|- ", "`- ", "|  ", "   ", ", ", _LINE)


@dataclass(frozen=True)
class Sheet:
    """What there is room for, and in which signs."""

    width: int
    height: int
    glyphs: Glyphs

    @classmethod
    def of(cls, console: Console) -> Sheet:
        """The sheet of a console. The last line of a terminal is left free, and so is its last column."""
        size = console.size
        return cls(max(20, size.width - 1), max(6, size.height - 1), ASCII if console.options.ascii_only else UNICODE)

    @property
    def wide(self) -> bool:
        """Whether there is room for more than what is needed."""
        return self.width >= _WIDE

    def row(self, left: Text, right: Text | None = None) -> Text:
        """One row: `left` is cut where it meets `right`, which stands at the right edge."""
        room = self.width - (right.cell_len + 2 if right else 0)
        left = left.copy()
        left.no_wrap = True
        left.truncate(max(8, room), overflow="ellipsis" if self.glyphs is UNICODE else "crop", pad=bool(right))
        if right:
            left.append("  ").append_text(right)
        return left


@dataclass(frozen=True)
class Block:
    """Rows that stay together.

    Attributes:
        folds: under which heading blocks of this kind are counted where there is no room for each; None: never.
        more: rows below the first, left out before anything is folded.
    """

    first: Text
    more: tuple[Text, ...] = ()
    folds: str | None = None


def fitted(blocks: Sequence[Block], room: int) -> list[Text]:
    """The rows of as many blocks as there is room for; the others are counted, in the place of their first."""
    kept = list(blocks)
    for heading in dict.fromkeys(block.folds for block in blocks if block.folds):
        if _rows(kept) > room:
            kept = _folded(kept, heading)
    if _rows(kept) > room:
        kept = [Block(block.first) for block in kept]
    rows = [row for block in kept for row in (block.first, *block.more)]
    return rows if len(rows) <= room else [*rows[: room - 1], Text(f"and {len(rows) - room + 1} more", style="dim")]


def _rows(blocks: Sequence[Block]) -> int:
    return sum(1 + len(block.more) for block in blocks)


def _folded(blocks: Sequence[Block], heading: str) -> list[Block]:
    like = [block for block in blocks if block.folds == heading]
    if len(like) < 2:
        return list(blocks)
    sum_of = Block(Text(f"{len(like)} {heading}", style="dim"))
    return [sum_of if block is like[0] else block for block in blocks if block.folds != heading or block is like[0]]


def elapsed(seconds: float) -> str:
    """`4 s`, `1:07`, `2:03:11`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
