"""What changed between two states, as a list of places with what stood there and what stands there now."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any, NamedTuple

_MAX_ITEMS, _MAX_PAIRS = 4_000, 100_000
_NOTHING = None


class Change(NamedTuple):
    """One place: `kind` is "added", "removed" or "changed"."""

    kind: str
    path: str
    old: Any
    new: Any


def changes(old: Any, new: Any, path: str = "") -> Iterator[Change]:
    """The differences of two JSON trees, as deep as they have one shape; `1`, `1.0` and `true` are three values."""
    kind = old.__class__
    if kind is dict and new.__class__ is dict:
        yield from _of_objects(old, new, path)
    elif kind is list and new.__class__ is list:
        yield from _of_lists(old, new, path)
    elif kind is not new.__class__ or old != new:
        yield Change("changed", path, old, new)


def _of_objects(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Change]:
    for key, value in old.items():
        if key in new:
            yield from changes(value, new[key], _below(path, key))
        else:
            yield Change("removed", _below(path, key), value, _NOTHING)
    for key, value in new.items():
        if key not in old:
            yield Change("added", _below(path, key), _NOTHING, value)


def _of_lists(old: list[Any], new: list[Any], path: str) -> Iterator[Change]:
    """Positions of what went are those in `old`, all others those in `new`."""
    for (i, i_end), (j, j_end) in _uneven(*([json.dumps(item) for item in items] for items in (old, new))):
        paired = min(i_end - i, j_end - j)
        for at in range(paired):
            yield from changes(old[i + at], new[j + at], f"{path}[{j + at}]")
        for at in range(i + paired, i_end):
            yield Change("removed", f"{path}[{at}]", old[at], _NOTHING)
        for at in range(j + paired, j_end):
            yield Change("added", f"{path}[{at}]", _NOTHING, new[at])


def _uneven(old: list[str], new: list[str]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The spans in which two lists differ; of very long ones all between the first and the last difference."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    left, right = old[head : len(old) - tail], new[head : len(new) - tail]
    if not _can_be_matched(left, right):
        yield (head, head + len(left)), (head, head + len(right))
        return
    for what, i, i_end, j, j_end in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if what != "equal":
            yield (head + i, head + i_end), (head + j, head + j_end)


def _can_be_matched(old: list[str], new: list[str]) -> bool:
    """Matching takes time by the square of what is there often."""
    times = Counter(new)
    return len(old) + len(new) <= _MAX_ITEMS and sum(times[item] for item in old) <= _MAX_PAIRS


def _below(path: str, key: str) -> str:
    if not key.isidentifier():
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key
