"""What list() gives shares nothing that can be changed, however much it was built from the same parts."""

from __future__ import annotations

import asyncio
import gc
import itertools
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kit.ledgers import Talk, config
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.base import CheckpointTuple
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.sharing import Mold


class Loud(HumanMessage):
    """A message of somebody's own."""


def messages() -> list[AnyMessage]:
    call = {"name": "look", "args": {"at": ["x", {"y": 1}]}, "id": "c", "type": "tool_call"}
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    return [
        HumanMessage("a" * 300, id="1"),
        AIMessage([{"type": "text", "text": "b" * 300}], id="2", tool_calls=[call], usage_metadata=usage),  # pyright: ignore
        ToolMessage("c" * 300, tool_call_id="c", artifact={"deep": [1, 2]}, id="3"),
        HumanMessage("d" * 300, id="4", additional_kwargs={"k": {"l": []}}, own="extra", empty={}),  # pyright: ignore
        AIMessage(
            ["g", {"type": "text", "text": "h" * 300, "annotations": [{"at": [1, 2]}]}],
            id="6",
            response_metadata={"usage": {"tokens": [1]}, "logprobs": None, "model": "m"},
            invalid_tool_calls=[{"name": "n", "args": "{", "id": "i", "error": "e", "type": "invalid_tool_call"}],
            usage_metadata={**usage, "input_token_details": {"cache_read": 1}},  # pyright: ignore
            more=[[], {"deep": [{}]}],  # pyright: ignore
        ),
        Loud("e" * 300, id="5"),
    ]


def talk_of_many(saver: LedgerSaver) -> list[CheckpointTuple]:
    talk = Talk(saver)
    for at in range(40):
        talk.put(messages=[*messages(), *[AIMessage("f" * 100, id=f"more{n}") for n in range(at)]], x={"n": [at]})
    return [*saver.list(config("t"))]


def test_list_gives_what_get_tuple_gives(saver: LedgerSaver) -> None:
    found = talk_of_many(saver)
    assert found == [saver.get_tuple(each.config) for each in found]
    for each in found[:3]:
        for listed, sent in zip(each.checkpoint["channel_values"]["messages"], messages(), strict=False):
            assert type(listed) is type(sent)
            assert (listed.__dict__, listed.__pydantic_extra__) == (sent.__dict__, sent.__pydantic_extra__)
            assert listed.model_dump() == sent.model_dump()


def with_private(message: HumanMessage) -> HumanMessage:
    """What pydantic makes of a message whose class has private attributes."""
    object.__setattr__(message, "__pydantic_private__", {"_seen": []})
    return message


def mutable_parts(tree: Any) -> Iterator[Any]:
    """All that can be changed in place in a message, at every depth, with the set of its given fields."""
    inner: list[Any] = []
    if isinstance(tree, dict):
        inner = [*tree.values()]
    elif isinstance(tree, list):
        inner = tree
    elif hasattr(tree, "__dict__"):
        inner = [tree.__dict__, tree.__pydantic_extra__, tree.__pydantic_fields_set__]
    elif not isinstance(tree, set):
        return
    yield tree
    for part in inner:
        yield from mutable_parts(part)


def change_everything(tree: Any) -> None:
    """Change whatever can be changed in place, at every depth."""
    parts: list[Any] = []
    if isinstance(tree, dict):
        parts = [*tree.values()]
        tree["changed"] = True
    elif isinstance(tree, list):
        parts = [*tree]
        tree.append("changed")
    elif hasattr(tree, "__dict__"):
        parts = [*tree.__dict__.values(), tree.__pydantic_extra__]
        tree.__pydantic_fields_set__.add("changed")
        tree.content = "changed"
    for part in parts:
        change_everything(part)


def test_changing_one_checkpoint_changes_no_other(saver: LedgerSaver) -> None:
    before = talk_of_many(saver)
    changed = []
    for each in saver.list(config("t")):
        assert each == before[len(changed)]
        changed.append(each)
        change_everything(each.checkpoint["channel_values"])
        change_everything(each.metadata)
    assert [*saver.list(config("t"))] == before


@pytest.mark.parametrize(
    "make",
    [
        lambda: Loud("a"),
        lambda: "text",
        lambda: HumanMessage("a", additional_kwargs={"k": object()}),
        lambda: HumanMessage("a", additional_kwargs={"k": (1, 2)}),
        lambda: HumanMessage("a", additional_kwargs={1: 2}),  # pyright: ignore
        lambda: HumanMessage("a", extra=[{"k": {1}}]),  # pyright: ignore
        lambda: with_private(HumanMessage("a")),
    ],
    ids=["own class", "no message", "object", "tuple", "odd key", "deep set", "private attribute"],
)
def test_only_plain_messages_of_langchain_are_copied(make: Callable[[], Any]) -> None:
    assert Mold.of(make()) is None


@pytest.mark.parametrize("message", messages()[:5], ids=lambda message: message.id)
def test_a_copy_equals_its_message_and_shares_nothing_with_it(message: AnyMessage) -> None:
    mold = Mold.of(message)
    assert mold
    first = mold.cast()
    change_everything(first)
    assert mold.cast() == message
    assert mold.cast().__pydantic_fields_set__ == message.__pydantic_fields_set__
    parts = [*mutable_parts(message), *mutable_parts(mold.cast()), *mutable_parts(other := mold.cast())]
    assert len({id(part) for part in parts}) == len(parts) == 3 * len([*mutable_parts(other)])
    assert other.__pydantic_private__ is None
    assert [*other.__dict__] == [*message.__dict__]


def test_what_is_kept_of_a_checkpoint_that_was_let_go_changes_no_other_and_is_changed_by_none(
    saver: LedgerSaver,
) -> None:
    before = talk_of_many(saver)
    kept: list[Any] = []
    for at, each in enumerate(saver.list(config("t"))):
        assert each == before[at]
        first, second, *_ = each.checkpoint["channel_values"]["messages"]
        first.content = f"changed {at}"
        second.tool_calls[0]["args"]["at"].append(at)
        kept.append((first, second.tool_calls))
    assert [first.content for first, _ in kept] == [f"changed {at}" for at in range(len(before))]
    assert [calls[0]["args"]["at"] for _, calls in kept] == [["x", {"y": 1}, at] for at in range(len(before))]


def let_go(found: CheckpointTuple) -> list[weakref.ref[Any]]:
    return [weakref.ref(message) for message in found.checkpoint["channel_values"]["messages"]]


def test_no_more_than_the_last_three_checkpoints_are_kept_while_listing(saver: LedgerSaver) -> None:
    talk_of_many(saver)
    listed = saver.list(config("t"))
    watched: list[list[weakref.ref[Any]]] = []
    for _ in range(12):
        watched.append(let_go(next(listed)))
        gc.collect()
        assert all(ref() is None for refs in watched[:-3] for ref in refs)
    del listed
    gc.collect()
    assert all(ref() is None for refs in watched for ref in refs)


def test_a_listing_of_which_nothing_is_kept_hardly_wakes_the_collector(saver: LedgerSaver) -> None:
    talk = Talk(saver)
    for at in range(30):
        talk.put(messages=[AIMessage(f"{n}", id=f"{n}") for n in range(300 + at)])
    woken = 0

    def count(phase: str, about: Any) -> None:
        nonlocal woken
        woken += phase == "stop" and about["generation"] == 0

    listed = saver.list(config("t"))
    for _ in range(4):
        next(listed)
    thresholds = gc.get_threshold()
    gc.set_threshold(500)
    gc.callbacks.append(count)
    try:
        for _ in listed:
            pass
    finally:
        gc.callbacks.remove(count)
        gc.set_threshold(*thresholds)
    least = 26 * 300 * 5 / 500
    assert woken < least / 5, "five objects make a message, and each of them would have counted"


@pytest.mark.parametrize(
    "odd", ["text", {"a": 1}, ["list"], HumanMessage("a" * 50, id="o"), Loud("b", id="o")], ids=str
)
def test_a_list_of_messages_and_something_else_comes_back_as_it_was(saver: LedgerSaver, odd: Any) -> None:
    talk = Talk(saver)
    for at in range(6):
        talk.put(mixed=[*messages()[:at], odd] if at % 2 else messages()[:at])
    found = [*saver.list(config("t"))]
    assert found == [saver.get_tuple(each.config) for each in found]


def test_the_coroutine_lists_the_same_in_the_same_order(saver: LedgerSaver) -> None:
    before = talk_of_many(saver)

    async def listed(limit: int | None) -> list[CheckpointTuple]:
        return [found async for found in saver.alist(config("t"), limit=limit)]

    assert asyncio.run(listed(None)) == before
    assert asyncio.run(listed(11)) == [*itertools.islice(before, 11)]
