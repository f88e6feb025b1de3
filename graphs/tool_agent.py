"""The ready agent: a chat model with file and command tools, asked again until it calls no more of them."""

from __future__ import annotations

from typing import Any, cast

from langchain_core.messages import SystemMessage
from langchain_core.runnables import Runnable
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from ..nodes.workers.langchain.assignment import Assignment

_MODEL, _TOOLS = "model", "tools"
_RULES = """You do one step of a task in a git repository, with tools and without a person to ask.
Paths are relative to the repository. Change only what the task allows: other changes are refused.
These commands of the step can be run, as lists of words, and no others:
{commands}
The step is judged by running its acceptance commands, not by what you say. When it is done, say so in one sentence."""


def make_agent(assignment: Assignment) -> Runnable[Any, Any]:
    """The agent for one attempt: model, tools, and back, as a LangGraph graph over messages.

    Raises:
        NoModel: no model is configured, or it cannot be had.
    """
    tools = assignment.tools()
    model = assignment.model().bind_tools(tools)
    commands = "\n".join(f"- {list(argv)}" for argv in assignment.gate.commands.allowed) or "- none"
    rules = SystemMessage(_RULES.format(commands=commands))

    def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke([rules, *state["messages"]])]}

    # LangGraph's own annotations of add_node are partly unknown to a strict type checker.
    builder = cast(Any, StateGraph(MessagesState))
    builder.add_node(_MODEL, ask)
    builder.add_node(_TOOLS, ToolNode(tools, handle_tool_errors=True))
    builder.add_edge(START, _MODEL)
    builder.add_conditional_edges(_MODEL, tools_condition)
    builder.add_edge(_TOOLS, _MODEL)
    return cast("Runnable[Any, Any]", builder.compile(name="tool-agent"))
