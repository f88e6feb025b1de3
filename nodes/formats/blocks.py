"""The block structure of a Markdown file, as a tree with line ranges. The text itself is taken from the source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...state.errors import TaskFileError
from .block_parser import parse_blocks
from .block_tree import Block
from .inline import split_label
from .source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.rules_block import StateBlock

_PIECE = 64_000
_AT_MARGIN = ("# ", "## ", "### ", "#### ", "##### ", "###### ", "- ", "* ")
_MARKER = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]*")


def read_blocks(file: SourceFile) -> list[Block]:
    """The top-level blocks of a file.

    Raises:
        TaskFileError: a fenced block is never closed: it would swallow all that follows.
    """
    top = parse_blocks(file.text, ends_paragraph=_field_begins)
    for fence in (fence for block in top for fence in block.fences()):
        if _is_open(fence):
            raise _never_closed(file, fence)
    return top


def read_blocks_in_pieces(file: SourceFile) -> list[Block]:
    """The top-level blocks of a large file, without the card's rule for fields.

    The file is parsed in pieces that begin with a heading or a bullet at the margin: such a line ends every block but a
    fence, and a piece that ends inside a fence is joined with the next one. A long list may come as several lists. The
    parser's own cost grows with its input.

    Raises:
        TaskFileError: a fenced block is never closed.
    """
    lines = file.lines
    blocks: list[Block] = []
    start, size = 0, _PIECE
    while start < len(lines):
        end = _piece_end(lines, start, size)
        text = "\n".join(lines[start:end])
        found = parse_blocks(text, start)
        fenced = found and ("```" in text or "~~~" in text)
        unclosed = next((f for f in found[-1].fences() if _is_open(f)), None) if fenced else None
        if unclosed is None:
            blocks += found
            start, size = end, _PIECE
        elif end == len(lines):
            raise _never_closed(file, unclosed)
        else:
            size *= 2
    return blocks


def _piece_end(lines: list[str], start: int, size: int) -> int:
    seen = 0
    for index in range(start, len(lines)):
        if seen >= size and lines[index].startswith(_AT_MARGIN):
            return index
        seen += len(lines[index]) + 1
    return len(lines)


def _is_open(fence: Block) -> bool:
    # A closed fence covers its content and two lines more; one that runs to the end only one.
    return fence.end - fence.start < len(fence.text.splitlines()) + 2


def _never_closed(file: SourceFile, fence: Block) -> TaskFileError:
    return file.error(fence.line, "this fenced block is never closed", next_step="add a line with the same back-ticks")


def _field_begins(state: StateBlock, line: int, _end: int, silent: bool) -> bool:
    """Ends a paragraph of a list or quote above a field: else the label would be the last words of the item."""
    outside = state.sCount[line] < state.blkIndent or (state.blkIndent == 0 and state.sCount[line] <= 3)
    if not silent or not outside:
        return False
    label = split_label(state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]])
    return label is not None and label.is_field


def outdent(lines: Sequence[str]) -> list[str]:
    """The lines of a list item without its marker and without the indentation that the marker asks for."""
    marker = _MARKER.match(lines[0])
    if not marker:
        return list(lines)
    width = marker.end()
    return [lines[0][width:], *(_strip_columns(line, width) for line in lines[1:])]


def _strip_columns(line: str, columns: int) -> str:
    used = 0
    position = 0
    while position < len(line) and used < columns and line[position] in " \t":
        used += 1 if line[position] == " " else 4
        position += 1
    return line[position:]
