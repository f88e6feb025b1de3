"""The block structure of a Markdown file, as a tree with line ranges. The text itself is taken from the source."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from ...state.errors import TaskFileError
from .inline import split_label
from .source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

_KINDS = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "list_item_open": "item",
    "blockquote_open": "quote",
    "fence": "fence",
    "code_block": "code",
    "hr": "rule",
}
# Link definitions and HTML would drop text, an underlined heading would turn "text" above "---" into a title.
_OFF = ["reference", "html_block", "lheading", "inline", "text_join"]
_PIECE = 64_000
_AT_MARGIN = ("# ", "## ", "### ", "#### ", "##### ", "###### ", "- ", "* ")
_BEGINS = {
    "fence": frozenset("`~"),
    "blockquote": frozenset(">"),
    "hr": frozenset("*-_"),
    "list": frozenset("*-+0123456789"),
    "heading": frozenset("#"),
}
_MARKER = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]*")


_Rule = Callable[["StateBlock", int, int, bool], bool]


@dataclass(slots=True)
class Block:
    """One block.

    Attributes:
        kind: heading, paragraph, list, item, quote, fence, code or rule.
        start, end: the lines it covers, 0-based, the end not included.
        level: of a heading, 1 to 6.
        text: of a heading, paragraph or fence.
        info: of a fence: the first word after the back-ticks, in lower case.
    """

    kind: str
    start: int
    end: int
    level: int = 0
    text: str = ""
    info: str = ""
    children: list[Block] = field(default_factory=list["Block"])

    @property
    def line(self) -> int:
        """The 1-based line it starts in."""
        return self.start + 1

    def fences(self) -> list[Block]:
        """Every fence in it, at any depth, in order. The parser bounds the depth."""
        if self.kind == "fence":
            return [self]
        return [fence for child in self.children for fence in child.fences()]


def read_blocks(file: SourceFile) -> list[Block]:
    """The top-level blocks of a file.

    Raises:
        TaskFileError: a fenced block is never closed: it would swallow all that follows.
    """
    parser = MarkdownIt("commonmark").disable(_OFF)
    parser.block.ruler.before("paragraph", "field", _field_begins, {"alt": ["paragraph", "blockquote"]})
    top = _tree(parser.parse(file.text))
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
    parser = _plain_parser()
    lines = file.lines
    blocks: list[Block] = []
    start, size = 0, _PIECE
    while start < len(lines):
        end = _piece_end(lines, start, size)
        found = _tree(parser.parse("\n".join(lines[start:end])), start)
        unclosed = next((f for f in found[-1].fences() if _is_open(f)), None) if found else None
        if unclosed is None:
            blocks += found
            start, size = end, _PIECE
        elif end == len(lines):
            raise _never_closed(file, unclosed)
        else:
            size *= 2
    return blocks


@cache
def _plain_parser() -> MarkdownIt:
    """The parser for large files: each rule is asked only about lines that begin with one of its characters."""
    parser = MarkdownIt("commonmark").disable(_OFF)
    for rule in parser.block.ruler.__rules__:
        begins = _BEGINS.get(rule.name)
        if begins is not None:
            parser.block.ruler.at(rule.name, _only_where(rule.fn, begins), {"alt": rule.alt})
    return parser


def _only_where(rule: _Rule, begins: frozenset[str]) -> _Rule:
    def gated(state: StateBlock, line: int, end: int, silent: bool) -> bool:
        position = state.bMarks[line] + state.tShift[line]
        return state.src[position : position + 1] in begins and rule(state, line, end, silent)

    return gated


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


def _tree(tokens: Sequence[Token], offset: int = 0) -> list[Block]:
    root = Block("root", 0, 0)
    stack = [root]
    for token in tokens:
        if token.type == "inline":
            stack[-1].text = token.content
        elif token.nesting < 0:
            stack.pop()
        else:
            first, last = token.map or (0, 0)
            info = token.info.split()[0].lower() if token.info.strip() else ""
            kind = _KINDS[token.type]
            block = Block(kind, first + offset, last + offset, len(token.markup), token.content, info)
            stack[-1].children.append(block)
            if token.nesting > 0:
                stack.append(block)
    return root.children
