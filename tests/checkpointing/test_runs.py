"""A run takes the lease before its first node; who only looks needs none."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from kit.ledgers import Talk, config, ledger_of, lines_of, reopened
from kit.other_process import other_process
from langchain_core.runnables import RunnableConfig
from langgraph.func import entrypoint
from langgraph.graph import END, START, StateGraph
from waypost.checkpointing import LedgerSaver
from waypost.state.errors import LedgerConflict, LedgerError, LedgerLost


class Log(TypedDict):
    ran: Annotated[list[str], operator.add]


Node = Callable[[Any, RunnableConfig], Any]


def graph_of(saver: Any, node: Node, name: str = "only") -> Any:
    graph = StateGraph(Log).add_node(name, node)
    return graph.add_edge(START, name).add_edge(name, END).compile(checkpointer=saver)


@pytest.fixture
def ran() -> list[str]:
    return []


@pytest.fixture
def graph(saver: LedgerSaver, ran: list[str]) -> Any:
    def node(state: Log, config: RunnableConfig) -> dict[str, Any]:
        ran.append("only")
        return {"ran": ["only"]}

    return graph_of(saver, node)


class TestWhileAnotherProcessWrites:
    @pytest.mark.parametrize("durability", ["sync", "async", "exit"])
    def test_a_run_is_refused_before_its_first_node(
        self, root: Path, graph: Any, ran: list[str], durability: str
    ) -> None:
        with other_process(root):
            before = ledger_of(root).read_bytes()
            with pytest.raises(LedgerConflict):
                graph.invoke({"ran": []}, config("t"), durability=durability)
            assert ran == []
            assert ledger_of(root).read_bytes() == before

    def test_and_so_is_one_of_coroutines(self, root: Path, graph: Any, ran: list[str]) -> None:
        with other_process(root):
            with pytest.raises(LedgerConflict):
                asyncio.run(graph.ainvoke({"ran": []}, config("t"), durability="exit"))
            assert ran == []

    def test_and_one_from_an_older_checkpoint(self, root: Path, graph: Any, ran: list[str]) -> None:
        with other_process(root):
            id = lines_of(root)[-1]["id"]
            with pytest.raises(LedgerConflict):
                graph.invoke(None, config("t", id=id))
            assert ran == []

    def test_and_one_of_the_functional_api(self, root: Path, saver: LedgerSaver, ran: list[str]) -> None:
        @entrypoint(checkpointer=saver)
        def flow(given: str) -> str:
            ran.append(given)
            return given

        with other_process(root):
            with pytest.raises(LedgerConflict):
                flow.invoke("a", config("t"))
            assert ran == []

    def test_its_state_and_history_can_be_seen(self, root: Path, graph: Any) -> None:
        with other_process(root):
            before = ledger_of(root).read_bytes()
            assert graph.get_state(config("t")).config["configurable"]["checkpoint_id"] == lines_of(root)[-1]["id"]
            assert len([*graph.get_state_history(config("t"))]) == 1
            assert ledger_of(root).read_bytes() == before

    def test_also_by_a_node_of_a_run_of_another_thread(self, root: Path, saver: LedgerSaver, graph: Any) -> None:
        seen: list[Any] = []

        def node(state: Log, config: RunnableConfig) -> dict[str, Any]:
            theirs = {**config, "configurable": {**config["configurable"], "thread_id": "t", "checkpoint_ns": ""}}
            seen.append(graph.get_state({"configurable": {"thread_id": "t"}}).created_at)
            seen.append(saver.get_tuple(theirs).checkpoint["ts"])
            return {"ran": []}

        with other_process(root):
            graph_of(saver, node).invoke({"ran": []}, config("mine"))
            assert seen[0] == seen[1]


class TestInOneProcess:
    def test_the_lease_of_a_new_thread_is_on_disk_before_the_first_node(self, root: Path, saver: LedgerSaver) -> None:
        kinds: list[str] = []

        def node(state: Log, config: RunnableConfig) -> dict[str, Any]:
            kinds.extend(line["kind"] for line in lines_of(root))
            return {"ran": []}

        graph_of(saver, node).invoke({"ran": []}, config("t"), durability="exit")
        assert kinds == ["open"]

    def test_looking_at_a_thread_that_is_not_there_makes_nothing(self, root: Path, graph: Any) -> None:
        assert graph.get_state(config("t")).values == {}
        assert not root.exists()

    def test_a_graph_called_as_a_task_is_of_the_same_run(self, root: Path, saver: LedgerSaver) -> None:
        def leaf(state: Log, config: RunnableConfig) -> dict[str, Any]:
            return {"ran": ["leaf"]}

        child = graph_of(True, leaf, "leaf")
        outer = StateGraph(Log).add_node("child", child).add_edge(START, "child").compile(checkpointer=saver)
        outer.invoke({"ran": []}, config("t"))
        assert {line["epoch"] for line in lines_of(root)} == {1}

    def test_a_graph_called_with_a_thread_of_its_own_is_a_run_of_its_own(self, root: Path, saver: LedgerSaver) -> None:
        def leaf(state: Log, config: RunnableConfig) -> dict[str, Any]:
            return {"ran": ["leaf"]}

        inner = graph_of(saver, leaf, "leaf")

        def node(state: Log, config: RunnableConfig) -> Any:
            return inner.invoke({"ran": []}, {"configurable": {"thread_id": "t"}})

        with other_process(root), pytest.raises(LedgerConflict):
            graph_of(saver, node).invoke({"ran": []}, config("mine"))

    def test_a_run_that_cannot_be_saved_does_not_start(self, root: Path, graph: Any, ran: list[str]) -> None:
        graph.invoke({"ran": []}, config("t"))
        again = graph.copy(update={"checkpointer": LedgerSaver(root, read_only=True)})
        with pytest.raises(LedgerError, match="read-only"):
            again.invoke({"ran": []}, config("t"))
        assert ran == ["only"]
        assert again.get_state(config("t")).values == {"ran": ["only"]}

    def test_a_new_run_on_a_thread_that_was_deleted_lets_nothing_late_in(self, root: Path, graph: Any) -> None:
        saver = graph.checkpointer
        talk = Talk(saver)
        late = config("t", id=talk.put(a=1))
        saver.release("t")
        with reopened(root) as elsewhere:
            elsewhere.delete_thread("t")
        graph.invoke({"ran": []}, config("t"))
        with pytest.raises(LedgerLost):
            saver.put_writes(late, [("a", 2)], "task")
