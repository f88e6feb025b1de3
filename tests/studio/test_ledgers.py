"""Ledgers under the thread ids of a server, and the command that tells it of a run; no server is needed for these."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.approvals import Desk
from kit.cards import card
from kit.cli import waypost_here
from kit.repos import make_repo
from waypost.checkpointing import LedgerSaver
from waypost.graphs.pipeline import build_pipeline
from waypost.state.ids import is_server_thread, server_thread
from waypost.studio.command import serve
from waypost.studio.ledgers import ServedLedgers
from waypost.studio.versions import for_ledger, for_server

BLOCKS = card(bash="echo x > out.txt", verify="test -e mended")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run "R", which asks a question."""
    desk = Desk(make_repo(tmp_path_factory.mktemp("runs") / "repo"))
    assert desk.run(BLOCKS, "--max-rework", "0").code == 3
    return desk.runs


def test_a_thread_of_the_server_has_its_own_id_for_its_run_and_any_other_run_a_uuid():
    thread = server_thread("DKT-003_20260211T134056Z_ac778e9")
    assert is_server_thread(thread)
    assert server_thread(thread) == thread
    assert server_thread("DKT-003_20260211T134056Z_ac778e9") == thread != server_thread("OTHER")


def test_the_server_finds_a_run_of_the_terminal_and_never_sees_its_name(runs):
    ledgers = ServedLedgers(runs)
    config = {"configurable": {"thread_id": server_thread("R"), "checkpoint_ns": ""}}
    found = list(ledgers.list(config))
    assert len(found) == len(list(LedgerSaver(runs).list({"configurable": {"thread_id": "R"}}))) > 3
    assert {tuple.config["configurable"]["thread_id"] for tuple in found} == {server_thread("R")}
    assert ledgers.run_of(server_thread("UNKNOWN")) == server_thread("UNKNOWN")


def test_a_graph_over_these_ledgers_reads_the_state_of_the_run(runs):
    state = build_pipeline(ServedLedgers(runs)).get_state({"configurable": {"thread_id": server_thread("R")}})
    assert (state.values["run_id"], state.next) == ("R", ("person",))


@given(st.integers(0, 10**10 - 1), st.integers(0, 10**10 - 1))
def test_versions_come_back_as_they_were_and_keep_their_order(one, other):
    first, second = f"{one:010d}.aa", f"{other:010d}.aa"
    assert for_ledger(for_server(first)) == first
    assert (for_server(first) < for_server(second)) == (one < other)


def test_versions_of_other_kinds_are_left_alone():
    assert [for_server(version) for version in (3, 1.5, None, "x.1")] == [3, 1.5, None, "x.1"]


def test_a_run_that_is_not_there_is_not_registered(runs):
    ran = waypost_here("studio", "NOT-THERE", "--runs", runs, cwd=runs)
    assert (ran.code, "there is no run NOT-THERE" in ran.err) == (2, True)


def test_where_no_server_answers_it_says_how_to_start_one(runs):
    ran = waypost_here("studio", "R", "--runs", runs, "--port", "9", "--json", cwd=runs)
    assert (ran.code, "no LangGraph server answers" in ran.out) == (2, True)
    assert json.loads(ran.out)["next"].startswith("start one with waypost studio")


def test_without_its_packages_the_extra_is_named(runs, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    ran = waypost_here("studio", "--runs", runs, cwd=runs)
    assert (ran.code, 'pip install "waypost[studio]"' in ran.err) == (2, True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def test_a_second_server_leaves_the_first_one_its_files(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        kept = tmp_path / "runs" / ".studio" / str(port) / "kept"
        kept.parent.mkdir(parents=True)
        kept.touch()
        ran = waypost_here("studio", "--runs", tmp_path / "runs", "--port", str(port), cwd=tmp_path)
    assert (ran.code, f"port {port} cannot be listened on" in ran.err, kept.exists()) == (2, True, True)


def test_a_link_in_place_of_its_folder_is_not_followed(tmp_path):
    port = free_port()
    kept = tmp_path / "mine" / str(port) / "kept"
    kept.parent.mkdir(parents=True)
    kept.touch()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".studio").symlink_to("../mine")
    ran = waypost_here("studio", "--runs", tmp_path / "runs", "--port", str(port), cwd=tmp_path)
    assert (ran.code, "is a link" in ran.err, kept.exists()) == (2, True, True)


def test_what_lies_where_the_server_works_is_not_taken_up(tmp_path, monkeypatch):
    port = free_port()
    home = tmp_path / ".studio" / str(port)
    planted = home / ".langgraph_api" / ".langgraph_ops.pckl"
    planted.parent.mkdir(parents=True)
    planted.write_bytes(b"cos\nsystem\n(S'touch planted'\ntR.")
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _program, words: started.append(words))
    monkeypatch.chdir(tmp_path)
    for variable in (
        "WAYPOST_RUNS_DIR",
        "WAYPOST_WORKSPACE",
        "LANGGRAPH_CLI_NO_ANALYTICS",
        "LANGGRAPH_NO_VERSION_CHECK",
    ):
        monkeypatch.setenv(variable, "before")
    serve(runs=tmp_path, port=port, json=False)
    assert (started[0][2:4], Path.cwd()) == (["langgraph_cli", "dev"], home)
    assert not planted.exists()
    assert (os.environ["WAYPOST_RUNS_DIR"], os.environ["LANGGRAPH_CLI_NO_ANALYTICS"]) == (str(tmp_path), "1")
