"""Before a worker is started it is looked at: executable, flags, version, within a time limit."""

from __future__ import annotations

import os

import pytest
from kit.jobs import Recorded, make_job
from kit.processes import gone
from kit.standins import StandIns
from waypost.nodes.dispatch import dispatch
from waypost.nodes.workers.agents import AgentWorker, shipped_agents
from waypost.nodes.workers.probe import ask, missing_words, version_in
from waypost.state.records import AttemptOutcome

AGENTS = sorted(shipped_agents())


@pytest.fixture
def standins(tmp_path, monkeypatch) -> StandIns:
    made = StandIns(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{made.folder}{os.pathsep}{os.environ['PATH']}")
    return made


def run(tmp_path, agent="claude"):
    recorded = Recorded(tmp_path / "runs")
    attempt = dispatch(make_job(tmp_path, bash="true", worker=agent), recorded.call).update["attempts"][0]
    return attempt, recorded.run_dir / attempt.folder


def program(standins: StandIns, name: str, body: str) -> None:
    standins.add(name, f"#!/bin/bash\n{body}\n")


@pytest.mark.parametrize("agent", AGENTS)
def test_a_missing_executable_is_named_and_nothing_is_started(tmp_path, agent, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    attempt, folder = run(tmp_path, agent)
    assert attempt.outcome is AttemptOutcome.NOT_STARTED
    assert f'"{shipped_agents()[agent].executable}" is not in PATH' in attempt.reason
    assert not (folder / "launch.json").exists()


@pytest.mark.parametrize("agent", AGENTS)
def test_a_flag_that_the_help_does_not_know_is_named_and_nothing_is_started(tmp_path, standins, agent):
    row = shipped_agents()[agent]
    *known, gone = row.probe.flags
    program(standins, row.executable, f"echo '{' '.join(known)} {gone}-else'; touch {tmp_path}/asked")
    attempt, folder = run(tmp_path, agent)
    assert attempt.outcome is AttemptOutcome.NOT_STARTED
    assert f"does not know {gone}:" in attempt.reason
    assert (tmp_path / "asked").exists()
    assert not (folder / "launch.json").exists()


def test_help_on_standard_error_and_with_an_exit_code_is_read_too(standins):
    program(standins, "claude", f"echo '{' '.join(shipped_agents()['claude'].probe.flags)}' >&2; exit 2")
    assert AgentWorker(shipped_agents()["claude"]).examine("claude").usable


def test_a_program_that_never_answers_is_given_up_and_killed_with_its_children(tmp_path, standins):
    program(standins, "claude", f"sleep 600 & echo $! > {tmp_path}/child; wait")
    health = AgentWorker(shipped_agents()["claude"], probe_time_limit_s=0.3).examine("claude")
    assert not health.usable
    assert "did not answer within 0.3 s" in health.problem
    assert gone(int((tmp_path / "child").read_text()))


@pytest.mark.parametrize(
    "body",
    ["cat", "head -c 5000000 /dev/urandom", "kill -9 $$", "exit 7", "true"],
    ids=["reads input", "prints rubbish", "dies", "fails", "says nothing"],
)
def test_a_program_that_answers_nonsense_is_not_usable(standins, body):
    program(standins, "claude", body)
    health = AgentWorker(shipped_agents()["claude"]).examine("claude")
    assert (health.usable, health.version) == (False, health.version)
    assert "--print" in health.missing
    assert health.next_step


@pytest.mark.parametrize("content", ["", "no shebang", "#!/nonexistent/interpreter\n"])
def test_a_file_that_cannot_be_executed_is_not_usable(standins, content):
    standins.add("claude", content)
    health = AgentWorker(shipped_agents()["claude"]).examine("claude")
    assert not health.usable
    assert health.problem


def test_the_probe_gets_no_key_and_does_not_run_in_the_workspace(tmp_path, standins, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    monkeypatch.chdir(tmp_path)
    program(standins, "claude", f"env > {tmp_path}/env; pwd > {tmp_path}/cwd")
    AgentWorker(shipped_agents()["claude"]).examine("claude")
    assert "sk-secret" not in (tmp_path / "env").read_text()
    assert (tmp_path / "cwd").read_text().strip() != str(tmp_path)


def test_an_answer_is_remembered_until_the_file_changes(tmp_path, standins):
    program(standins, "tool", f"echo x >> {tmp_path}/asked; echo 1.0.0")
    path = str(standins.folder / "tool")
    assert [ask(path, ("--version",)).text for _ in range(3)] == ["1.0.0\n"] * 3
    assert (tmp_path / "asked").read_text() == "x\n"
    program(standins, "tool", f"echo x >> {tmp_path}/asked; echo 1.0.10")
    assert ask(path, ("--version",)).text == "1.0.10\n"
    assert (tmp_path / "asked").read_text() == "x\nx\n"


def test_which_variables_are_set_is_told_and_never_their_values(standins, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    health = AgentWorker(shipped_agents()["claude"]).examine("claude")
    assert (health.environment["ANTHROPIC_API_KEY"], health.environment["ANTHROPIC_BASE_URL"]) == (True, False)
    assert "sk-secret" not in health.model_dump_json()


@pytest.mark.parametrize("agent", AGENTS)
def test_every_stand_in_is_usable_with_the_shipped_row(standins, agent):
    health = AgentWorker(shipped_agents()[agent]).examine(agent)
    assert (health.usable, health.version, health.missing, health.problem) == (True, "1.2.3", (), "")
    assert health.path == str(standins.folder / shipped_agents()[agent].executable)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("  -p, --print   print", ()),
        ("  --print-all", ("--print",)),
        ("  --no--print", ("--print",)),
        ("  [--print]", ()),
        ("  --print=FORMAT", ()),
        ("", ("--print",)),
    ],
)
def test_a_flag_is_found_only_as_a_word_of_its_own(text, missing):
    assert missing_words(text, ("--print",)) == missing


@pytest.mark.parametrize(
    ("text", "version"),
    [("claude 2.1.3 (Claude Code)", "2.1.3"), ("codex-cli 0.77.0\n", "0.77.0"), ("v1.2-rc1", "1.2-rc1"), ("dev", None)],
)
def test_a_version_is_found_in_what_a_tool_says(text, version):
    assert version_in(text) == version
