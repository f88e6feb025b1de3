"""Processes that drive LangGraph graphs and threads against each other."""

from __future__ import annotations

import asyncio
import fcntl
import operator
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from faults.subjects import SUBJECTS, Talk
from faults.victims import Teller, job

NODES = ("one", "two", "three", "four", "five")
NODE_S = 0.01


class Log(TypedDict):
    """The state: which nodes ran."""

    ran: Annotated[list[str], operator.add]


@contextmanager
def barrier(path: Path) -> Iterator[None]:
    """Nobody passes `pass_barrier` of that file until this ends; then all at once."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def pass_barrier(path: str) -> None:
    """Wait for the barrier to open."""
    with open(path) as file:
        fcntl.flock(file, fcntl.LOCK_SH)


def graph_of(saver: Any, started: Callable[[str], None]) -> Any:
    """Five nodes in a row; each says that it has started, and takes a moment."""

    def node(name: str) -> Callable[[Log], Log]:
        def work(state: Log) -> Log:
            started(name)
            threading.Event().wait(NODE_S)
            return {"ran": [name]}

        return work

    graph = StateGraph(Log)
    for name in NODES:
        graph.add_node(name, node(name))
    for before, after in zip((START, *NODES), (*NODES, END), strict=True):
        graph.add_edge(before, after)
    return graph.compile(checkpointer=saver)


@job
def drive(
    tell: Teller,
    subject: str,
    folder: str,
    thread: str,
    start: str,
    end: str,
    resume: bool,
    durability: str,
    coroutine: bool = False,
) -> None:
    """Run the graph from a barrier to its end or to a refusal, then stay alive until a second barrier opens."""
    saver = SUBJECTS[subject].open(Path(folder))
    graph = graph_of(saver, lambda name: tell(node=name))
    tell(ready=True)
    pass_barrier(start)
    try:
        config = {"configurable": {"thread_id": thread}}
        given: Any = None if resume else {"ran": []}
        if coroutine:
            asyncio.run(graph.ainvoke(given, config, durability=durability))
        else:
            graph.invoke(given, config, durability=durability)
        tell(end="finished")
    except Exception as error:
        tell(end="refused", refused=type(error).__name__, why=str(error).splitlines()[0])
    pass_barrier(end)


@job
def begin(tell: Teller, subject: str, folder: str, thread: str) -> None:
    """Run the first node and die in the second."""
    saver = SUBJECTS[subject].open(Path(folder))
    graph = graph_of(saver, lambda name: os._exit(0) if name == NODES[1] else tell(node=name))
    graph.invoke({"ran": []}, {"configurable": {"thread_id": thread}}, durability="sync")


@job
def keep_putting(
    tell: Teller, subject: str, folder: str, thread: str, times: int = 10**9, pause_s: float = 0.0
) -> None:
    """Put one checkpoint after the other until it is refused."""
    talk = Talk(SUBJECTS[subject].open(Path(folder)), thread)
    for number in range(times):
        if not tell.attempt(*talk.put(f"{os.getpid()} {number}")):
            return
        threading.Event().wait(pause_s)


@job
def many_threads(tell: Teller, subject: str, folder: str, size: int, times: int, savers: int = 1) -> None:
    """Threads of one process, each with a LangGraph thread of its own, over some saver objects."""
    opened = [SUBJECTS[subject].open(Path(folder), disk=None) for _ in range(savers)]

    def work(member: int) -> None:
        talk = Talk(opened[member % savers], f"m{member}")
        for number in range(times):
            tell.attempt_alone(*talk.put(f"{member} {number}"))

    members = [threading.Thread(target=work, args=(member,)) for member in range(size)]
    for member in members:
        member.start()
    for member in members:
        member.join()
