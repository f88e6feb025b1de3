"""Watching: the same events and the same exit code as who drives the run, from the disk alone."""

from __future__ import annotations

import json
import signal
import subprocess
from functools import partial

import pytest
from kit.batches import Wanted, run_batch
from kit.cards import card, step_part, steps_card, write_card
from kit.cli import command, environment, waypost, waypost_here
from kit.repos import make_repo
from kit.waiting import wait_for

# What only the process itself can know: that something has begun, and how long a stage has taken.
_OWN = {"node_started", "check_started", "run_started", "result"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Runs that have ended in each way, and what their own processes have told."""
    folder = tmp_path_factory.mktemp("watch")
    repo, runs, told = make_repo(folder / "repo"), folder / "runs", {}
    good = steps_card(step_part("S1", "echo x > a", "test -s a"), step_part("S2", "echo y > b", "test -s b", "S1"))
    twice = steps_card(step_part("S1", "echo x > c", "test -s c"), step_part("S2", "echo y > d", "test -s c", "S1"))
    for name, text in {"good": good, "bad": card(bash="true", verify="false"), "twice": twice}.items():
        path = write_card(folder, text, f"{name}.md")
        options = ("--workspace", repo, "--runs", runs, "--run-id", name, "--max-rework", "1", "--json")
        told[name] = waypost_here("run", path, *options, cwd=repo)
    killed = ("run", folder / "good.md", "--workspace", repo, "--runs", runs, "--run-id", "killed")
    waypost(*killed, cwd=repo, failpoint="node.verify.enter")
    return repo, runs, told


def plain(events):
    """Kind and contents without times."""
    kept = [event for event in events if event["event"] not in _OWN]
    return [{key: value for key, value in event.items() if key not in ("at", "duration_s")} for event in kept]


@pytest.mark.parametrize(("run", "code"), [("good", 0), ("bad", 3), ("twice", 0)])
def test_a_run_that_has_ended_is_told_as_it_was_told_itself(place, run, code):
    repo, runs, told = place
    ran = waypost_here("watch", run, "--runs", runs, "--json", cwd=repo)
    assert (ran.code, ran.events[-1]["exit_code"]) == (code, code)
    key = partial(json.dumps, sort_keys=True)
    assert sorted(map(key, plain(ran.events))) == sorted(map(key, plain(told[run].events)))
    moves = [event["outcome"] for event in ran.events if event["event"] == "node_finished"]
    assert moves == [event["outcome"] for event in told[run].events if event["event"] == "node_finished"]


def test_a_run_that_was_killed_ends_the_watching_with_the_code_of_one_that_can_be_resumed(place):
    repo, runs, _ = place
    ran = waypost_here("watch", "killed", "--runs", runs, cwd=repo)
    assert ran.code == 4
    assert "next        waypost resume killed" in ran.out


def test_quiet_says_nothing_of_what_is_done_and_on_stderr_why_something_is_not(place):
    repo, runs, _ = place
    done = waypost_here("watch", "good", "--quiet", "--runs", runs, cwd=repo)
    assert (done.code, done.out, done.err) == (0, "", "")
    blocked = waypost_here("watch", "bad", "--quiet", "--runs", runs, cwd=repo)
    assert (blocked.code, blocked.out) == (3, "")
    assert "failed      S1 AC1: false: exit code 1" in blocked.err


def test_quiet_and_json_are_refused_together(place):
    repo, runs, _ = place
    assert waypost_here("watch", "good", "--quiet", "--json", "--runs", runs, cwd=repo).code == 2


def test_without_a_run_the_newest_one_is_watched(place):
    repo, runs, _ = place
    assert waypost_here("watch", "--runs", runs, "--json", cwd=repo).events[0]["run_id"] == "killed"


def test_a_run_that_is_not_there_is_refused(place, tmp_path):
    repo, runs, _ = place
    assert waypost_here("watch", "nosuch", "--runs", runs, cwd=repo).code == 2
    assert waypost_here("watch", "--runs", tmp_path / "nosuch", cwd=repo).code == 2


def test_a_batch_is_watched_with_the_runs_of_its_tasks(repo):
    tasks = {"A-1": Wanted(), "A-2": Wanted(verify="false", waits_for=("A-1",))}
    told = run_batch(repo, tasks, "--max-rework", "0")
    ran = waypost_here("watch", "B", "--runs", repo.parent / "runs", "--json", cwd=repo)
    assert ran.code == told.code == 3
    ends = {event["task_id"]: event["outcome"] for event in ran.events if event["event"] == "task_ended"}
    assert ends == {"A-1": "DONE", "A-2": "BLOCKED"}
    assert ran.events[-1]["event"] == "batch_result"


def test_a_living_run_is_followed_to_its_end_and_left_alone_by_who_stops_watching(repo, tmp_path):
    gate = tmp_path / "gate"
    path = write_card(tmp_path, card(bash=f"until test -e {gate}; do sleep 0.05; done; echo x > out.txt"))
    runs = tmp_path / "runs"
    arguments = command("run", path, "--workspace", repo, "--runs", runs, "--run-id", "R", "--quiet")
    follow = command("watch", "R", "--runs", runs, "--json")
    run = subprocess.Popen(arguments, cwd=repo, env=environment())
    wait_for(lambda: list(runs.glob("R/dispatch/S1/attempt-1/started.json")))
    watching = [
        subprocess.Popen(follow, cwd=repo, env=environment(), stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    seen = [[json.loads(next(one.stdout)) for _ in range(6)] for one in watching]
    begun = ["run_started", "node_finished", "node_finished", "check_finished", "node_finished", "attempt_started"]
    assert [event["event"] for event in seen[0]] == begun
    watching[0].send_signal(signal.SIGINT)
    rest = [json.loads(line) for line in watching[0].communicate(timeout=60)[0].splitlines()]
    assert (watching[0].returncode, rest[-1]["exit_code"], run.poll()) == (4, 4, None)
    gate.touch()
    rest = [json.loads(line) for line in watching[1].communicate(timeout=60)[0].splitlines()]
    assert (run.wait(timeout=60), watching[1].returncode, rest[-1]["status"]) == (0, 0, "DONE")
