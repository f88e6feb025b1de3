"""An agent hands work to Waypost and reads the proof: a client of the official SDK against the real server and runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.agents import Agent, Refusal, in_process, program, talking
from kit.approvals import step
from kit.cards import card, write_card
from kit.cli import start_waypost, waypost_here
from kit.repos import make_repo
from kit.waiting import wait_for
from waypost.checkpointing import fsck

TOOLS = {"plan", "run", "status", "evidence", "approve", "resume", "cancel"}
EASY = card(bash="echo x >> out.txt", scope="- `**`")
ASKS = "### Task T-1: A task\n\n**Goal**\n\nGet it done.\n\n" + step(
    "S1", "echo x > a.txt", "test -s a.txt", approval="before dispatch"
)
WAITS = card(
    bash="echo begin >> ../work.txt; while [ ! -e ../go ]; do sleep 0.05; done; echo end >> ../work.txt", verify="true"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repo(tmp_path_factory.mktemp("handed") / "project")


@pytest.fixture(scope="module")
def agent(project: Path) -> Iterator[Agent]:
    """One that is trusted with everything, over a real process."""
    with talking(program(project, "--allow-accept", "--allow-approve")) as agent:
        yield agent
    for ledger in runs_of(project).glob("*/ledger.jsonl"):
        assert fsck(ledger).ok


def runs_of(project: Path) -> Path:
    return project / ".artifacts" / "agent_runs"


def state_of(project: Path, run: str) -> dict[str, Any]:
    shown = waypost_here("status", run, "--runs", runs_of(project), "--json", cwd=project)
    return json.loads(shown.out)["state"]


@pytest.fixture(scope="module")
def done(agent: Agent, project: Path) -> tuple[str, list[str]]:
    """A run that the agent handed over, and what it was told while it followed it."""
    run = agent.run(write_card(project, EASY))
    told: list[str] = []
    assert agent.call("status", run_id=run, follow_s=120, progress=told)["status"] == "DONE"
    return run, told


def test_every_tool_and_resource_is_listed(agent):
    tools, resources, templates = agent.names()
    assert tools == TOOLS
    assert resources == {"waypost://runs"}
    assert templates == {"waypost://runs/{run_id}", "waypost://runs/{run_id}/{name}"}


def test_progress_is_told_while_a_run_is_followed(done):
    _, told = done
    assert any("check_finished S1 PASSED" in message for message in told), told


def test_the_proof_can_be_read_by_tool_and_by_resource(agent, done):
    run, _ = done
    proof = agent.call("evidence", run_id=run)
    assert (proof["status"], proof["verified"]) == ("DONE", True)
    assert {finding["found"] for finding in proof["findings"]} == {"not checked"}
    assert {verdict["outcome"] for verdict in proof["verdicts"]} == {"PASSED"}
    assert "## Verification Results" in proof["report"]
    for name, uri in proof["files"].items():
        assert agent.read(uri) == agent.call("evidence", run_id=run, file=name)["text"] != ""
    assert json.loads(agent.read("waypost://runs"))[0]["run_id"] == run
    assert json.loads(agent.read(f"waypost://runs/{run}"))["status"] == "DONE"
    assert run in [row["run_id"] for row in agent.call("status")["runs"]]


def test_the_ledger_says_that_an_agent_accepted_and_what(agent, project, done):
    state = state_of(project, done[0])
    assert (state["acceptance"]["how"], state["acceptance"]["who"]) == ("--accept", "agent tester (MCP)")
    assert state["acceptance"]["digest"] == agent.call("plan", task_file="tasks.md")["digest"]


def test_a_plan_shows_every_command_before_it_can_be_accepted(agent, project):
    write_card(project, card(bash="echo secret-deed", verify="test -e shown"), "shown.md")
    text = agent.call("plan", task_file="shown.md")["text"]
    assert "echo secret-deed" in text
    assert "test -e shown" in text


def test_an_agent_that_may_decide_is_named_in_the_decision(agent, project):
    run = agent.run(write_card(project, ASKS, "asks.md"))
    asked = agent.call("status", run_id=run, follow_s=120)
    assert (asked["status"], asked["waits_for"]) == ("BLOCKED", "approval: dispatch of S1")
    agent.call("approve", run_id=run, note="read it")
    assert agent.call("status", run_id=run, follow_s=120)["status"] == "DONE"
    (decision,) = state_of(project, run)["decisions"]
    assert (decision["who"], decision["note"]) == ("agent tester (MCP)", "read it")


def test_a_cancelled_run_is_drained_and_its_worker_adopted_when_it_is_resumed(agent, project):
    run = agent.run(write_card(project, WAITS, "waits.md"))
    wait_for((project.parent / "work.txt").exists)
    with pytest.raises(Refusal, match="goes on already"):
        agent.call("resume", run_id=run)
    agent.call("cancel", run_id=run)
    assert agent.call("status", run_id=run, follow_s=120)["status"] == "DRAINING"
    (project.parent / "go").touch()
    agent.call("resume", run_id=run)
    assert agent.call("status", run_id=run, follow_s=120)["status"] == "DONE"
    assert (project.parent / "work.txt").read_text() == "begin\nend\n"


NO_RUN = [("status", {}), ("evidence", {}), ("approve", {"note": "x"}), ("resume", {}), ("cancel", {})]


@pytest.mark.parametrize(("tool", "more"), NO_RUN)
@pytest.mark.parametrize("run", ["../../etc", "NO-SUCH-RUN", "--help"])
def test_a_run_that_is_not_there_is_refused_by_name(agent, tool, more, run):
    with pytest.raises(Refusal, match=r"run|id"):
        agent.call(tool, run_id=run, **more)


def test_a_file_that_is_no_evidence_cannot_be_read(agent, done):
    with pytest.raises(Refusal, match="has no evidence"):
        agent.call("evidence", run_id=done[0], file="../../ledger.jsonl")


@pytest.fixture
def stranger(repo: Path) -> Iterator[Agent]:
    """An agent that nobody has allowed anything."""
    with talking(in_process(repo)) as agent:
        yield agent


def test_without_a_persons_word_no_command_of_a_task_file_runs(stranger, repo):
    write_card(repo, EASY)
    digest = stranger.call("plan", task_file="tasks.md")["digest"]
    for accept in (None, digest):
        with pytest.raises(Refusal, match=f"no person has accepted this plan.*\n.*{digest}"):
            stranger.call("run", task_file="tasks.md", accept=accept)
    assert not (repo.parent / "runs").exists()


def test_without_a_persons_leave_an_agent_does_not_approve(stranger, repo):
    path = write_card(repo.parent, ASKS)
    runs = repo.parent / "runs"
    waypost_here("run", path, "--workspace", repo, "--runs", runs, "--run-id", "R", "--json", cwd=repo)
    for decision in ("approve", "reject", "give_up"):
        with pytest.raises(Refusal, match="a person has to decide this"):
            stranger.call("approve", run_id="R", note="mine", decision=decision)
    assert stranger.call("status", run_id="R")["status"] == "BLOCKED"


@pytest.mark.parametrize("path", ["\0.md", "loop.md"])
def test_what_is_no_path_is_refused_as_such(stranger, repo, path):
    (repo / "loop.md").symlink_to("loop.md")
    with pytest.raises(Refusal, match=r"is no path of a file|cannot be read|loop"):
        stranger.call("plan", task_file=path)


def test_a_run_that_is_driven_in_a_terminal_is_followed_to_its_end_too(stranger, repo):
    path, runs = write_card(repo.parent, WAITS), repo.parent / "runs"
    process = start_waypost("run", path, "--workspace", repo, "--runs", runs, "--run-id", "R", cwd=repo)
    wait_for((repo.parent / "work.txt").exists)
    assert stranger.call("status", run_id="R", follow_s=0.1)["status"] == "FREEZE"
    (repo.parent / "go").touch()
    assert stranger.call("status", run_id="R", follow_s=120)["status"] == "DONE"
    assert process.wait() == 0


OUTSIDE = ["../tasks.md", "/etc/passwd", "link.md"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leaves_the_project(stranger, repo, path):
    write_card(repo.parent, EASY)
    (repo / "link.md").symlink_to(repo.parent / "tasks.md")
    for tool in ("plan", "run"):
        with pytest.raises(Refusal, match="is not in the project"):
            stranger.call(tool, task_file=path)


def test_only_a_worker_that_a_person_named_is_handed_work(stranger, repo):
    write_card(repo, EASY)
    with pytest.raises(Refusal, match='the worker "claude" may not be used'):
        stranger.call("run", task_file="tasks.md", worker="claude")


def accepted_by_a_person(repo: Path) -> Any:
    shown = waypost_here("plan", write_card(repo, WAITS), "--json", cwd=repo)
    return in_process(repo, accepted=(json.loads(shown.out.splitlines()[-1])["digest"],))


def test_what_a_person_accepted_runs_as_it_was_accepted_and_is_drained_when_the_client_goes(repo):
    with talking(accepted_by_a_person(repo)) as agent:
        run = agent.call("run", task_file="tasks.md")["run_id"]
        write_card(repo, WAITS.replace("echo begin", "echo evil"))
        with pytest.raises(Refusal, match="no person has accepted"):
            agent.call("run", task_file="tasks.md")
        wait_for((repo.parent / "work.txt").exists)
    shown = json.loads(waypost_here("status", run, "--runs", repo.parent / "runs", "--json", cwd=repo).out)
    assert (shown["status"], shown["driver"]) == ("DRAINING", "nobody: resume it")
    assert (repo.parent / "work.txt").read_text() == "begin\n"
    (repo.parent / "go").touch()


def test_a_configuration_that_was_changed_meanwhile_is_not_used(repo):
    with talking(accepted_by_a_person(repo)) as agent:
        (repo / "waypost.toml").write_text('[environment]\nallow = ["HOME"]\n', encoding="utf-8")
        with pytest.raises(Refusal, match="configuration of the project was changed"):
            agent.call("run", task_file="tasks.md")


def test_nothing_but_the_protocol_is_on_standard_output(repo):
    words = [sys.executable, "-m", "waypost", "mcp", "--root", str(repo)]
    ran = subprocess.run(words, input="", capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_without_its_package_the_extra_is_named(repo, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "mcp" or "waypost.mcp_server" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    ran = waypost_here("mcp", cwd=repo)
    assert (ran.code, 'pip install "waypost[mcp]"' in ran.err) == (2, True)
