"""Untrusted text stays text, whatever it holds; judged by a Markdown parser and by a real shell."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from waypost.nodes.evidence.markdown import code, code_cell, fenced, shell_join, text, visible

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
NASTY = st.text(st.sampled_from("ab1 \n\r\t\\`*_[]()<>|~&#$!-+=.:;/\"'{}@\x00\x1b\u202e\u2028é"), max_size=40)
ANY_TEXT = st.one_of(NASTY, st.text(max_size=60))


def one_line(value: str) -> str:
    """What a reader should see of prose: line breaks are spaces, unseen characters are escapes."""
    lines = value.replace("\r\n", "\n").split("\n")
    trimmed = [part.strip(" \t") if 0 < at < len(lines) - 1 else part for at, part in enumerate(lines)]
    if len(lines) > 1:
        trimmed[0], trimmed[-1] = trimmed[0].rstrip(" \t"), trimmed[-1].lstrip(" \t")
    return visible(" ".join(trimmed).strip(" "))


def squeezed(value: str) -> str:
    return "".join(value.split(" "))


def inline_tokens(source: str) -> list[Token]:
    return [child for token in PARSER.parse(source) for child in token.children or []]


@given(ANY_TEXT)
def test_prose_in_a_list_is_nothing_but_its_own_text(value: str) -> None:
    tokens = PARSER.parse(f"- x {text(value)}\n- {text(value)}\n\n# {text(value)}\n")
    kinds = [token.type for token in tokens if token.nesting >= 0 and token.level < 4]
    assert kinds.count("list_item_open") == 2
    assert kinds.count("heading_open") == 1
    assert not {"html_block", "fence", "code_block", "blockquote_open", "hr"} & set(kinds)
    children = [child for token in tokens for child in token.children or []]
    assert {child.type for child in children} <= {"text", "text_special"}
    assert squeezed("".join(child.content for child in children)) == squeezed(f"x{one_line(value) * 3}")


@given(ANY_TEXT, ANY_TEXT)
def test_a_table_row_keeps_its_cells(prose: str, command: str) -> None:
    tokens = PARSER.parse(f"| a | b | c |\n| --- | --- | --- |\n| {text(prose)} | {code_cell(command)} | end |\n")
    cells = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == 3
    assert cells[2].content == "end"
    assert {child.type for child in cells[0].children or []} <= {"text", "text_special"}
    shown = [child.content for child in cells[1].children or [] if child.type == "code_inline"]
    wanted = visible(command.replace("\\|", "\\\\x7c"))
    assert [squeezed(value) for value in shown] == ([squeezed(wanted)] if wanted else [])


@given(ANY_TEXT)
def test_inline_code_shows_exactly_what_it_was_given(value: str) -> None:
    children = inline_tokens(f"- x {code(value)}\n")
    shown = [child.content for child in children if child.type == "code_inline"]
    assert shown == ([visible(value)] if value else [])


@given(st.text(st.sampled_from("`~\n a#<"), max_size=40))
def test_nothing_closes_a_fence_from_inside(value: str) -> None:
    tokens = PARSER.parse(f"{fenced(value, 'sh')}\n\nafter\n")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content == f"{value}\n"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=20), min_size=1, max_size=4))
def test_a_shell_reads_back_the_words_it_is_given(words: list[str]) -> None:
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {shell_join(words)}"], capture_output=True, check=True, timeout=20
    )
    assert done.stdout.split(b"\0")[:-1] == [word.encode() for word in words]


@pytest.mark.parametrize(
    ("hidden", "seen"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\x00b", "a\\x00b"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u2028b", "a\\u2028b"),
        ("a\udcffb", "a\\xffb"),
        ("a\ud800b", "a\\ud800b"),
        ("a\U000e0041b", "a\\U000e0041b"),
        ("é 語 ok", "é 語 ok"),
    ],
)
def test_what_would_not_be_seen_is_shown(hidden: str, seen: str) -> None:
    assert visible(hidden) == seen


def test_a_byte_that_is_no_utf_8_reaches_the_shell_as_that_byte() -> None:
    command = "printf %s " + shell_join(["a\udcffb"])
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert done.stdout == b"a\xffb"


def test_a_very_long_text_is_cut_and_says_by_how_much() -> None:
    assert text("x" * 2500).endswith("x (500 more characters)")
    assert code("x" * 2500).endswith("x` (500 more characters)")
