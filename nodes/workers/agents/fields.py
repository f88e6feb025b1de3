"""Reading single fields of an agent's event: by dotted path, by exact type, never by guessing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

Scalar = str | bool | int | float
Match = Mapping[str, tuple[Scalar, ...]]

_TEXT_MAX = 500
_AMOUNT_MAX = 1 << 53


def at(event: object, path: str) -> object:
    """The value at a dotted path (`usage.input_tokens`, `errors.0`); None where there is none."""
    value = event
    for part in path.split("."):
        if isinstance(value, dict):
            value = cast("dict[str, object]", value).get(part)
        elif isinstance(value, list) and part.isdigit():
            items = cast("list[object]", value)
            value = items[int(part)] if int(part) < len(items) else None
        else:
            return None
    return value


def matches(event: object, match: Match) -> bool:
    """True where every path holds one of its values, of the same type: 0 is not false, and absent is nothing."""
    return all(_is_one_of(at(event, path), values) for path, values in match.items())


def texts(event: object, paths: Iterable[str]) -> Iterator[str]:
    """The non-empty texts at these paths, each as one printable line."""
    for path in paths:
        value = at(event, path)
        if isinstance(value, str) and (line := one_line(value)):
            yield line


def items(event: object, path: str) -> list[object]:
    """The list at a path; empty where there is none. An empty path is the event itself."""
    value = at(event, path) if path else [event]
    return cast("list[object]", value) if isinstance(value, list) else []


def total(event: object, paths: Iterable[str]) -> float | None:
    """The sum of the numbers at these paths; None where there is none, or one is no amount."""
    found = [value for path in paths if (value := at(event, path)) is not None]
    amounts = [value for value in found if _is_amount(value)]
    return sum(cast("list[float]", amounts)) if found and len(amounts) == len(found) else None


def one_line(text: str) -> str:
    """Text as one line without control characters, cut where it is long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _TEXT_MAX else line[:_TEXT_MAX] + " ..."


def _is_one_of(value: object, wanted: tuple[Scalar, ...]) -> bool:
    return any(type(value) is type(one) and value == one for one in wanted)


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _AMOUNT_MAX
