"""Agents chosen by name on the command line, from card to evidence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml
from kit.cards import card, write_card
from kit.cli import Ran, waypost

AGENT = Path(__file__).resolve().parents[1] / "kit" / "acp_agent.py"
CARD = card(verify="grep -qx 42 src/answer.txt", scope="- `src/**`")


def run(repo: Path, worker: str, **variables: str) -> Ran:
    write_card(repo.parent, CARD)
    words = ("run", "../tasks.md", "--worker", worker, "--runs", "../runs", "--json", "--max-rework", "1")
    return waypost(*words, cwd=repo, variables=variables)


def report_of(ran: Ran) -> str:
    return Path(ran.result["evidence"][0]).read_text(encoding="utf-8")


def test_an_acp_agent_that_reaches_out_of_its_scope_is_denied_and_the_report_says_so(repo):
    script = repo.parent / "script.json"
    deeds = [
        {"write": {"path": str(repo / "README"), "content": "mine"}},
        {"run": {"command": "rm", "args": ["-rf", "."]}},
        {"write": {"path": str(repo / "src/answer.txt"), "content": "42\n"}},
    ]
    script.write_text(json.dumps(deeds))
    ran = run(repo, "acp", WAYPOST_ACP_AGENT=f"{sys.executable} {AGENT} {script}")
    assert (ran.code, ran.result["status"], ran.result["attempts"]) == (0, "DONE", 1), ran
    assert (repo / "README").read_text() == "start\n"
    report = report_of(ran)
    assert f"Attempt 1 of step S1 was denied: write {repo}/README: " in report.replace("\\", "")
    assert "was denied: run rm -rf .: it is no command of the step (those are: grep -qx 42 src/answer.txt)" in report
    assert "permissions.jsonl" in report


def test_a_langchain_agent_mends_in_rework_what_its_first_attempt_left_undone(repo):
    script = repo.parent / "model.yaml"
    write = [{"name": "write_file", "args": {"path": "src/answer.txt", "text": "42\n"}}]
    elsewhere = [{"name": "write_file", "args": {"path": "answer.txt", "text": "42\n"}}]
    replies = [
        {"attempt": 1, "calls": elsewhere},
        {"attempt": 2, "calls": write},
        {"say": "All tests pass."},
    ]
    script.write_text(yaml.safe_dump(replies))
    ran = run(repo, "langchain", WAYPOST_MODEL=f"scripted:{script}")
    assert (ran.code, ran.result["status"], ran.result["attempts"]) == (0, "DONE", 2), ran
    assert not (repo / "answer.txt").exists()
    assert "Attempt 1 of step S1 was denied: write answer.txt: " in report_of(ran)
