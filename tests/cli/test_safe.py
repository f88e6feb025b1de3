"""Text of others cannot do anything to a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waypost.cli.safe import one_line, output_line, printable


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\x1b[31mred\x1b[0m", "red"),
        (b"\x1b]0;a title\x07after", "after"),
        (b"\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"\x1b]0;never ended", ""),
        (b"10%\r50%\r100%\r", "100%"),
        (b"\x1b[2K\x1b[1Aup", "up"),
        (b"\x1bPq secret \x1b\\shown", "shown"),
        ("\x9b31mC1".encode(), "C1"),
        ("a\u202eb".encode(), "a\\x202eb"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"tab\there", "tab here"),
        (b"bell\x07", "bell\\x07"),
    ],
)
def test_a_line_of_output_is_shown_as_a_terminal_would_leave_it(raw, shown):
    assert output_line(raw) == shown


@given(st.binary(max_size=200))
def test_no_bytes_can_steer_a_terminal(raw):
    assert all(character.isprintable() for character in output_line(raw.replace(b"\n", b" ")))


@given(st.text(max_size=200))
def test_no_text_can_steer_a_terminal_or_begin_a_line(text):
    assert all(character.isprintable() for character in one_line(text))
    assert all(character.isprintable() or character in "\n\t" for character in printable(text))
