"""Blocks straight from markdown-it's own rules: each is asked only about lines that can begin it, no token is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from markdown_it import MarkdownIt, rules_block
from markdown_it.rules_block import StateBlock

if TYPE_CHECKING:
    from collections.abc import Callable

    from markdown_it.token import Token

    Rule = Callable[[StateBlock, int, int, bool], bool]

_RULED = frozenset("*-_ \t")
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


def _ruled(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    """A thematic break; the third character tells it from a list item without a walk through the line."""
    third = state.bMarks[line] + state.tShift[line] + 2
    return state.src[third : third + 1] in _RULED and rules_block.hr(state, line, end, silent)


# Link definitions and HTML would drop text, an underlined heading would turn "text" above "---" into a title: they have
# no rule here. Each list is in markdown-it's order; what begins with no character of these is code or a paragraph.
_ENDS_ITEM: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys("`~", (rules_block.fence,)),
    ">": (rules_block.blockquote,),
    **dict.fromkeys("*-_", (_ruled,)),
}
_BEGINS: dict[str, tuple[Rule, ...]] = {
    **_ENDS_ITEM,
    "_": (_ruled,),
    **dict.fromkeys("*-", (_ruled, rules_block.list_block)),
    **dict.fromkeys("+0123456789", (rules_block.list_block,)),
    "#": (rules_block.heading,),
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


class _Node:
    """What a rule writes to where it expects a token; of the text of a heading or paragraph the node of that."""

    __slots__ = ("attrs", "children", "content", "info", "kind", "map", "markup", "parts")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.map: Any = (0, 0)
        self.content = self.markup = self.info = ""
        self.parts: list[_Node] = []


class _State(StateBlock):
    """markdown-it's state, with a tree of nodes instead of its list of tokens."""

    def __init__(self, text: str, parser: MarkdownIt) -> None:
        super().__init__(text, parser, {}, [])
        self.top = _Node("root")
        self.open = [self.top]
        self.closed = _Node("closed")

    def push(self, ttype: str, tag: str, nesting: int) -> Token:
        if nesting < 0:
            self.level -= 1
            self.open.pop()
            return cast("Token", self.closed)
        if ttype == "inline":
            return cast("Token", self.open[-1])
        node = _Node(_KINDS[ttype])
        self.open[-1].parts.append(node)
        if nesting > 0:
            self.level += 1
            self.open.append(node)
        return cast("Token", node)

    def paragraph(self, line: int) -> None:
        """Add a paragraph of one line."""
        node = _Node("paragraph")
        node.map = (line, line + 1)
        node.content = self.src[self.bMarks[line] + self.tShift[line] : self.eMarks[line]].strip()
        self.open[-1].parts.append(node)
        self.line = line + 1


def parse_blocks(text: str, first: int = 0, ends_paragraph: Rule | None = None) -> list[Block]:
    """The top-level blocks of a CommonMark text without link definitions, HTML and underlined headings.

    Args:
        first: the number of the text's first line, 0-based.
        ends_paragraph: a markdown-it rule; where it holds of a line, the paragraph above ends.
    """
    parser = _parser(ends_paragraph)
    state = _State(text, parser)
    parser.block.tokenize(state, 0, state.lineMax)
    return _blocks(state.top, first)


def _blocks(top: _Node, first: int) -> list[Block]:
    found: list[Block] = []
    todo = [(top.parts, found)]
    while todo:
        nodes, into = todo.pop()
        for node in nodes:
            start, end = node.map
            info = node.info.split()[0].lower() if node.kind == "fence" and node.info.strip() else ""
            children: list[Block] = []
            into.append(Block(node.kind, start + first, end + first, len(node.markup), node.content, info, children))
            if node.parts:
                todo.append((node.parts, children))
    return found


@cache
def _parser(ends_paragraph: Rule | None) -> MarkdownIt:
    parser = MarkdownIt("commonmark")
    ruler = parser.block.ruler
    for rule in ruler.__rules__:
        rule.enabled = False
    # The first one takes every line; its name stays "code", which says that indented text is code.
    ruler.at("code", _block, {"alt": ["paragraph", "blockquote"]})
    ruler.at("fence", _ends_item, {"alt": ["list"]})
    parser.enable(["code", "fence"])
    if ends_paragraph is not None:
        ruler.push("ends_paragraph", ends_paragraph, {"alt": ["paragraph", "blockquote"]})
    return parser


def _block(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    at = state.bMarks[line] + state.tShift[line]
    rules = _BEGINS.get(state.src[at : at + 1], ())
    if not silent and state.is_code_block(line):
        return rules_block.code(state, line, end, False)
    for rule in rules:
        if rule(state, line, end, silent):
            return True
    return not silent and _paragraph(cast("_State", state), line, end)


def _ends_item(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    at = state.bMarks[line] + state.tShift[line]
    return any(rule(state, line, end, silent) for rule in _ENDS_ITEM.get(state.src[at : at + 1], ()))


def _paragraph(state: _State, line: int, end: int) -> bool:
    """Most paragraphs are one line outside a quote; any other is for markdown-it's own rule."""
    if state.bsCount[line] or _goes_on(state, line + 1):
        return rules_block.paragraph(state, line, end, False)
    state.paragraph(line)
    return True


def _goes_on(state: _State, below: int) -> bool:
    if below >= state.lineMax or state.isEmpty(below):
        return False
    if not -1 < state.sCount[below] <= state.blkIndent + 3:
        return True
    outer, state.parentType = state.parentType, "paragraph"
    ended = any(rule(state, below, state.lineMax, True) for rule in state.md.block.ruler.getRules("paragraph"))
    state.parentType = outer
    return not ended
