"""Threads of a real LangGraph server are ledgers on disk, and runs of the terminal are threads of the server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from kit.cards import card, write_card
from kit.served import GRAPH, Served, serving
from kit.waiting import wait_for
from langgraph_sdk.errors import BadRequestError
from waypost.checkpointing import fsck
from waypost.state.ids import server_thread

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "studio.md").read_text(encoding="utf-8")
BLOCKS = card(bash="echo try >> tries", verify="test -e mended")
WAITS = card(
    bash="echo begin >> work.txt; while [ ! -e ../go ]; do sleep 0.05; done; echo end >> work.txt",
    verify="test -s work.txt",
)


pytestmark = pytest.mark.xdist_group("studio-server")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as served:
        yield served
    assert served.unplugged.went_out() == []
    assert "Blocking call" not in served.log.read_text()
    for ledger in served.runs.glob("*/ledger.jsonl"):
        assert fsck(ledger).ok, ledger


@pytest.fixture(scope="module")
def blocked(server: Served) -> tuple[str, list[Any]]:
    """A run that a person began in Studio, and that asks a question; and all that was streamed of it."""
    thread = server.new_thread()
    streamed = server.client.runs.stream(
        thread, GRAPH, input=server.form(BLOCKS), context={"max_rework": 0}, stream_mode=["updates", "custom"]
    )
    return thread, list(streamed)


@pytest.fixture(scope="module")
def done(server: Served, blocked: tuple[str, list[Any]]) -> str:
    thread, _ = blocked
    (server.repo / "mended").touch()
    state = server.wait(thread, command={"resume": {"decision": "recheck", "who": "ada", "note": "mended it"}})
    assert state["status"] == "DONE"
    return thread


def checkpoints_in(ledger: Path) -> list[str]:
    lines = map(json.loads, ledger.read_bytes().splitlines())
    return [line["id"] for line in lines if line["kind"] == "checkpoint"]


def history(server: Served, thread: str) -> list[Any]:
    return server.client.threads.get_history(thread, limit=100)


def test_a_person_meets_forms_with_descriptions_and_defaults_and_nodes_with_names(server):
    (assistant,) = server.client.assistants.search()
    schemas = server.client.assistants.get_schemas(assistant["assistant_id"])
    for schema in (schemas["input_schema"], schemas["context_schema"]):
        fields = schema["properties"].items()
        assert [name for name, field in fields if not field.get("description")] == []
        assert [name for name, field in fields if name != "task_file" and "default" not in field] == []
    assert {"task_file", "workspace", "worker"} <= schemas["input_schema"]["properties"].keys()
    assert {"max_rework", "budget_s", "max_cost_usd"} <= schemas["context_schema"]["properties"].keys()
    nodes = {node["id"] for node in server.client.assistants.get_graph(assistant["assistant_id"])["nodes"]}
    (named,) = re.findall(r"\| nodes \| (.*) \|", PAGE)
    assert nodes - {"__start__", "__end__"} == {*named.split(", ")}


def test_a_run_begun_on_the_server_streams_its_progress_and_asks_a_clear_question(server, blocked):
    thread, streamed = blocked
    events = [part.data for part in streamed if part.event == "custom"]
    assert {"event": "node_started", "run_id": thread, "node": "verify"} in events
    state = server.client.threads.get_state(thread)
    (asked,) = [interrupt["value"] for task in state["tasks"] for interrupt in task["interrupts"]]
    assert asked["question"] == "S1 still fails after 0 reworks. How shall it go on?"
    assert asked["reasons"] == ["S1: test -e mended: exit code 1"]
    assert {"recover", "recheck", "give_up"} == set(asked["answer_with"]["decision"])


def test_every_checkpoint_of_the_server_is_in_the_ledger_and_no_other(server, done):
    ids = [state["checkpoint"]["checkpoint_id"] for state in history(server, done)]
    assert len(ids) >= 9
    assert sorted(ids) == sorted(checkpoints_in(server.ledger(done)))


def test_the_terminal_reads_and_audits_a_run_of_the_server_as_its_own(server, done):
    shown = json.loads(server.here("status", done).out)
    assert (shown["status"], shown["server_thread"], shown["driver"]) == ("DONE", done, "ended")
    assert shown["state"]["decisions"][0]["who"] == "ada"
    assert shown["state"]["limits"]["max_rework"] == 0
    assert server.here("audit", done).code == 0


def test_a_fork_from_an_older_checkpoint_is_checked_anew_and_seen_by_an_audit(server):
    thread = server.new_thread()
    server.wait(thread, server.form(card(bash="echo once >> forked.txt", verify="test -s forked.txt")))
    before = history(server, thread)
    at = next(state for state in before if state["next"] == ["verify"])
    server.client.threads.update_state(thread, None, checkpoint=at["checkpoint"])
    assert server.wait(thread)["status"] == "DONE"
    assert len(history(server, thread)) == len(before) + 3
    findings = json.loads(server.here("audit", thread).out)["findings"]
    assert {finding["area"] for finding in findings if finding["found"] == "wrong"} == {"records"}
    assert (server.repo / "forked.txt").read_text() == "once\n"


def test_a_run_killed_in_the_terminal_goes_on_on_the_server_under_its_thread_id(server):
    task = server.form(card(bash="echo once >> killed.txt", verify="test -s killed.txt"))["task_file"]
    killed = server.terminal("run", task, "--run-id", "KILLED", failpoint="node.verify.enter")
    assert killed.code == -signal.SIGKILL
    told = server.here("studio", "KILLED", "--port", str(server.port))
    assert (told.code, json.loads(told.out)["thread_id"]) == (0, server_thread("KILLED"))
    seen = history(server, server_thread("KILLED"))
    assert {state["checkpoint"]["thread_id"] for state in seen} == {server_thread("KILLED")}
    assert server.wait(server_thread("KILLED"))["status"] == "DONE"
    assert (server.repo / "killed.txt").read_text() == "once\n"
    assert len(checkpoints_in(server.ledger("KILLED"))) == len(history(server, server_thread("KILLED"))) > len(seen)
    assert not (server.runs / server_thread("KILLED")).exists()
    assert server.here("audit", "KILLED").code == 0


def begun(server: Served, text: str) -> str:
    """A run of the server whose worker is at work."""
    thread = server.new_thread()
    (server.folder / "go").unlink(missing_ok=True)
    (server.repo / "work.txt").unlink(missing_ok=True)
    server.client.runs.create(thread, GRAPH, input=server.form(text))
    wait_for((server.repo / "work.txt").exists)
    return thread


def test_a_run_cancelled_on_the_server_is_let_go_and_the_terminal_adopts_its_worker(server):
    thread = begun(server, WAITS)
    (run,) = server.client.runs.list(thread)
    server.client.runs.cancel(thread, run["run_id"], wait=True)
    wait_for(lambda: json.loads(server.here("status", thread).out)["driver"] == "nobody: resume it")
    (server.folder / "go").touch()
    assert server.terminal("resume", thread).code == 0
    assert (server.repo / "work.txt").read_text() == "begin\nend\n"


REFUSED = [
    ({"task_file": "/nowhere/tasks.md"}, "/nowhere/tasks.md"),
    ({"task": "T-1"}, "task_file  Field required"),
    ({"task_file": "x", "status": "DONE"}, "status  Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("form", "said"), REFUSED)
def test_what_cannot_be_run_is_refused_by_name_and_leaves_no_checkpoint(server, form, said):
    thread = server.new_thread()
    error = server.wait(thread, form)["__error__"]
    assert said in error["message"]
    assert not (server.runs / thread).exists()
    assert history(server, thread) == []


def test_the_checks_of_a_foreign_file_run_only_after_its_plan_was_accepted_by_its_digest(server):
    path = server.folder / "issue.md"
    path.write_text("- [ ] T001 Validate by running `touch ran` in README\n", encoding="utf-8")
    form = {"task_file": str(path), "workspace": str(server.repo)}
    error = server.wait(server.new_thread(), form)["__error__"]["message"]
    assert "nobody accepted the plan" in error
    wrong = server.wait(server.new_thread(), {**form, "accept": "0" * 64})["__error__"]["message"]
    assert "not the plan" in wrong
    assert not (server.repo / "ran").exists()


def test_what_stands_in_the_record_cannot_be_set_copied_or_deleted(server, done):
    before = server.ledger(done).read_bytes()
    threads = server.client.threads
    again = server.wait(done, server.form(BLOCKS))["__error__"]["message"]
    assert "has a run already" in again
    with pytest.raises(BadRequestError, match="cannot be set from outside"):
        threads.update_state(done, {"status": "DONE"})
    with pytest.raises(BadRequestError, match="cannot be copied"):
        threads.copy(done)
    threads.delete(done)
    assert server.ledger(done).read_bytes() == before
    assert server.here("studio", done, "--port", str(server.port)).code == 0
    assert threads.get_state(done)["values"]["status"] == "DONE"


def test_the_python_of_its_page_runs(server):
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    write_card(server.repo, card(bash="echo x > page.txt", verify="test -s page.txt", task="PAGE-1"))
    program = program.replace(":2024", f":{server.port}")
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("DONE 8 checkpoints\n", "")


STRANGERS = [{"Origin": "https://example.org"}, {"Origin": "null"}, {"Host": "rebound.example.org"}]


@pytest.mark.parametrize("headers", STRANGERS)
def test_a_page_of_a_stranger_can_send_the_server_nothing(server, headers):
    before = len(server.client.threads.search(limit=1000))
    answer = httpx.post(f"http://127.0.0.1:{server.port}/threads", headers=headers, content="{}")
    assert answer.status_code == 403
    assert len(server.client.threads.search(limit=1000)) == before


def test_the_page_of_studio_may_ask_and_read(server):
    url, page = f"http://127.0.0.1:{server.port}/threads", {"Origin": "https://smith.langchain.com"}
    asked = httpx.options(url, headers={**page, "Access-Control-Request-Method": "POST"})
    made = httpx.post(url, headers=page, json={})
    assert (asked.status_code, made.status_code) == (200, 200)
    assert made.headers["access-control-allow-origin"] == page["Origin"]


def test_the_server_keeps_its_own_files_out_of_the_repository(server, done):
    assert not (server.repo / ".langgraph_api").exists()


def test_a_run_whose_server_was_killed_goes_on_in_the_terminal(tmp_path):
    with serving(tmp_path) as server:
        thread = begun(server, WAITS)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        (tmp_path / "go").touch()
        resumed = server.terminal("resume", thread)
    assert (resumed.code, resumed.result["status"]) == (0, "DONE"), resumed
    assert (server.repo / "work.txt").read_text() == "begin\nend\n"
    assert fsck(server.ledger(thread)).ok
