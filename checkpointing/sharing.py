"""Reading many checkpoints of one ledger, whose long lists have most of their items in common.

An item that was built once is copied for the next checkpoint instead of being decoded again; only objects of which a
copy is surely as good as a new one are treated like that.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, cast

import orjson
from langchain_core.messages import BaseMessage

from .edits import apply_edit
from .lines import Address, Data
from .texts import Texts, form_of

_MOST_SLOTS = 1 << 20
_MOST_ITEMS = 1 << 16
_IMMUTABLE = frozenset({str, int, float, bool, type(None)})


class Tree:
    """A stored value, parsed. It shares parts with others: nobody may change it.

    Attributes:
        form, type: as in `Packed`.
    """

    __slots__ = ("form", "tree", "type")

    def __init__(self, form: str, tree: Any, kind: str | None) -> None:
        self.form = form
        self.tree = tree
        self.type = kind


class Trees:
    """The values of one ledger by address, as trees that share what they have in common; the last ones are kept."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._kept: OrderedDict[Address, Tree] = OrderedDict()
        self._slots = 0

    def at(self, at: Address) -> Tree:
        """The value stored at an address.

        Raises:
            LedgerCorrupt: there is none.
        """
        edits: list[tuple[Address, Data]] = []
        cursor = at
        while (found := self._kept.get(cursor)) is None:
            value = self._texts.stored(cursor)
            if "grown" not in value:
                form = form_of(value)
                found = Tree(form, value[form], value.get("type"))
                break
            edits.append((cursor, value["grown"]["edit"]))
            cursor = self._texts.earlier(cursor, value["grown"]["from"])
        self._keep(cursor, found)
        for cursor, edit in reversed(edits):
            found = Tree(found.form, apply_edit(found.tree, edit), found.type)
            self._keep(cursor, found)
        return found

    def _keep(self, at: Address, found: Tree) -> None:
        if found.tree.__class__ is not list:
            return
        if at in self._kept:
            self._kept.move_to_end(at)
            return
        self._kept[at] = found
        self._slots += len(found.tree)
        while self._slots > _MOST_SLOTS and len(self._kept) > 1:
            self._slots -= len(self._kept.popitem(last=False)[1].tree)


def own(tree: Any) -> Any:
    """A tree that shares nothing that can be changed with another."""
    return tree if tree.__class__ in _IMMUTABLE else orjson.loads(orjson.dumps(tree))


def is_list_of_objects(tree: Any) -> bool:
    """Whether an image is a list of nothing but extensions."""
    if tree.__class__ is not list:
        return False
    return all(part.__class__ is dict and "$ext" in part for part in tree)


class Items:
    """Messages that were built from parts of trees, by those parts."""

    def __init__(self) -> None:
        self._built: dict[int, tuple[Any, Mold]] = {}

    def copy_of(self, part: Any) -> BaseMessage | None:
        """A copy of what was built from this very part before; None if nothing was."""
        known = self._built.get(id(part))
        return None if known is None else known[1].cast()

    def keep(self, part: Any, built: Any) -> None:
        """Remember what was built from a part, if it can be copied."""
        if len(self._built) < _MOST_ITEMS and (mold := Mold.of(built)) is not None:
            # The part is kept too, or its number could come to mean another one.
            self._built[id(part)] = (part, mold)


class Mold:
    """One of LangChain's own messages with nothing but plain data in it, of which copies can be made."""

    __slots__ = ("_dicts", "_extra", "_fields", "_fields_set", "_full", "_kind", "_lists")

    def __init__(self, message: BaseMessage) -> None:
        self._kind = type(message)
        self._fields: Data = _copied(message.__dict__)
        self._dicts = [name for name, value in self._fields.items() if value.__class__ is dict and not value]
        self._lists = [name for name, value in self._fields.items() if value.__class__ is list and not value]
        self._full = [name for name, value in self._fields.items() if value.__class__ not in _IMMUTABLE and value]
        self._extra: Data | None = _copied(message.__pydantic_extra__)
        self._fields_set = set(message.__pydantic_fields_set__)

    @classmethod
    def of(cls, built: Any) -> Mold | None:
        """The mold of a message; None for anything else, and for a message that would not come out the same."""
        if not isinstance(built, BaseMessage) or not type(built).__module__.startswith("langchain_core.messages."):
            return None
        if built.__pydantic_private__ or not (_is_data(built.__dict__) and _is_data(built.__pydantic_extra__)):
            return None
        mold = cls(built)
        return mold if mold.cast() == built else None

    def cast(self) -> BaseMessage:
        """A message that shares nothing with any other that can be changed: pydantic's `__copy__`, and its data too."""
        made = self._kind.__new__(self._kind)
        fields = self._fields.copy()
        for name in self._dicts:
            fields[name] = {}
        for name in self._lists:
            fields[name] = []
        for name in self._full:
            fields[name] = _copied(fields[name])
        _set(made, "__dict__", fields)
        _set(made, "__pydantic_extra__", None if self._extra is None else _copied(self._extra))
        _set(made, "__pydantic_fields_set__", self._fields_set.copy())
        _set(made, "__pydantic_private__", None)
        return made


_set = object.__setattr__


def _is_data(value: Any) -> bool:
    if value.__class__ is dict:
        parts = cast(Data, value)
        return all(key.__class__ is str and _is_data(part) for key, part in parts.items())
    if value.__class__ is list:
        return all(map(_is_data, cast(list[Any], value)))
    return value.__class__ in _IMMUTABLE


def _copied(value: Any) -> Any:
    if value.__class__ is dict:
        return {key: _copied(part) for key, part in value.items()} if value else {}
    if value.__class__ is list:
        return [_copied(part) for part in value] if value else []
    return value
