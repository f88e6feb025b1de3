"""Long lists a page at a time."""

from __future__ import annotations

PAGE = 50


def number(text: str | None) -> int:
    """The number of a page as an address has it, the first where it is none."""
    return max(1, int(text)) if text and text.isascii() and text.isdigit() and len(text) < 8 else 1


def page_of(count: int, wanted: int) -> tuple[slice, int, int]:
    """Which of so many rows stand on a page, its number and how many pages there are; behind the last is the last."""
    pages = max(1, -(-count // PAGE))
    at = min(wanted, pages)
    return slice((at - 1) * PAGE, at * PAGE), at, pages
