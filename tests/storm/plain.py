"""The same steps as plain LangGraph nodes with SqliteSaver: what dispatch is compared with."""

from __future__ import annotations

import json
import operator
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, TypedDict, cast

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph


class Done(TypedDict):
    steps: Annotated[list[str], operator.add]


def _node(step: str, bash: str) -> Callable[[Done], dict[str, list[str]]]:
    def run(_state: Done) -> dict[str, list[str]]:
        subprocess.run(["bash", "-euo", "pipefail", "-c", bash], check=True)
        return {"steps": [step]}

    return run


def run_plain(arguments: list[str]) -> None:
    """Begin, or go on where the newest checkpoint is. Arguments: the database, and the steps with their commands."""
    database, steps = Path(arguments[0]), cast(list[list[str]], json.loads(arguments[1]))
    builder = cast(Any, StateGraph(Done))
    last = START
    for step, bash in steps:
        builder.add_node(step, _node(step, bash))
        builder.add_edge(last, step)
        last = step
    builder.add_edge(last, END)
    with closing(sqlite3.connect(database, check_same_thread=False)) as connection:
        graph = builder.compile(checkpointer=SqliteSaver(connection))
        thread: Any = {"configurable": {"thread_id": "t"}}
        begun = graph.get_state(thread).created_at is not None
        graph.invoke(None if begun else {"steps": []}, thread, durability="sync")
