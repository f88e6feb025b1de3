"""Evidence as a person reads it: Markdown as HTML that loads and runs nothing, JSON indented, the rest as text."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import count

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from .ansi import plain, shown


def _markdown() -> MarkdownIt:
    # HTML stays text, and so do pictures and all links but those in brackets, of which only the known are kept.
    made = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False})
    return made.enable("table").disable(["image", "autolink", "reference", "html_block", "html_inline"])


_MARKDOWN = _markdown()


def rendered(path: str, text: str, page_of: Callable[[str], str | None] = lambda _: None) -> Markup:
    """A document as HTML. What cannot be read as what its name says is shown as text.

    Args:
        page_of: the page of ours that stands for the target of a link; None where it leads nowhere: what a worker wrote
            leads nobody anywhere.
    """
    if path.endswith(".md"):
        # Its headings stand below that of the page.
        tokens = _MARKDOWN.parse(plain(text))
        for token in tokens:
            if token.type in ("heading_open", "heading_close"):
                token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
            token.children = [*_led(token.children, page_of)] if token.children else token.children
        # markdown-it escapes all text, and with `html` off there is nothing else in it.
        html = str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))
        number = count(1)
        label = '<div class="scroll" tabindex="0" role="region" aria-label="Table {}"><table>'
        html = re.sub("<table>", lambda _: label.format(next(number)), html).replace("</table>", "</table></div>")
        return Markup('<div class="prose">{}</div>').format(Markup(html))
    if path.endswith(".json"):
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return Markup('<pre class="output" tabindex="0">{}</pre>').format(shown(text))


def _led(tokens: Iterable[Token], page_of: Callable[[str], str | None]) -> Iterator[Token]:
    """The same line with every link led to a page of ours, or taken away from around its text."""
    page: str | None = None
    for token in tokens:
        if token.type == "link_open":
            page = page_of(str(token.attrs.get("href", "")))
            token.attrs = {"href": page or ""}
        if token.type not in ("link_open", "link_close") or page is not None:
            yield token
