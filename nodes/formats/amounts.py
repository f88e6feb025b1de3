"""Lengths of time, counts and sums of money, as a person writes them."""

from __future__ import annotations

import re

_UNITS = {
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?) ?([a-z]{0,8})")
_COUNT = re.compile(r"\d{1,9}")
_MONEY = re.compile(r"(?:\$ ?(\d{1,9}(?:\.\d{1,6})?)|(\d{1,9}(?:\.\d{1,6})?) ?(?:usd|\$)?)")


def seconds(text: str) -> float | None:
    """`90`, `60 s`, `2 min` or `1 h` in seconds; None for anything else, and for nothing."""
    match = _DURATION.fullmatch(text.casefold())
    factor = _UNITS.get(match[2]) if match else None
    return float(match[1]) * factor or None if match and factor else None


def count(text: str) -> int | None:
    """A whole number above 0; None for anything else."""
    return int(text) or None if _COUNT.fullmatch(text) else None


def dollars(text: str) -> float | None:
    """`2.50`, `2.50 USD` or `$2.50`, above 0; None for anything else."""
    match = _MONEY.fullmatch(text.casefold())
    return float(match[1] or match[2]) or None if match else None
