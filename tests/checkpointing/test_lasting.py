"""Of a list that goes on only what is new is serialised, if what it held before can never have changed."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple

import orjson
import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel, ConfigDict, PrivateAttr
from waypost.checkpointing.lasting import lasting
from waypost.checkpointing.values import Codec

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Colour(Enum):
    RED = "red"


class Listed(Enum):
    ODD = ["red"]  # noqa: RUF012 - that it is mutable is the point


class Fixed(BaseModel):
    model_config = ConfigDict(frozen=True)
    name: str
    colour: Colour = Colour.RED
    at: datetime = NOW
    inner: Fixed | None = None
    words: tuple[str, ...] = ()


class Loose(BaseModel):
    name: str


class Holding(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")
    tags: list[str] = []


class Secretive(BaseModel):
    model_config = ConfigDict(frozen=True)
    _seen: int = PrivateAttr(default=0)


class Pair(NamedTuple):
    first: list[int]


def codec() -> Codec:
    return Codec(JsonPlusSerializer(), frozenset({(Fixed.__module__, Fixed.__name__)}))


def fixed(count: int) -> list[Any]:
    return [Fixed(name="n" * 200 + str(at), inner=Fixed(name="i"), words=("a", "b")) for at in range(count)]


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize(("old", "new"), [(8, 9), (9, 40), (15, 16), (200, 201)])
def test_what_goes_on_is_packed_as_if_it_were_new(kind: type, old: int, new: int) -> None:
    items = fixed(new)
    mine = codec()
    before = mine.pack(kind(items[:old]))
    found, expected = mine.pack(kind(items), before), codec().pack(kind(items))
    assert (found.form, found.text, found.data, found.type) == (
        expected.form,
        expected.text,
        expected.data,
        expected.type,
    )
    assert mine.unpack(found.form, orjson.loads(found.text), found.type, "here") == list(items)


def test_items_that_were_there_are_not_serialised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    inner = JsonPlusSerializer.dumps_typed

    def counted(self: JsonPlusSerializer, value: Any) -> tuple[str, bytes]:
        asked.append(len(value))
        return inner(self, value)

    monkeypatch.setattr(JsonPlusSerializer, "dumps_typed", counted)
    items, mine = fixed(60), codec()
    before = mine.pack(items[:50])
    mine.pack(items, before)
    assert asked == [50, 10]


@pytest.mark.parametrize(
    "item",
    [
        Loose(name="x"),
        Holding(tags=["x"]),
        Holding.model_validate({"tags": [], "more": 1}),
        Secretive(),
        HumanMessage("x"),
        {"a": 1},
        [1],
        Pair([1]),
        (1, [2]),
        Listed.ODD,
        object(),
    ],
    ids=lambda item: type(item).__name__,
)
def test_what_may_change_is_serialised_each_time(item: Any) -> None:
    assert lasting([*fixed(10), item], ()) == ()


def test_a_changed_item_is_noticed() -> None:
    items = [*fixed(10), Loose(name="old" * 400)]
    mine = codec()
    before = mine.pack(items)
    items[-1].name = "new" * 400
    after = mine.pack([*items, *fixed(1)], before)
    assert after.text == codec().pack([*items, *fixed(1)]).text


def test_equal_items_are_not_the_same_items() -> None:
    items = fixed(10)
    mine = codec()
    before = mine.pack(items)
    others = [Fixed(name="other" * 100), *items[1:], *fixed(1)]
    assert mine.pack(others, before).text == codec().pack(others).text
