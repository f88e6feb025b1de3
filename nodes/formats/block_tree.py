"""What a Markdown text is read into, and the state that markdown-it's rules fill instead of a list of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from markdown_it.rules_block import StateBlock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
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
    children: Sequence[Block] = ()

    @property
    def line(self) -> int:
        """The 1-based line it starts in."""
        return self.start + 1

    def fences(self) -> list[Block]:
        """Every fence in it, at any depth, in order. The parser bounds the depth."""
        if self.kind == "fence":
            return [self]
        return [fence for child in self.children for fence in child.fences()]


class Node:
    """What a rule writes to where it expects a token; of the text of a heading or paragraph the node of that."""

    __slots__ = ("attrs", "children", "content", "info", "kind", "map", "markup", "parts")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.map: Any = (0, 0)
        self.content = self.markup = self.info = ""
        self.parts: list[Node | Block] = []

    @property
    def level(self) -> int:
        """Of a heading."""
        return len(self.markup) if self.kind == "heading" else 0


class TreeState(StateBlock):
    """markdown-it's state, with a tree of nodes instead of its list of tokens."""

    def __init__(self, text: str, parser: MarkdownIt, first: int) -> None:
        super().__init__(text, parser, {}, [])
        self.top = Node("root")
        self.open = [self.top]
        self.closed = Node("closed")
        self._first = first

    def push(self, ttype: str, tag: str, nesting: int) -> Token:
        if nesting < 0:
            self.level -= 1
            self.open.pop()
            return cast("Token", self.closed)
        if ttype == "inline":
            return cast("Token", self.open[-1])
        node = Node(_KINDS[ttype])
        self.open[-1].parts.append(node)
        if nesting > 0:
            self.level += 1
            self.open.append(node)
        return cast("Token", node)

    def paragraph(self, line: int, at: int) -> Block:
        """A paragraph of one line, whose text begins at that position."""
        number = line + self._first
        return Block("paragraph", number, number + 1, text=self.src[at : self.eMarks[line]].strip())

    def flat_list(self, first: int, below: int, end: int) -> Block:
        """A list with a bullet in each line up to `below`; its last item covers the empty lines up to `end` as well."""
        items: list[Block] = []
        for line in range(first, below):
            paragraph = self.paragraph(line, self.bMarks[line] + self.tShift[line] + 2)
            items.append(Block("item", paragraph.start, paragraph.end, children=(paragraph,)))
        items[-1].end = end + self._first
        return Block("list", first + self._first, end + self._first, children=items)

    def blocks(self) -> list[Block]:
        """The top-level blocks of what was read so far."""
        found: list[Block] = []
        todo = [(self.top.parts, found)]
        while todo:
            nodes, into = todo.pop()
            for node in nodes:
                if isinstance(node, Block):
                    into.append(node)
                    continue
                start, end = node.map
                info = node.info.split()[0].lower() if node.kind == "fence" and node.info.strip() else ""
                block = Block(node.kind, start + self._first, end + self._first, node.level, node.content, info)
                into.append(block)
                if node.parts:
                    block.children = children = list[Block]()
                    todo.append((node.parts, children))
        return found
