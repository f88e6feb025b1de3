"""Small LangGraph graphs to be checkpointed."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Send, interrupt

THREAD: RunnableConfig = {"configurable": {"thread_id": "t"}}


class Chat(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    turns: Annotated[int, operator.add]


def chat(saver: Any) -> Any:
    def answer(state: Chat) -> dict[str, Any]:
        said = state["messages"][-1].content
        return {"messages": [AIMessage(f"you said {said}", id=f"a{state['turns']}")], "turns": 1}

    return StateGraph(Chat).add_node("answer", answer).add_edge(START, "answer").compile(checkpointer=saver)


def shown(graph: Any) -> list[Any]:
    return [(state.values, state.next, state.metadata["step"]) for state in graph.get_state_history(THREAD)]


class Plan(TypedDict):
    log: Annotated[list[str], operator.add]
    answer: str


def planner(saver: Any, calls: list[str]) -> Any:
    def work(state: Any) -> dict[str, Any]:
        calls.append(f"work {state['n']}")
        return {"log": [f"did {state['n']}"]}

    def ask(state: Plan) -> dict[str, Any]:
        calls.append("ask")
        return {"answer": interrupt({"question": "go on?"})}

    def fan_out(state: Plan) -> list[Send]:
        return [Send("work", {"n": n}) for n in range(3)]

    graph = StateGraph(Plan).add_node("start", lambda state: {"log": ["start"]})
    graph.add_node("work", work).add_node("ask", ask)
    graph.add_edge(START, "start").add_conditional_edges("start", fan_out, ["work"])
    graph.add_edge("work", "ask").add_edge("ask", END)
    return graph.compile(checkpointer=saver)
