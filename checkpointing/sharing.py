"""Reading many checkpoints of one ledger, whose long lists have most of their items in common.

An item that was built once is copied for the next checkpoint instead of being decoded again; only objects of which a
copy is surely as good as a new one are treated like that.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
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


def is_object(part: Any) -> bool:
    """Whether a part of an image is an extension."""
    return part.__class__ is dict and "$ext" in part


class Items:
    """Lists of objects, each object built once and copied afterwards.

    CPython's collector is woken by the allocations that outnumber the releases, and then walks over all that the
    process has. So the items of the tuple before the last are kept here and let go one by one while new ones are made:
    where the caller has dropped that tuple, the two keep level, and the collector sleeps. An item that was given away
    is never looked at or used again.
    """

    def __init__(self) -> None:
        self._molds: dict[int, Mold | None] = {}
        self._parts: list[Any] = []
        self._made: list[Any] = []
        self._last: list[Any] = []
        self._gone: list[Any] = []

    def begin_tuple(self) -> None:
        """What is built from now on belongs to another tuple than what was built before."""
        self._gone, self._last, self._made = self._last, self._made, []

    def list_of(self, parts: list[Any], build: Callable[[Any], Any]) -> list[Any] | None:
        """A list of its own of the objects that some parts of trees stand for; None if a part is no object.

        Args:
            build: makes an object from its part.
        """
        molds = [*map(self._molds.get, map(id, parts))]
        if None in molds and not all(is_object(part) for part, mold in zip(parts, molds, strict=True) if mold is None):
            return None
        made: list[Any] = []
        gone = self._gone
        for part, mold in zip(parts, molds, strict=True):
            made.append(self._first(part, build) if mold is None else mold.cast())
            if gone:
                gone.pop()
        self._made += made
        return made

    def _first(self, part: Any, build: Callable[[Any], Any]) -> Any:
        """Build an object, and remember it if it can be copied, or that it cannot."""
        built = build(part)
        if id(part) not in self._molds and len(self._parts) < _MOST_ITEMS:
            self._molds[id(part)] = Mold.of(built)
            # The part is kept too, or its number could come to mean another one.
            self._parts.append(part)
        return built


class Mold:
    """One of LangChain's own messages with nothing but plain data in it, of which copies can be made."""

    __slots__ = ("_extra", "_fields", "_fields_set", "_kind", "_new", "_parts")

    def __init__(self, message: BaseMessage) -> None:
        self._kind = type(message)
        self._new: Callable[[type[BaseMessage]], Any] = self._kind.__new__
        self._fields: Data = message.__dict__.copy()
        self._parts = _makers(self._fields.items())
        self._fields.update((name, None) for name, _ in self._parts)
        extra: Data | None = message.__pydantic_extra__
        self._extra: Callable[[], Data | None] = _nothing if extra is None else _maker(extra)
        self._fields_set = message.__pydantic_fields_set__.copy()

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
        made = self._new(self._kind)
        fields = self._fields.copy()
        for name, fresh in self._parts:
            fields[name] = fresh()
        _set(made, "__dict__", fields)
        _set(made, "__pydantic_extra__", self._extra())
        _set(made, "__pydantic_fields_set__", self._fields_set.copy())
        _set(made, "__pydantic_private__", None)
        return made


_set = object.__setattr__


def _nothing() -> None:
    return None


def _is_data(value: Any) -> bool:
    if value.__class__ is dict:
        parts = cast(Data, value)
        return all(key.__class__ is str and _is_data(part) for key, part in parts.items())
    if value.__class__ is list:
        return all(map(_is_data, cast(list[Any], value)))
    return value.__class__ in _IMMUTABLE


def _maker(value: Any) -> Callable[[], Any]:
    """Makes copies of a list or dict; what is found out about its parts is found out once."""
    model = value.copy()
    parts = _makers(value.items() if value.__class__ is dict else enumerate(cast(list[Any], value)))
    if not parts:
        return model.copy
    for at, _ in parts:
        model[at] = None

    def make() -> Any:
        made = model.copy()
        for at, fresh in parts:
            made[at] = fresh()
        return made

    return make


def _makers(items: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Callable[[], Any]]]:
    return [(at, _maker(part)) for at, part in items if part.__class__ not in _IMMUTABLE]
