"""The saver that a LangGraph server makes from a dotted path, as `langgraph.json` names it."""

from __future__ import annotations

import asyncio
import importlib
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from kit.ledgers import reopened
from kit.talking import THREAD, chat
from langchain_core.messages import HumanMessage

PATH = "waypost.checkpointing.server.ledger_checkpointer"
SAID = {"messages": [HumanMessage("hello", id="h")], "turns": 0}


def factory() -> Any:
    module, _, name = PATH.rpartition(".")
    return getattr(importlib.import_module(module), name)


def serve(work: Any) -> Any:
    async def live() -> Any:
        async with factory()() as saver:
            return await work(saver)

    return asyncio.run(live())


async def answer(saver: Any) -> Any:
    return await chat(saver).ainvoke(SAID, THREAD)


@pytest.fixture(autouse=True)
def runs(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WAYPOST_RUNS_DIR", str(root))
    return root


def test_a_server_answers_and_its_successor_goes_on(root: Path) -> None:
    first, second = serve(answer), serve(answer)
    assert (first["turns"], second["turns"]) == (1, 2)
    assert [*reopened(root).threads()] == ["t"]


def test_at_its_end_every_thread_is_released(root: Path) -> None:
    async def work(saver: Any) -> None:
        await answer(saver)
        writer = saver.writer("t")
        assert (writer.alive, writer.released) == (True, False)

    serve(work)
    writer = reopened(root).writer("t")
    assert writer
    assert writer.released


def test_threads_are_released_also_when_the_server_fails(root: Path) -> None:
    async def fail(saver: Any) -> None:
        await answer(saver)
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        serve(fail)
    writer = reopened(root).writer("t")
    assert writer
    assert writer.released


@pytest.mark.parametrize("given", [None, ""])
def test_without_the_variable_threads_are_where_the_command_line_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WAYPOST_RUNS_DIR")
    if given is not None:
        monkeypatch.setenv("WAYPOST_RUNS_DIR", given)
    serve(answer)
    assert (tmp_path / ".artifacts" / "agent_runs" / "t" / "ledger.jsonl").exists()


def test_nothing_that_a_server_forbids_happens_on_its_event_loop(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`langgraph dev` refuses these calls in the thread of the loop."""
    loop_thread = threading.get_ident()

    def guarded(call: Any) -> Any:
        def checked(*args: Any, **kwargs: Any) -> Any:
            assert threading.get_ident() != loop_thread, f"{call.__name__} on the event loop"
            return call(*args, **kwargs)

        return checked

    monkeypatch.setenv("WAYPOST_RUNS_DIR", os.path.relpath(root))
    with monkeypatch.context() as patched:
        for name in (
            "getcwd",
            "mkdir",
            "write",
            "pwrite",
            "rename",
            "unlink",
            "rmdir",
            "listdir",
            "fsync",
            "fdatasync",
        ):
            patched.setattr(os, name, guarded(getattr(os, name)))
        assert serve(answer)["turns"] == 1
