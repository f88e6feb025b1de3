"""Ctrl-C and SIGTERM: the run stops at a checkpoint, leaves its worker alive, and says how to go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from kit.cards import card, write_card
from kit.cli import start_waypost, waypost
from kit.waiting import wait_for

SLOW = "echo begin >> work.txt; until [ -e go ]; do sleep 0.02; done; echo end >> work.txt"


def interrupted(
    repo: Path, text: str, event: str, number: signal.Signals, *options: str
) -> subprocess.CompletedProcess[str]:
    """Start a run, send the signal once `event` is reported, and wait for its end."""
    path = write_card(repo.parent, text)
    runs = repo.parent / "runs"
    arguments = ("run", path, "--workspace", repo, "--runs", runs, "--run-id", "R", "--json", *options)
    process = start_waypost(*arguments, cwd=repo)
    seen = []
    for line in process.stdout:
        seen.append(line)
        if json.loads(line)["event"] == event:
            process.send_signal(number)
            break
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, process.returncode, "".join(seen) + out, err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_dispatch_ends_with_4_and_the_worker_is_adopted_on_resume(repo, number):
    stopped = interrupted(repo, card(bash=SLOW, verify="true"), "attempt_started", number)
    result = json.loads(stopped.stdout.splitlines()[-1])
    assert (stopped.returncode, result["status"], result["in_flight"]) == (4, "DRAINING", ["S1/1"])
    assert result["next"][0].startswith("waypost resume R")

    (repo / "go").touch()
    resumed = waypost("resume", "R", "--runs", repo.parent / "runs", "--json", cwd=repo)
    assert (resumed.code, resumed.result["status"]) == (0, "DONE")
    assert (repo / "work.txt").read_text() == "begin\nend\n"
    assert resumed.started()[0] == "adopt"


def test_a_signal_during_verification_stops_the_check_and_verifies_again_on_resume(repo):
    text = card(bash="echo once >> work.txt", verify="[ -e go ] || sleep 600")
    stopped = interrupted(repo, text, "check_started", signal.SIGTERM, "--no-baseline")
    result = json.loads(stopped.stdout.splitlines()[-1])
    assert (stopped.returncode, result["status"], result["in_flight"]) == (4, "DRAINING", [])

    (repo / "go").touch()
    resumed = waypost("resume", "R", "--runs", repo.parent / "runs", "--json", cwd=repo)
    assert resumed.code == 0
    assert (repo / "work.txt").read_text() == "once\n"


def lose_the_worker(repo: Path, *options: str) -> None:
    """A run that was drained, and whose worker was killed with its launcher while nobody watched."""
    stopped = interrupted(repo, card(bash=SLOW, verify="true"), "attempt_started", signal.SIGTERM, *options)
    assert stopped.returncode == 4
    wait_for((repo / "work.txt").exists)
    started = repo.parent / "runs" / "R" / "dispatch" / "S1" / "attempt-1" / "started.json"
    os.kill(json.loads(started.read_text())["launcher_pid"], signal.SIGKILL)


def test_a_worker_that_was_lost_while_nobody_watched_is_started_again_and_told_so(repo):
    lose_the_worker(repo)
    (repo / "go").touch()
    resumed = waypost("resume", "R", "--runs", repo.parent / "runs", "--json", cwd=repo)
    assert (resumed.code, resumed.result["attempts"]) == (0, 2)
    assert (repo / "work.txt").read_text() == "begin\nbegin\nend\n"
    prompt = (repo.parent / "runs" / "R" / "dispatch" / "S1" / "attempt-2" / "prompt.md").read_text()
    assert "the worker is lost" in prompt


def test_a_worker_that_was_lost_while_nobody_watched_is_asked_about_where_the_run_says_so(repo):
    lose_the_worker(repo, "--on-lost", "block")
    resumed = waypost("resume", "R", "--runs", repo.parent / "runs", "--json", cwd=repo)
    assert (resumed.code, resumed.result["status"]) == (3, "BLOCKED")
    assert "S1 attempt 1" in resumed.result["reason"]

    (repo / "go").touch()
    again = waypost("resume", "R", "--runs", repo.parent / "runs", "--recover", "--json", cwd=repo)
    assert again.code == 0
    assert (repo / "work.txt").read_text() == "begin\nbegin\nend\n"
