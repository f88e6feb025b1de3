"""The blocks of a text are those of markdown-it's own parser and tokens, whatever the text."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from waypost.nodes.formats.block_parser import parse_blocks
from waypost.nodes.formats.block_tree import Block

PLAIN = MarkdownIt("commonmark").disable(["reference", "html_block", "lheading", "inline", "text_join"])
KINDS = {
    "heading_open": "heading", "paragraph_open": "paragraph", "bullet_list_open": "list", "ordered_list_open": "list",
    "list_item_open": "item", "blockquote_open": "quote", "fence": "fence", "code_block": "code", "hr": "rule",
}  # fmt: skip
PIECES = st.sampled_from(
    [
        "a", "b c", "- ", "-", "* ", "+ ", "-\t", "1. ", "2. ", "12) ", "1234567890. ", "# ", "####### ", "#", "> ",
        ">", "```", "````", "~~~", "```sh", "---", "***", "* * *", "_ _ _", "--", "- -", "===", "    ", "  ", " ",
        "\t", "\n", "\n", "\n\n", "\n  ", "\n   - ", "\n    - ", "\n> ", "[a]: b", "<p>", "[ ] ", "\u00a0", "\u2028",
    ]
)  # fmt: skip


Seen = tuple[str, int, int, str, str, list["Seen"]]


def reference(text: str) -> list[Seen]:
    root: Seen = ("root", 0, 0, "", "", [])
    stack = [root]
    for token in PLAIN.parse(text):
        if token.type == "inline":
            kind, first, last, _, info, inner = stack[-1]
            stack[-2][-1][-1] = stack[-1] = (kind, first, last, token.content, info, inner)
        elif token.nesting < 0:
            stack.pop()
        else:
            info = token.info.split()[0].lower() if token.type == "fence" and token.info.strip() else ""
            found: Seen = (KINDS[token.type], *token.map, token.content, info, [])
            stack[-1][-1].append(found)
            if token.nesting > 0:
                stack.append(found)
    return root[-1]


def seen(blocks: Iterable[Block]) -> list[Seen]:
    return [(b.kind, b.start, b.end, b.text, b.info, seen(b.children)) for b in blocks]


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(PIECES, max_size=25))
def test_blocks_are_those_of_markdown_it(pieces):
    text = "".join(pieces)
    assert seen(parse_blocks(text)) == reference(text)


def test_lines_count_from_the_one_that_is_named():
    (block,) = parse_blocks("- a\n\n  b\n", first=40)
    assert (block.line, block.end) == (41, 43)
    assert [child.line for child in block.children[0].children] == [41, 43]
