"""Blocks straight from markdown-it's own rules: each is asked only about lines that can begin it, no token is made."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, cast

from markdown_it import MarkdownIt, rules_block

from .block_tree import Block, TreeState

if TYPE_CHECKING:
    from collections.abc import Callable

    from markdown_it.rules_block import StateBlock

    Rule = Callable[[StateBlock, int, int, bool], bool]

_RULED = frozenset("*-_ \t")
_FLAT = re.compile(r"[-*+] (?:[^\s`~>*+_#0-9-]|_[^\s_]|\*\*?[^\s*])")


def parse_blocks(text: str, first: int = 0, ends_paragraph: Rule | None = None) -> list[Block]:
    """The top-level blocks of a CommonMark text without link definitions, HTML and underlined headings.

    Args:
        first: the number of the text's first line, 0-based.
        ends_paragraph: a markdown-it rule; where it holds of a line, the paragraph above ends.
    """
    parser = _parser(ends_paragraph)
    state = TreeState(text, parser, first)
    parser.block.tokenize(state, 0, state.lineMax)
    return state.blocks()


def _ruled(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    """A thematic break; the third character tells it from a list item without a walk through the line."""
    third = state.bMarks[line] + state.tShift[line] + 2
    return state.src[third : third + 1] in _RULED and rules_block.hr(state, line, end, silent)


def _paragraph(state: TreeState, line: int, end: int) -> bool:
    """Most paragraphs are one line outside a quote; any other is for markdown-it's own rule."""
    if state.bsCount[line] or _goes_on(state, line + 1):
        return rules_block.paragraph(state, line, end, False)
    state.open[-1].parts.append(state.paragraph(line, state.bMarks[line] + state.tShift[line]))
    state.line = line + 1
    return True


def _list(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    """Most lists are bullets of one line with no list below them; any other is for markdown-it's own rule."""
    if silent or state.src[state.bMarks[line] + state.tShift[line]] not in "-*+" or end != state.lineMax:
        return rules_block.list_block(state, line, end, silent)
    state = cast("TreeState", state)
    below = _flat_lines(state, line)
    after = state.skipEmptyLines(below)
    if below == line or (after < end and _may_belong(state, after, line)):
        return rules_block.list_block(state, line, end, silent)
    outer = state.blkIndent, state.listIndent
    state.blkIndent, state.listIndent = state.sCount[line] + 2, state.blkIndent
    ended = not _goes_on(state, below)
    state.blkIndent, state.listIndent = outer
    if not ended:
        return rules_block.list_block(state, line, end, silent)
    state.open[-1].parts.append(state.flat_list(line, below, after))
    state.line = after
    return True


def _may_belong(state: TreeState, after: int, line: int) -> bool:
    """Whether a line may be an item of the list that begins in `line`, or a part of its last item."""
    if state.sCount[after] < state.blkIndent:
        return False
    own, first = (state.bMarks[at] + state.tShift[at] for at in (after, line))
    return state.sCount[after] >= state.sCount[line] + 2 or state.src[own] == state.src[first]


def _flat_lines(state: TreeState, line: int) -> int:
    """The end of the lines from this one that are all indented alike, with its bullet before the begin of a text."""
    src, indent = state.src, state.sCount[line]
    at = state.bMarks[line] + state.tShift[line]
    bullet = src[at]
    while src[at : at + 1] == bullet and _FLAT.match(src, at) and not state.bsCount[line]:
        line += 1
        at = state.bMarks[line] + state.tShift[line]
        if state.sCount[line] != indent:
            break
    return line


def _goes_on(state: TreeState, below: int) -> bool:
    """Whether a line continues the paragraph above it."""
    if below >= state.lineMax or state.isEmpty(below):
        return False
    if not -1 < state.sCount[below] <= state.blkIndent + 3:
        return True
    # A bullet before a text ends every paragraph, but for one as deep as code inside the list around.
    at = state.bMarks[below] + state.tShift[below]
    if state.sCount[below] < state.listIndent + 4 and _FLAT.match(state.src, at):
        return False
    outer, state.parentType = state.parentType, "paragraph"
    ended = any(rule(state, below, state.lineMax, True) for rule in state.md.block.ruler.getRules("paragraph"))
    state.parentType = outer
    return not ended


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
    **dict.fromkeys("*-", (_ruled, _list)),
    **dict.fromkeys("+0123456789", (_list,)),
    "#": (rules_block.heading,),
}


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
    return not silent and _paragraph(cast("TreeState", state), line, end)


def _ends_item(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    at = state.bMarks[line] + state.tShift[line]
    return any(rule(state, line, end, silent) for rule in _ENDS_ITEM.get(state.src[at : at + 1], ()))
