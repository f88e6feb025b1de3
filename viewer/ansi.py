"""Output of programs as HTML: colours are kept as classes, everything else that could steer a terminal is dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape
from rich.ansi import AnsiDecoder
from rich.color import Color, ColorSystem
from rich.console import Console
from rich.style import Style

_CONSOLE = Console(width=10_000, color_system="truecolor", force_terminal=True, legacy_windows=False)
_FLAGS = ("bold", "dim", "italic", "underline", "strike")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Text that only seems to be in another order than it is, or to be the same as other text; and bytes that were no text.
_MISLEADING = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
_OTHER = r"\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-OQ-WYZ`-~]"
_CODE = re.compile(rf"\x1b(?:\[[0-?]*[ -/]*[@-~]|{_OTHER})")
# A colour needs few numbers; what has more of them is none.
_NO_COLOUR = re.compile(rf"\x1b(?:\[[0-?]*[ -/]*[@-ln-~]|\[[0-?]{{80,}}[ -/]*m|{_OTHER})")


def plain(text: str) -> str:
    """Text without the codes that steer a terminal; what they were is not shown."""
    return _clean(_CODE.sub("", "\n".join(_lines(text))))


def shown(text: str, mark: str = "") -> Markup:
    """Text of a program as HTML that holds nothing but text in coloured spans.

    Args:
        mark: words that are marked wherever they stand, whatever their case.
    """
    if "\x1b" not in text and "\r" not in text:
        return marked(_clean(text), mark)
    lines = _lines(_NO_COLOUR.sub("", text))
    return Markup("\n").join(
        Markup("").join(_line(line, decoder, mark)) for decoder in [AnsiDecoder()] for line in lines
    )


def marked(text: str, mark: str) -> Markup:
    """Text as HTML with what was searched for in `mark` elements."""
    if not mark:
        return escape(text)
    parts = re.split(f"({re.escape(mark)})", text, flags=re.IGNORECASE)
    return Markup("").join(Markup("<mark>{}</mark>").format(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def inline(text: str) -> Markup:
    """A sentence of a task file, with what stands in backticks as code."""
    parts = re.split(r"`([^`\n]+)`", plain(text))
    code = Markup('<code class="in">{}</code>')
    return Markup("").join(code.format(part) if at % 2 else escape(part) for at, part in enumerate(parts))


def _lines(text: str) -> Iterator[str]:
    """Lines as they were last overprinted; what ends with a carriage return was not overprinted yet."""
    for line in text.split("\n"):
        yield line.rstrip("\r").rsplit("\r", 1)[-1]


def _line(line: str, decoder: AnsiDecoder, mark: str) -> Iterator[Markup]:
    for segment in decoder.decode_line(line).render(_CONSOLE):
        classes = " ".join(_classes(segment.style)) if segment.style else ""
        text = marked(_clean(_CODE.sub("", segment.text)), mark)
        yield Markup('<span class="{}">{}</span>').format(classes, text) if classes else text


def _classes(style: Style) -> Iterator[str]:
    fore, back = (style.bgcolor, style.color) if style.reverse else (style.color, style.bgcolor)
    if fore is not None and not fore.is_default:
        yield f"f{_sixteen(fore)}"
    if back is not None and not back.is_default:
        yield f"b{_sixteen(back)}"
    for flag in _FLAGS:
        if getattr(style, flag):
            yield f"t-{flag}"


def _sixteen(colour: Color) -> int:
    """The nearest of the sixteen colours that a style sheet has names for."""
    return colour.downgrade(ColorSystem.STANDARD).number or 0


def _clean(text: str) -> str:
    return _MISLEADING.sub("\N{REPLACEMENT CHARACTER}", _UNSEEN.sub("", text))
