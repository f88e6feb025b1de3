"""What list() gives shares nothing that can be changed, however much it was built from the same parts."""

from __future__ import annotations

from collections.abc import Callable
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
    ],
    ids=["own class", "no message", "object", "tuple", "odd key"],
)
def test_only_plain_messages_of_langchain_are_copied(make: Callable[[], Any]) -> None:
    assert Mold.of(make()) is None


@pytest.mark.parametrize("message", messages()[:4], ids=lambda message: message.id)
def test_a_copy_equals_its_message_and_shares_nothing_with_it(message: AnyMessage) -> None:
    mold = Mold.of(message)
    assert mold
    first = mold.cast()
    change_everything(first)
    assert mold.cast() == message
    assert mold.cast().__pydantic_fields_set__ == message.__pydantic_fields_set__
