"""Threads as real graphs leave them, on any saver: forked, interrupted, failed, with subgraphs and models."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import HumanMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import START, StateGraph
from langgraph.types import Command
from pydantic import BaseModel

from .ledgers import Talk, config
from .talking import chat, planner

THREAD = config("t", None)


class Item(BaseModel):
    name: str


def joined(old: list[str], new: list[list[str]]) -> list[str]:
    return [*old, *(item for part in new for item in part)]


class Deltas(TypedDict):
    items: Annotated[list[str], DeltaChannel(joined, list, snapshot_frequency=3)]


class Parent(TypedDict):
    log: list[str]


def conversation(saver: Any) -> None:
    graph = chat(saver)
    for turn in range(6):
        graph.invoke({"messages": [HumanMessage(f"turn {turn}", id=f"h{turn}")], "turns": 0}, THREAD)


def forks(saver: Any) -> None:
    conversation(saver)
    graph = chat(saver)
    past = next(state for state in graph.get_state_history(THREAD) if state.values.get("turns") == 2)
    graph.invoke(None, graph.update_state(past.config, {"messages": [HumanMessage("x", id="x")]}, as_node="__start__"))


def interrupted(saver: Any) -> None:
    planner(saver, []).invoke({"log": []}, THREAD)


def answered(saver: Any) -> None:
    interrupted(saver)
    planner(saver, []).invoke(Command(resume="yes"), THREAD)


def failed(saver: Any) -> None:
    def fail(state: Any) -> Any:
        raise ValueError("on purpose")

    graph = StateGraph(Parent).add_node("fail", fail).add_edge(START, "fail").compile(checkpointer=saver)
    with pytest.raises(ValueError, match="on purpose"):
        graph.invoke({"log": []}, THREAD)


def subgraphs(saver: Any) -> None:
    inner = StateGraph(Parent).add_node("in", lambda state: {"log": [*state["log"], "in"]}).add_edge(START, "in")
    outer = StateGraph(Parent).add_node("sub", inner.compile(checkpointer=True)).add_edge(START, "sub")
    graph = outer.compile(checkpointer=saver)
    for _ in range(2):
        graph.invoke({"log": ["x"]}, THREAD)


def deltas(saver: Any) -> None:
    graph = StateGraph(Deltas).add_node("add", lambda state: {"items": ["a"]}).add_edge(START, "add")
    for _ in range(4):
        graph.compile(checkpointer=saver).invoke({"items": ["in"]}, THREAD)


def models(saver: Any) -> None:
    talk = Talk(saver)
    for name in ("one", "two"):
        talk.put(item=Item(name=name), items=[Item(name=name)], raw=b"\0\xff", keys={3: 4, "$ext": 5}, nothing=None)


def early_writes(saver: Any) -> None:
    """Some whose checkpoint never comes, with all kinds of indexes."""
    talk = Talk(saver)
    talk.put(a=1)
    saver.put_writes(config("t", "", "never"), [("a", 1), ("__error__", "e"), ("b", 2)], "task", "path, 1")
    talk.write(("a", 2), ("b", 3), task="z", path="p2")
    talk.write(("__interrupt__", "i"), task="z", path="p2")
    talk.write(("a", 4), task="a", path="p1")
    talk.write(("a", 4), ("b", 5), task="a", path="p0")


THREADS = [conversation, forks, interrupted, answered, failed, subgraphs, deltas, models, early_writes]


class Reversed:
    """A cipher for tests."""

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        return "reversed", plaintext[::-1]

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        return ciphertext[::-1]
