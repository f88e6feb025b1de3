"""Output of programs as HTML: colours stay, nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape
from waypost.viewer.ansi import inline, marked, plain, shown

ESC = "\x1b"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "plain"),
        ("<b>&\"'", "&lt;b&gt;&amp;&#34;&#39;"),
        (f"{ESC}[31mred{ESC}[0m", '<span class="f1">red</span>'),
        (f"{ESC}[1;32m<b>{ESC}[0m ok", '<span class="f2 t-bold">&lt;b&gt;</span> ok'),
        (f"{ESC}[44;7mx", '<span class="f4">x</span>'),
        (f"{ESC}[38;5;196mx", '<span class="f1">x</span>'),
        (f"{ESC}[38;2;255;0;0mx", '<span class="f1">x</span>'),
        (f"{ESC}]8;;javascript:alert(1)\x07link{ESC}]8;;\x07", "link"),
        (f"{ESC}]0;title\x07{ESC}[2J{ESC}[Hx{ESC}P+q{ESC}\\", "x"),
        ("10%\r50%\r100%\nok", "100%\nok"),
        ("a\r\nb", "a\nb"),
        ("bell\x07 nul\x00 c1\x9b31m", "bell nul c131m"),
        ("evil\u202etxt", "evil\ufffdtxt"),
        ("a.py\u200b and\u00ad \U000e0041", "a.py\ufffd and\ufffd \ufffd"),
        ("no text \udcff", "no text \ufffd"),
        ("10%\r50%\r", "50%"),
        (f"{ESC}[{'9' * 5000}mx{ESC}[31{';' * 200}my", "xy"),
    ],
)
def test_what_a_program_prints_becomes(text: str, html: str):
    assert shown(text) == html


@given(st.text(alphabet=st.characters() | st.sampled_from("\x1b[];m\x07\r\n<>&\"'0137"), max_size=60))
def test_nothing_but_coloured_spans_comes_out(text: str):
    rest = str(shown(text)).replace("</span>", "")
    for piece in rest.split("<span class=")[1:]:
        assert piece[0] == '"'
        assert set(piece[1:].partition('"')[0]) <= set("fbt0123456789- abcdefghijklmnopqrstuvwxyz")
    assert "<" not in rest.replace('<span class="', "")
    assert "\x1b" not in plain(text)


def test_what_is_searched_reads_as_what_is_shown():
    assert plain("10%\r50%\r\n\x1b[31mred\x1b[0m \udcff") == "50%\nred \ufffd"


def test_what_was_searched_for_is_marked_whatever_its_case():
    assert marked("A <b> a", "a") == "<mark>A</mark> &lt;b&gt; <mark>a</mark>"
    assert marked("x", "") == escape("x")


def test_backticks_of_a_task_file_are_code():
    assert inline("run `<x>` now") == 'run <code class="in">&lt;x&gt;</code> now'
