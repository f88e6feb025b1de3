"""Reports with and without the links behind what they say."""

from __future__ import annotations

import re
from urllib.parse import unquote

_LINK = re.compile(r"\[((?:\\.|`[^`]*`|[^\]\\`])*)\]\(([^()\s]+)\)")


def unlinked(markdown: str) -> str:
    """The text as a reader sees it: without where its links lead."""
    return _LINK.sub(r"\1", markdown)


def links(markdown: str) -> list[tuple[str, str]]:
    """Text and target of each link, in order."""
    return [(found[1], unquote(found[2])) for found in _LINK.finditer(markdown)]
