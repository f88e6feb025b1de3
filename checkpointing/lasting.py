"""Which items of a list can never change: what was made of them once is true as long as they are in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from enum import Enum
from operator import is_
from typing import Any, cast
from uuid import UUID

from pydantic import BaseModel

_FIXED = frozenset({str, int, float, bool, type(None), bytes, datetime, date, time, timedelta, UUID})
_FEW = 8


def lasting(value: Any, known: tuple[Any, ...]) -> tuple[Any, ...]:
    """The items of a list or tuple, if all of them are surely as they are for good; none where they are not, or few.

    Args:
        known: items that this function gave before; they are not looked at again where `value` begins with them.
    """
    if value.__class__ not in (list, tuple) or len(value) < _FEW:
        return ()
    items = tuple(cast(Sequence[Any], value))
    old = len(known) if begins_with(items, known) else 0
    return items if all(map(_is_fixed, items[old:])) else ()


def begins_with(items: tuple[Any, ...], known: tuple[Any, ...]) -> bool:
    """True where the first items are these very objects."""
    return len(known) <= len(items) and all(map(is_, known, items))


def _is_fixed(item: Any) -> bool:
    kind = item.__class__
    if kind in _FIXED:
        return True
    if kind is tuple:
        return all(map(_is_fixed, item))
    if isinstance(item, Enum):
        return item.value.__class__ in _FIXED
    if isinstance(item, BaseModel):
        surely = item.model_config.get("frozen") and not item.model_extra and not item.__private_attributes__
        return bool(surely) and all(map(_is_fixed, vars(item).values()))
    return False
