"""Threads to be looked at with `waypost ledger`, and the command in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from langgraph.types import Command
from waypost.checkpointing import LedgerSaver

from .cli import Ran, waypost_here
from .ledgers import Talk
from .talking import THREAD, planner

ODD = "chat 1/ä\x1b[31m\n"


@pytest.fixture(name="runs")
def two_threads(tmp_path: Path) -> Path:
    """Two threads: "t" was interrupted and answered, the other has an odd id and two branches."""
    runs = tmp_path / "runs"
    with LedgerSaver(runs) as saver:
        planner(saver, []).invoke({"log": []}, THREAD)
        planner(saver, []).invoke(Command(resume="yes"), THREAD)
        talk = Talk(saver, ODD)
        talk.put(id="aa-1", a=1, big="x" * 5000)
        fork = talk.branch()
        talk.put(id="aa-2", a=2)
        fork.put(id="ab-2", a=3, gone=["big"])
        talk.write(("a", "\x1b[2J\u202e"), task="task", path="path")
    return runs


def ledger(runs: Path, verb: str, *arguments: str | Path) -> Ran:
    return waypost_here("ledger", verb, *arguments, "--runs", runs, cwd=runs.parent)


def show(runs: Path, *arguments: str) -> Ran:
    ran = ledger(runs, "show", *arguments)
    assert (ran.code, ran.err) == (0, "")
    return ran


def refused(ran: Ran, *said: str) -> None:
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert [text for text in said if text not in ran.err] == []
