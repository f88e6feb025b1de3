"""Work for a checkpointer: threads of checkpoints as LangGraph makes them, and graphs that make them."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.base.id import uuid6
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

_RANDOM = random.Random(20)
Put = tuple[RunnableConfig, Checkpoint, CheckpointMetadata, ChannelVersions]


def text(size: int) -> str:
    """So many characters that no compression makes much smaller."""
    return base64.b64encode(_RANDOM.randbytes(size)).decode()[:size]


class Script:
    """The puts of one thread whose every step changes a counter and 1,000 characters, beside 2,000 that stay.

    Args:
        saver: gives the versions; nothing is put by this class.
        thread: the thread's id.
    """

    def __init__(self, saver: Any, thread: str) -> None:
        self._saver = saver
        self.thread = thread
        self._step = -2
        self._id: str | None = None
        self._values: dict[str, Any] = {"constant": text(2000)}
        self._versions: dict[str, Any] = {}
        self._seen: dict[str, dict[str, Any]] = {}

    @property
    def config(self) -> RunnableConfig:
        """The checkpoint that was put last."""
        configurable = {"thread_id": self.thread, "checkpoint_ns": ""}
        return {"configurable": configurable | ({"checkpoint_id": self._id} if self._id else {})}

    def next(self) -> Put:
        """The arguments of the next put."""
        config, changed = self.config, ["n", "text", "branch:to:step"] + ([] if self._versions else ["constant"])
        self._step += 1
        self._values |= {"n": self._step, "text": text(1000)}
        for channel in changed:
            self._versions[channel] = self._saver.get_next_version(self._versions.get(channel), None)
        self._seen = {"__input__": {}, "step": {"branch:to:step": self._versions["branch:to:step"]}}
        self._id = str(uuid6(clock_seq=self._step))
        checkpoint: Any = {
            "v": 4,
            "ts": datetime.now(UTC).isoformat(),
            "id": self._id,
            "channel_values": dict(self._values),
            "channel_versions": dict(self._versions),
            "versions_seen": dict(self._seen),
            "updated_channels": changed,
        }
        metadata: CheckpointMetadata = {"source": "loop", "step": self._step, "parents": {}}
        return config, checkpoint, metadata, {channel: self._versions[channel] for channel in changed}

    def writes(self) -> tuple[RunnableConfig, Sequence[tuple[str, Any]], str, str]:
        """The arguments of a put_writes at the last checkpoint."""
        task = str(uuid6(clock_seq=1))
        written = [("n", self._step), ("text", text(1000)), ("branch:to:step", None)]
        return self.config, written, task, "~__pregel_pull, step"


class Counting(TypedDict):
    """The state of the counting graph."""

    n: int
    until: int
    text: str


def counting(saver: Any, tick: Callable[[], object]) -> Any:
    """A graph that goes round one node until it has counted far enough, and changes 1,000 characters each time."""
    pages = [text(1000) for _ in range(64)]

    def step(state: Counting) -> dict[str, Any]:
        tick()
        return {"n": state["n"] + 1, "text": pages[state["n"] % 64]}

    graph = StateGraph(Counting)
    graph.add_node("step", step)
    graph.add_edge(START, "step")
    graph.add_conditional_edges("step", lambda state: "step" if state["n"] < state["until"] else END, ["step", END])
    return graph.compile(checkpointer=saver)


class Talking(TypedDict):
    """The state of the chatting graph."""

    messages: Annotated[list[AnyMessage], add_messages]
    constant: str


def chatting(saver: Any, answer: int) -> Any:
    """A graph of one node that answers each message with so many characters: three checkpoints a turn."""
    graph = StateGraph(Talking)
    graph.add_node("model", lambda state: {"messages": [AIMessage(text(answer))]})
    graph.add_edge(START, "model")
    graph.add_edge("model", END)
    return graph.compile(checkpointer=saver)


class Telling(TypedDict):
    """The state of the telling graph."""

    messages: Annotated[list[AnyMessage], add_messages]
    until: int


def telling(saver: Any, size: int) -> Any:
    """A graph that goes round one node, and adds a message of so many characters each time."""
    graph = StateGraph(Telling)
    graph.add_node("say", lambda state: {"messages": [AIMessage(text(size))]})
    graph.add_edge(START, "say")
    graph.add_conditional_edges(
        "say", lambda state: "say" if len(state["messages"]) < state["until"] else END, ["say", END]
    )
    return graph.compile(checkpointer=saver)
