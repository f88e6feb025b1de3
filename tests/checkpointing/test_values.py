"""Values: readable on disk, and given back exactly as LangGraph's own serializer would."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections import deque
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.ledgers import Talk, lines_of, values_of
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Interrupt, Send
from pydantic import BaseModel, SecretStr
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.image import bytes_of, image_after, image_of, plain
from waypost.checkpointing.values import Codec

SERDE = JsonPlusSerializer()


class Color(enum.Enum):
    RED = "red"


class Model(BaseModel):
    name: str
    when: datetime
    inner: list[dict[str, int]] = []


@dataclasses.dataclass
class Plain:
    a: int
    b: tuple[int, ...] = ()


class Pair(NamedTuple):
    left: int
    right: str


READABLE = [None, True, 0, -1, 2**63 - 1, 2**64 - 1, -(2**63), 0.1, -0.0, 1e300, "", 'ünïcode \n \u2028 "$ext"', "\0"]
READABLE += [[], {}, [1, "a", None, [2.5]], {"a": {"b": [1, {"c": None}]}}, {"$ext": 5, "of": ["os", "system", "x"]}]
TAGGED = [
    [b"\0\xff"],
    {1: "int key", None: 2},
    {"$x": {2: 3}},
    [math.inf, -math.inf],
    datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    date(2026, 1, 2),
    time(1, 2, 3),
    timedelta(days=1, microseconds=5),
    UUID(int=7),
    Decimal("1.10"),
    {1, 2},
    frozenset({"a"}),
    deque([1, 2]),
    ip_address("::1"),
    Path("/a/b"),
    ZoneInfo("UTC"),
    Color.RED,
    Model(name="n", when=datetime(2026, 1, 1, tzinfo=UTC), inner=[{"x": 1}]),
    Plain(1, (2, 3)),
    Pair(1, "r"),
    SecretStr("s"),
    [AIMessage("hello", id="1"), HumanMessage("again", id="2")],
    Send("node", {"x": Color.RED}),
    Interrupt(value={"q": 1}, id="i"),
]
OPAQUE = [b"", b"\0\1\2", bytearray(b"xy")]


def as_the_serializer(value: Any) -> Any:
    return SERDE.loads_typed(SERDE.dumps_typed(value))


@pytest.mark.parametrize("value", READABLE, ids=repr)
def test_plain_data_stands_in_the_ledger_as_plain_json(saver: LedgerSaver, root: Path, value: Any) -> None:
    Talk(saver).put(a=value)
    stored = lines_of(root)[-1]["values"]["a"]
    assert stored == {"version": stored["version"], "json": value}
    found = values_of(saver)[0]["a"]
    assert (found, repr(found)) == (value, repr(value))


@pytest.mark.parametrize("value", TAGGED, ids=repr)
def test_the_rest_stands_there_as_readable_json_with_tags(saver: LedgerSaver, root: Path, value: Any) -> None:
    Talk(saver).put(a=value)
    assert "msgpack" in lines_of(root)[-1]["values"]["a"]
    found, expected = values_of(saver)[0]["a"], as_the_serializer(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("value", OPAQUE, ids=repr)
def test_bytes_stand_there_in_base64(saver: LedgerSaver, root: Path, value: Any) -> None:
    Talk(saver).put(a=value)
    assert "base64" in lines_of(root)[-1]["values"]["a"]
    found = values_of(saver)[0]["a"]
    assert (found, type(found)) == (value, type(value))


def test_a_number_that_is_none_survives(saver: LedgerSaver) -> None:
    Talk(saver).put(a=math.nan, b=[math.nan, {"x": math.nan}])
    found = values_of(saver)[0]
    assert math.isnan(found["a"])
    assert math.isnan(found["b"][1]["x"])


def test_what_the_serializer_changes_is_changed_the_same_way(saver: LedgerSaver) -> None:
    Talk(saver).put(tuples=((1, 2), {"t": (3,)}), surrogate="a\ud800b")
    assert values_of(saver)[0] == {"tuples": [[1, 2], {"t": [3]}], "surrogate": "a?b"}


def test_a_value_that_cannot_be_serialised_saves_nothing(saver: LedgerSaver, root: Path) -> None:
    talk = Talk(saver)
    talk.put(a=1)
    before = lines_of(root)
    with pytest.raises(TypeError):
        talk.branch().put(a=1, b=object())
    assert lines_of(root) == before


def test_pickle_is_never_written_nor_read(root: Path) -> None:
    with LedgerSaver(root, serde=JsonPlusSerializer(pickle_fallback=True)) as saver:
        with pytest.raises(Exception, match="pickle"):
            Talk(saver).put(a=object())
        with pytest.raises(Exception, match="'pickle'"):
            Codec(saver.serde, frozenset()).unpack("base64", "gASVAAAAAA==", "pickle", "here")


def test_a_serializer_of_the_users_own_is_kept_opaque_and_lossless(root: Path) -> None:
    class Backwards:
        def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
            return "backwards", orjson.dumps(obj)[::-1]

        def loads_typed(self, data: tuple[str, bytes]) -> Any:
            assert data[0] == "backwards"
            return orjson.loads(data[1][::-1])

    with LedgerSaver(root, serde=Backwards(), mirror=False) as saver:
        talk = Talk(saver)
        talk.put(a=[1, {"b": 2}])
        talk.write(("a", "w"))
        assert values_of(saver) == [{"a": [1, {"b": 2}]}]
        assert talk.newest().pending_writes == [("task", "a", "w")]
    assert lines_of(root)[1]["values"]["a"]["type"] == "backwards"


scalars = (
    st.just(math.nan)
    | st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
)
keys = st.text(st.characters(codec="utf-8")) | st.integers(-5, 5) | st.sampled_from(["$ext", "$map", "of", "json"])
trees = st.recursive(
    scalars | st.datetimes() | st.uuids() | st.sampled_from([Color.RED, Plain(1), Pair(1, "x")]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(trees)
def test_every_image_gives_back_the_very_same_bytes(value: Any) -> None:
    data = SERDE.dumps_typed(value)
    if data[0] != "msgpack":
        return
    found = image_of(data[1])
    assert found is not None
    form, text = found
    tree = orjson.loads(text)
    again = ormsgpack.packb(tree) if form == "json" else bytes_of(tree)
    assert again == data[1]
    if form == "msgpack":
        orjson.dumps(plain(tree))


@given(st.binary(max_size=40))
def test_an_image_of_any_bytes_is_exact_or_refused(data: bytes) -> None:
    found = image_of(data)
    if found is not None and found[0] == "msgpack":
        assert bytes_of(orjson.loads(found[1])) == data


@given(trees)
def test_a_value_comes_back_from_the_codec_as_from_the_serializer(value: Any) -> None:
    codec = Codec(SERDE, frozenset())
    packed = codec.pack(value)
    found = codec.unpack(packed.form, orjson.loads(packed.text), packed.type, "here")
    assert repr(found) == repr(as_the_serializer(value))


@given(st.lists(trees, max_size=20), st.lists(trees, min_size=1, max_size=20), st.booleans())
def test_the_image_of_a_list_that_goes_on_is_made_from_what_is_new(old: list[Any], new: list[Any], kept: bool) -> None:
    before, after = SERDE.dumps_typed(old)[1], SERDE.dumps_typed([*(old if kept else old[1:]), *new])[1]
    known, expected = image_of(before), image_of(after)
    if known is None or expected is None:
        return
    found = image_after(after, before, *known)
    if found is not None:
        assert (known[0], found) == expected or bytes_of(orjson.loads(found)) == after


@given(
    st.dictionaries(st.text(max_size=4), trees, max_size=20),
    st.dictionaries(st.text(max_size=4), trees, min_size=1, max_size=20),
)
def test_the_image_of_a_dict_that_goes_on_is_made_from_what_is_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    before, after = SERDE.dumps_typed(old)[1], SERDE.dumps_typed(old | new)[1]
    known, expected = image_of(before), image_of(after)
    if known is None or expected is None:
        return
    found = image_after(after, before, *known)
    if found is not None:
        assert (known[0], found) == expected or bytes_of(orjson.loads(found)) == after


@pytest.mark.parametrize("count", [1, 14, 15, 16, 300, 70_000])
@pytest.mark.parametrize("kind", [list, dict])
def test_long_lists_and_dicts_go_on_too(count: int, kind: type) -> None:
    old = kind((str(at), at) for at in range(count))
    new = kind([*(old.items() if isinstance(old, dict) else old), *((f"n{at}", at) for at in range(count))])
    before, after = (SERDE.dumps_typed(value)[1] for value in (old, new))
    known, expected = image_of(before), image_of(after)
    assert known is not None
    assert expected is not None
    assert image_after(after, before, *known) == expected[1]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()) | st.floats(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts) | st.dictionaries(st.integers(), parts),
    max_leaves=20,
)


@given(PLAIN)
def test_the_short_way_of_plain_values_leads_to_the_same_text(value: Any) -> None:
    class Subclass(JsonPlusSerializer):
        """For this one there is no short way."""

    def packed(serde: JsonPlusSerializer) -> Any:
        try:
            found = Codec(serde, frozenset()).pack(value)
        except Exception as error:
            return type(error)
        return found.form, found.text, found.type

    assert packed(SERDE) == packed(Subclass())
