"""Agents on the command line: doctor, configuration, and a run that an agent brings to done."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from kit.cards import card, write_card
from kit.cli import waypost_here
from kit.standins import StandIns

WORKERS = ["shell", "scripted", "acp", "langchain", "claude", "codex", "gemini", "aider", "opencode", "cursor", "goose"]


@pytest.fixture
def standins(tmp_path, monkeypatch) -> StandIns:
    made = StandIns(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{made.folder}{os.pathsep}{os.environ['PATH']}")
    return made


def doctor(folder: Path, *options: str) -> tuple[int, dict[str, dict]]:
    ran = waypost_here("doctor", "--json", *options, cwd=folder)
    return ran.code, {health["name"]: health for health in map(json.loads, ran.out.splitlines())}


def start(repo: Path, worker: str, text: str | None = None, *options: str):
    path = write_card(repo.parent, text or card(scope="out.txt"))
    where = ("--workspace", repo, "--runs", repo.parent / "runs", "--run-id", "R")
    return waypost_here("run", path, "--worker", worker, *where, "--json", *options, cwd=repo)


def test_doctor_shows_every_worker_and_is_content_with_the_shell(tmp_path):
    code, found = doctor(tmp_path)
    assert (code, list(found)) == (0, WORKERS)
    assert found["shell"]["usable"]
    assert found["shell"]["version"]


def test_doctor_fails_where_the_shell_worker_cannot_work(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    code, found = doctor(tmp_path)
    assert (code, found["shell"]["usable"]) == (1, False)
    assert '"bash" is not in PATH' in found["shell"]["problem"]


def test_doctor_of_one_worker_fails_where_that_one_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    code, found = doctor(tmp_path, "codex")
    assert (code, list(found)) == (1, ["codex"])
    assert "npm install -g @openai/codex" in found["codex"]["next_step"]


def test_doctor_of_one_worker_that_is_there_is_content(tmp_path, standins):
    code, found = doctor(tmp_path, "codex")
    assert (code, found["codex"]["version"], found["codex"]["usable"]) == (0, "1.2.3", True)


def test_doctor_shows_configured_workers_and_names_their_missing_flag(tmp_path, standins):
    (tmp_path / "waypost.toml").write_text('[agents.mine]\nbase = "claude"\nprobe.flags = ["--telepathy"]\n')
    code, found = doctor(tmp_path, "mine")
    assert (code, found["mine"]["missing"]) == (1, ["--telepathy"])


def test_doctor_for_people_says_what_to_do(tmp_path, standins):
    (standins.folder / "goose").unlink()
    ran = waypost_here("doctor", "goose", cwd=tmp_path)
    assert ran.code == 1
    assert '"goose" is not in PATH' in ran.out
    assert "next: install goose" in ran.out
    assert "GOOSE_PROVIDER  is " in ran.out


@pytest.mark.parametrize("words", [("doctor", "nobody"), ("doctor", "nobody", "--json")])
def test_doctor_refuses_a_worker_that_nobody_knows(tmp_path, words):
    assert waypost_here(*words, cwd=tmp_path).code == 2


@pytest.mark.parametrize("words", [("doctor",), ("run", "tasks.md")])
def test_bad_configuration_is_a_clear_error_before_anything_is_made(repo, words):
    write_card(repo, card(bash="true"))
    (repo / "waypost.toml").write_text('[agents.claude]\nexecutable = "x"\nmodle = "y"\n')
    ran = waypost_here(*words, cwd=repo)
    assert ran.code == 2
    assert "waypost.toml:3: agents.claude.modle: unknown key" in ran.err
    assert not (repo / ".artifacts").exists()


def test_an_agent_that_does_the_work_brings_a_run_to_done(repo, standins):
    ran = start(repo, "claude")
    assert (ran.code, ran.result["status"], ran.result["attempts"]) == (0, "DONE", 1)


def test_an_agent_that_lies_is_sent_back_into_its_conversation_with_the_failing_check(repo, standins):
    standins.tell("not_utf8")  # a typed success, and no work
    ran = start(repo, "codex", None, "--max-rework", "1")
    first, second = standins.calls()
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert (second["resumed"], second["session"] is not None, first["resumed"]) == (True, True, False)
    assert "test -s out.txt" in second["prompt"]


def test_an_agent_that_is_not_installed_blocks_the_run_and_is_named(repo, monkeypatch, tmp_path):
    for tool in ("git", "bash", "test", "env"):
        (tmp_path / "some").mkdir(exist_ok=True)
        (tmp_path / "some" / tool).symlink_to(f"/usr/bin/{tool}")
    monkeypatch.setenv("PATH", str(tmp_path / "some"))
    ran = start(repo, "claude", None, "--max-rework", "0")
    assert ran.code == 3
    assert '"claude" is not in PATH' in ran.result["reason"]


def test_a_run_keeps_the_configuration_it_was_started_with(repo, standins):
    (repo / "waypost.toml").write_text('[agents.mine]\nbase = "claude"\nmodel = "first"\n')
    standins.tell("fail")
    assert start(repo, "mine", None, "--max-rework", "0").code == 3
    (repo / "waypost.toml").write_text('[agents.mine]\nbase = "claude"\nmodel = "second"\n')
    options = ("R", "--runs", repo.parent / "runs", "--recover", "--json")
    assert waypost_here("resume", *options, cwd=repo).code == 3
    standins.tell("succeed")
    assert waypost_here("resume", *options, "--reread-config", cwd=repo).code in (0, 3)
    models = [call["argv"][call["argv"].index("--model") + 1] for call in standins.calls()]
    assert (models[0], models[1], models[-1]) == ("first", "first", "second")


def test_a_prompt_template_of_the_user_is_what_the_agent_is_told(repo, standins, tmp_path):
    (tmp_path / "mine.j2").write_text("Only this: {{ step.id }}\n")
    assert start(repo, "gemini", None, "--prompt-template", str(tmp_path / "mine.j2")).code == 0
    assert standins.calls()[-1]["prompt"] == "Only this: S1\n"
