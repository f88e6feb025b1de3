"""Factories of runnables, found by name in the process of a LangChain worker."""

from __future__ import annotations

import sys
from typing import Any, TypedDict

from langchain_core.language_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt
from waypost.nodes.workers.langchain.assignment import Assignment


class Counted(TypedDict):
    messages: list[Any]
    count: int


def write_directly(prompt: str, config: RunnableConfig) -> str:
    print("noise on standard output")
    with open("seen.txt", "w", encoding="utf-8") as file:
        file.write(prompt)
    return "done"


text_runnable = RunnableLambda(write_directly)
chat_model = FakeListChatModel(responses=["done"])


def told_messages(assignment: Assignment) -> Runnable[Any, Any]:
    def answer(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        assert isinstance(state["messages"][0], HumanMessage)
        (assignment.workspace / "thread.txt").write_text(config["configurable"]["thread_id"])
        return {"messages": [GenericFakeChatModel(messages=iter([AIMessage("done")])).invoke(state["messages"])]}

    return StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer").compile(InMemorySaver())


def round_and_round(_: Assignment) -> Any:
    builder: Any = (
        StateGraph(Counted).add_node("a", lambda state: {"count": 1}).add_node("b", lambda state: {"count": 2})
    )
    return builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", "a").compile()


def asks_a_person(_: Assignment) -> Any:
    builder: Any = StateGraph(MessagesState).add_node("ask", lambda state: {"messages": [AIMessage(interrupt("ok?"))]})
    return builder.add_edge(START, "ask").compile(InMemorySaver())


def returns(output: Any) -> Any:
    return lambda _: RunnableLambda(lambda prompt: output)


nothing = returns(None)
open_call = returns(AIMessage("", tool_calls=[{"name": "x", "args": {}, "id": "1", "type": "tool_call"}]))
cut_short = returns({"messages": [AIMessage("and", response_metadata={"finish_reason": "length"})]})
unanswered = returns({"messages": [HumanMessage("do it")]})
no_messages = returns({"messages": []})
no_runnable = 7


def broken(_: Assignment) -> Any:
    raise LookupError("no such index")


def exits(_: Assignment) -> Any:
    sys.exit(0)
