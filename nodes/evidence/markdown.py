"""Putting untrusted text into Markdown so that it stays text, and is seen for what it is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

_SHOWN_AT_MOST = 2000
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LINE_BREAK = re.compile(r"[ \t]*\r?\n[ \t]*")
_SPECIAL = re.compile(r"[\\`*\[\]<>|~&#$]|(?<![^\W_])_|_(?![^\W_])")
_BLOCK_START = re.compile(r"^(\d{1,9}(?=[.)](?: |$)))?(?(1)[.)]|[-+=](?=[-= ]*$| ))")
_BACKTICKS = re.compile(r"`+")


class Md(str):
    """Markdown that was made safe already: a template prints it as it is, and escapes every other string."""

    __slots__ = ()


def visible(value: str) -> str:
    """`value` with each character that would not be seen (control, bidirectional, surrogate) as an escape."""
    return value if value.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in value)


def text(value: str) -> Md:
    """One line of prose: no character of it is markup, in a paragraph, a list, a heading or a table."""
    line, more = _clip(visible(_LINE_BREAK.sub(" ", value).strip(" ")))
    shown = _SPECIAL.sub(lambda found: "\\" + found.group(), line)
    return Md(_BLOCK_START.sub(lambda found: f"{found.group()[:-1]}\\{found.group()[-1]}", shown) + more)


def code(value: str) -> Md:
    """Inline code, for a paragraph or a list."""
    line, more = _clip(visible(value))
    if not line:
        return Md("(empty)")
    ticks = "`" * (_longest_run(line) + 1)
    # Nothing is stripped from code that is spaces alone.
    pad = " " if line.strip(" ") and (line[0] in "` " or line[-1] in "` ") else ""
    return Md(f"{ticks}{pad}{line}{pad}{ticks}{more}")


def code_cell(value: str) -> Md:
    """Inline code for a table cell, where a pipe needs a backslash even inside code.

    Renderers disagree on a pipe that follows a backslash, so that one is shown as an escape.
    """
    return Md(code(value.replace("\\|", "\\\\x7c")).replace("|", "\\|"))


def codes(values: Iterable[str], empty: str = "none") -> Md:
    """Inline code for each value, for a paragraph or a list; `empty` where there is none."""
    return Md(", ".join(map(code, values)) or text(empty))


def code_cells(values: Iterable[str], empty: str = "none") -> Md:
    """Inline code for each value, all in one table cell; `empty` where there is none."""
    return Md(", ".join(map(code_cell, values)) or text(empty))


def fenced(value: str, language: str = "") -> Md:
    """A fenced block, its fence longer than any run of backticks inside."""
    ticks = "`" * max(3, _longest_run(value) + 1)
    return Md(f"{ticks}{language}\n{value}\n{ticks}")


def shell_quote(value: str) -> str:
    """One word for a shell. Characters that would not be seen are written as $'...' with octal escapes."""
    if value.replace("\n", "").replace("\t", "").isprintable():
        return shlex.quote(value)
    return "$'" + "".join(_shell_char(char) for char in value) + "'"


def shell_join(argv: Iterable[str]) -> str:
    """A command for a shell, from its words."""
    return " ".join(map(shell_quote, argv))


def _shell_char(char: str) -> str:
    if char in "\\'":
        return "\\" + char
    if char.isprintable():
        return char
    errors = "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", errors))


def _escape(char: str) -> str:
    number = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    # A surrogate of this range is a byte that was no UTF-8 when the path was read.
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _clip(line: str) -> tuple[str, str]:
    more = len(line) - _SHOWN_AT_MOST
    return (line[:_SHOWN_AT_MOST], f" ({more} more characters)") if more > 0 else (line, "")


def _longest_run(value: str) -> int:
    return max(map(len, _BACKTICKS.findall(value)), default=0)
