"""What changed between two JSON trees, as a small edit, and the edit applied.

The edits are docs/ledger-format.md, section 3. `edit_between` may be wrong where Python's equality is coarser than
JSON's (`1 == True`): whoever stores an edit applies it first and compares the text.
"""

from __future__ import annotations

from typing import Any

import orjson

from .lines import Data

_MAX_CHANGES = 16
_MUCH_SHORTER = 8


def edit_between(old: Any, new: Any) -> Data:
    """An edit that makes `old` into `new`; `{"is": new}` where nothing shorter is seen."""
    kind = new.__class__
    if kind is old.__class__:
        if kind is list:
            return _list_edit(old, new)
        if kind is dict:
            return _object_edit(old, new)
        if kind is str and new.startswith(old):
            return {"keep": len(old), "add": new[len(old) :]}
    return {"is": new}


def apply_edit(old: Any, edit: Data) -> Any:
    """The changed tree. `old` is not altered; parts of it may be shared with the result."""
    if "is" in edit:
        return edit["is"]
    if isinstance(old, str):
        return old[: edit["keep"]] + edit["add"]
    if isinstance(old, list):
        return _apply_to_list(old, edit)  # pyright: ignore[reportUnknownArgumentType]
    return _apply_to_object(old, edit)


def smaller_edit(old_text: bytes, new_text: bytes) -> Data | None:
    """An edit between two JSON texts that is proven to give the new one and saves at least half of it.

    A short text after a long one stands by itself: to read the long one costs more than can be saved.
    """
    if len(new_text) * _MUCH_SHORTER < len(old_text):
        return None
    old, new = orjson.loads(old_text), orjson.loads(new_text)
    edit = edit_between(old, new)
    if "is" in edit or not _if_worth_it(edit, new_text):
        return None
    return edit if orjson.dumps(apply_edit(old, edit)) == new_text else None


def appended(old_text: bytes, new_text: bytes) -> list[Any] | Data | None:
    """The items by which the text of one list or object goes on after the text of another, if that saves at least half.

    An object whose first key begins with `$` may be the tag of something else, and is none of them.
    """
    if len(old_text) <= 2 or (len(new_text) - len(old_text)) * 2 > len(new_text):
        return None
    if old_text.startswith(b'{"$') or not new_text.startswith(old_text[:-1] + b","):
        return None
    opening = {b"]": b"[", b"}": b"{"}.get(old_text[-1:])
    return orjson.loads(opening + new_text[len(old_text) :]) if opening else None


def _if_worth_it(edit: Data, new_text: bytes) -> Data | None:
    return edit if len(orjson.dumps(edit)) * 2 <= len(new_text) else None


def _list_edit(old: list[Any], new: list[Any]) -> Data:
    if new[: len(old)] == old:
        return {"keep": len(old), "add": new[len(old) :]}
    skip = _window(old, new)
    if skip:
        kept = len(old) - skip
        return {"skip": skip, "keep": kept, "add": new[kept:]}
    kept = min(len(old), len(new))
    changed = [at for at in range(kept) if old[at] != new[at]]
    if not changed or len(changed) > min(_MAX_CHANGES, max(1, kept - 1)):
        return {"is": new} if changed else {"keep": kept, "add": new[kept:]}
    return {"keep": kept, "change": {str(at): edit_between(old[at], new[at]) for at in changed}, "add": new[kept:]}


def _window(old: list[Any], new: list[Any]) -> int:
    """How many items a sliding window left behind; 0 if `new` does not begin with a tail of `old`."""
    if not new or new[0] not in old:
        return 0
    skip = old.index(new[0])
    kept = len(old) - skip
    return skip if new[:kept] == old[skip:] else 0


def _object_edit(old: Data, new: Data) -> Data:
    edit: Data = {}
    if dropped := [key for key in old if key not in new]:
        edit["drop"] = dropped
    change: Data = {}
    added: Data = {}
    for key, value in new.items():
        if key not in old:
            added[key] = value
        elif old[key] != value:
            inner = edit_between(old[key], value)
            if "is" in inner:
                added[key] = value
            else:
                change[key] = inner
    return edit | ({"change": change} if change else {}) | ({"set": added} if added else {})


def _apply_to_list(old: list[Any], edit: Data) -> list[Any]:
    skip = edit.get("skip", 0)
    kept = old[skip : skip + edit.get("keep", len(old))]
    for at, inner in edit.get("change", {}).items():
        kept[int(at)] = apply_edit(kept[int(at)], inner)
    return kept + edit.get("add", [])


def _apply_to_object(old: Data, edit: Data) -> Data:
    dropped = set(edit.get("drop", ()))
    made = {key: value for key, value in old.items() if key not in dropped}
    for key, inner in edit.get("change", {}).items():
        made[key] = apply_edit(made[key], inner)
    return made | edit.get("set", {})
