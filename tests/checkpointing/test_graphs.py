"""Real LangGraph graphs on ledgers: resumed in other processes, forked, interrupted, with all kinds of channels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from kit.ledgers import lines_of, reopened, run_python
from kit.talking import THREAD, Plan, chat, planner, shown
from langchain_core.messages import HumanMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from waypost.checkpointing import LedgerSaver


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_conversation_goes_on_after_a_restart_as_with_the_memory_saver(root: Path, durability: Any) -> None:
    expected = chat(InMemorySaver())
    for turn in range(6):
        saver = reopened(root)
        said = {"messages": [HumanMessage(f"turn {turn}", id=f"h{turn}")], "turns": 0}
        chat(saver).invoke(said, THREAD, durability=durability)
        expected.invoke(said, THREAD, durability=durability)
    assert shown(chat(reopened(root))) == shown(expected)


def test_an_interrupt_waits_over_a_restart_and_finished_work_is_not_done_again(root: Path) -> None:
    calls: list[str] = []
    first = planner(reopened(root), calls).invoke({"log": []}, THREAD)
    assert first["__interrupt__"][0].value == {"question": "go on?"}
    final = planner(reopened(root), calls).invoke(Command(resume="yes"), THREAD)
    assert final == {"log": ["start", "did 0", "did 1", "did 2"], "answer": "yes"}
    assert sorted(calls) == ["ask", "ask", "work 0", "work 1", "work 2"]


def test_time_travel_makes_a_fork_and_leaves_the_past(saver: LedgerSaver) -> None:
    graph = chat(saver)
    for turn in range(3):
        graph.invoke({"messages": [HumanMessage(f"turn {turn}", id=f"h{turn}")], "turns": 0}, THREAD)
    past = next(state for state in graph.get_state_history(THREAD) if state.values["turns"] == 1)
    fork = graph.update_state(past.config, {"messages": [HumanMessage("other", id="x")]}, as_node="__start__")
    final = graph.invoke(None, fork)
    assert [message.content for message in final["messages"]][2:] == ["turn 1", "other", "you said other"]
    again = graph.get_state(past.config)
    assert again.values == past.values
    assert graph.get_state(THREAD).values == final


def joined(old: list[str], new: list[list[str]]) -> list[str]:
    return [*old, *(item for part in new for item in part)]


class Deltas(TypedDict):
    items: Annotated[list[str], DeltaChannel(joined, list, snapshot_frequency=3)]
    other: int


def deltas(saver: Any) -> Any:
    graph = StateGraph(Deltas).add_node("add", lambda state: {"items": [f"{len(state['items'])}"], "other": 1})
    return graph.add_edge(START, "add").compile(checkpointer=saver)


@pytest.mark.parametrize("durability", ["sync", "exit"])
def test_a_delta_channel_is_rebuilt_also_after_restart_prune_and_copy(root: Path, durability: Any) -> None:
    expected = deltas(InMemorySaver())
    for _ in range(8):
        saver = reopened(root)
        for graph in (deltas(saver), expected):
            graph.invoke({"items": ["in"]}, THREAD, durability=durability)
        assert deltas(saver).get_state(THREAD).values == expected.get_state(THREAD).values
    saver = reopened(root)
    saver.copy_thread("t", "copy")
    saver.prune(["t"])
    values = expected.get_state(THREAD).values
    assert deltas(reopened(root)).get_state(THREAD).values == values
    assert deltas(saver).get_state({"configurable": {"thread_id": "copy"}}).values == values
    assert deltas(saver).invoke({"items": ["more"]}, THREAD)["items"] == [
        *values["items"],
        "more",
        str(len(values["items"]) + 1),
    ]


def test_subgraphs_keep_their_own_history(saver: LedgerSaver, root: Path) -> None:
    def ask(state: Plan) -> dict[str, Any]:
        return {"answer": interrupt("well?")}

    inner = StateGraph(Plan).add_node("ask", ask).add_edge(START, "ask").compile()
    outer = StateGraph(Plan).add_node("inner", inner).add_edge(START, "inner").compile(checkpointer=saver)
    outer.invoke({"log": ["x"]}, THREAD)
    state = outer.get_state(THREAD, subgraphs=True)
    assert state.tasks[0].state.values == {"log": ["x"]}
    assert outer.invoke(Command(resume="fine"), THREAD)["answer"] == "fine"
    assert len({line["ns"] for line in lines_of(root) if "ns" in line}) == 2


RESUME = """
import sys
from kit.talking import THREAD, planner
from langgraph.types import Command
from waypost.checkpointing import LedgerSaver
calls = []
final = planner(LedgerSaver(sys.argv[1]), calls).invoke(Command(resume="from another process"), THREAD)
print(final["answer"], calls)
"""


def test_another_process_resumes_by_the_thread_id(root: Path) -> None:
    with LedgerSaver(root) as saver:
        planner(saver, []).invoke({"log": []}, THREAD)
    ran = run_python(RESUME, root)
    assert ran.stdout == "from another process ['ask']\n", ran.stderr


def test_the_ledger_of_a_graph_can_be_read_by_a_person(saver: LedgerSaver, root: Path) -> None:
    chat(saver).invoke({"messages": [HumanMessage("hello there")], "turns": 0}, THREAD)
    text = (root / "t" / "ledger.jsonl").read_text()
    assert '"content":"you said hello there"' in text
    assert "base64" not in text
