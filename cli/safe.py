"""Text of others on a terminal: nothing in it can move the cursor, change a colour, set a title or hide a line."""

from __future__ import annotations

import re

# Control sequences (CSI), strings up to their end (OSC, DCS, SOS, PM, APC), and two-character escapes; ECMA-48.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]"
)


def printable(text: str) -> str:
    """The text with every character that is not for printing told as its number; line ends and tabs stay."""
    return "".join(c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def one_line(text: str) -> str:
    """The same in one line."""
    return printable(" ".join(text.split()))


def output_line(raw: bytes) -> str:
    """A line that a program has printed for a terminal, as it looks there: without colours, overprinted."""
    text = _ESCAPES.sub("", raw.decode("utf-8", "replace"))
    shown = next((part for part in reversed(text.split("\r")) if part.strip()), "")
    return printable(shown.expandtabs(4).rstrip())
