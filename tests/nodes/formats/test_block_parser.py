"""The blocks of a text are those of markdown-it's own parser and tokens, whatever the text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from waypost.nodes.formats.block_parser import Block, parse_blocks

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


def reference(text: str) -> list[Block]:
    root = Block("root", 0, 0)
    stack = [root]
    for token in PLAIN.parse(text):
        if token.type == "inline":
            stack[-1].text = token.content
        elif token.nesting < 0:
            stack.pop()
        else:
            first, last = token.map or (0, 0)
            info = token.info.split()[0].lower() if token.type == "fence" and token.info.strip() else ""
            stack[-1].children.append(Block(KINDS[token.type], first, last, len(token.markup), token.content, info))
            if token.nesting > 0:
                stack.append(stack[-1].children[-1])
    return root.children


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(PIECES, max_size=25))
def test_blocks_are_those_of_markdown_it(pieces):
    text = "".join(pieces)
    assert parse_blocks(text) == reference(text)


def test_lines_count_from_the_one_that_is_named():
    (block,) = parse_blocks("- a\n\n  b\n", first=40)
    assert (block.line, block.end) == (41, 43)
    assert [child.line for child in block.children[0].children] == [41, 43]
