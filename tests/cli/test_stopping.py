"""Ctrl-C twice: the run stops, its workers too, and it says so; nothing is lost."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
from pathlib import Path

import pytest
from kit.cards import card, step_part, steps_card, write_card
from kit.cli import command, environment, start_waypost, waypost
from kit.jobs import Recorded, make_job
from kit.processes import gone
from waypost.nodes.dispatch import attempt_path, dispatch
from waypost.nodes.workers.stop import stop_attempts

SLOW = "echo $$ >> pids; until [ -e go ]; do sleep 0.02; done; echo end >> work.txt"


def twice(repo: Path, text: str, *options: str) -> tuple[int, list[dict], str]:
    """Run, press Ctrl-C once the worker is there, and again once the first is heard."""
    path = write_card(repo.parent, text)
    options = ("--workspace", str(repo), "--runs", str(repo.parent / "runs"), "--run-id", "R", "--json", *options)
    process = start_waypost("run", path, *options, cwd=repo)
    steps = text.count("#### Step") or 1
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        kinds = [event["event"] for event in events]
        if kinds[-1] == "draining" or (kinds.count("attempt_started") == steps and kinds[-1] == "attempt_started"):
            while kinds[-1] == "attempt_started" and len(pids(repo)) < steps:
                pass
            process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    return process.returncode, events, err


def pids(repo: Path) -> list[int]:
    path = repo / "pids"
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def test_a_second_ctrl_c_stops_the_workers_says_so_and_the_state_knows(repo):
    code, events, err = twice(repo, card(bash=SLOW, verify="true"))
    result = events[-1]
    assert (code, result["status"], result["in_flight"], result["stopped"]) == (4, "DRAINING", [], ["S1/1"])
    assert [e["workers"] for e in events if e["event"] == "stopping"] == [1]
    assert err == ""
    assert all(gone(pid) for pid in pids(repo))
    state = json.loads(waypost("status", "R", "--runs", repo.parent / "runs", "--json", cwd=repo).out)["state"]
    assert [(a["outcome"], a["reason"]) for a in state["attempts"]] == [("lost", "stopped on request")]

    (repo / "go").touch()
    resumed = waypost("resume", "R", "--runs", repo.parent / "runs", "--json", cwd=repo)
    assert (resumed.code, resumed.result["attempts"]) == (0, 2)
    assert (repo / "work.txt").read_text() == "end\n"


def test_all_workers_of_a_wave_are_stopped(repo):
    text = steps_card(*(step_part(f"S{i}", SLOW, "true") for i in (1, 2)))
    code, events, _ = twice(repo, text)
    assert (code, sorted(events[-1]["stopped"])) == (4, ["S1/1", "S2/1"])
    assert len(pids(repo)) == 2
    assert all(gone(pid) for pid in pids(repo))


@pytest.fixture
def recorded(tmp_path):
    return Recorded(tmp_path / "runs")


def test_an_attempt_that_has_ended_is_not_told(repo, recorded):
    dispatch(make_job(repo, bash="true"), recorded.call)
    assert stop_attempts(recorded.run_dir) == ()


def test_a_pid_that_belongs_to_another_process_by_now_is_left_alone(repo, recorded):
    folder = attempt_path(recorded.run_dir, make_job(repo))
    folder.mkdir(parents=True)
    other = subprocess.Popen(["sleep", "600"])
    record = {"launcher_pid": other.pid, "launcher_started": 1, "started_at": 0.0}
    (folder / "started.json").write_text(json.dumps(record))
    try:
        with open(folder / "claim.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert stop_attempts(recorded.run_dir) == ()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_ctrl_c_while_the_program_is_still_loading_ends_it_quietly_and_leaves_nothing_half_made(repo):
    path = write_card(repo.parent, card(bash="true", verify="true"))
    runs = repo.parent / "runs"
    process = subprocess.Popen(
        command("run", path, "--runs", runs),
        cwd=repo,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    maps = Path(f"/proc/{process.pid}/maps")
    while b"pydantic_core" not in maps.read_bytes():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode in (4, 130), err) == (True, b"")
    assert all((run / "request.json").exists() for run in runs.glob("*/"))
