"""Watching: the same events and the same exit code as who drives the run, from the disk alone."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from functools import partial

import pytest
from kit.batches import Wanted, run_batch
from kit.cards import card, step_part, steps_card, write_card
from kit.cli import command, environment, waypost, waypost_here
from kit.repos import git, make_repo
from kit.states import RUN, make_state
from kit.waiting import wait_for
from waypost.cli.follow import Follower
from waypost.cli.seen import see
from waypost.cli.view import TextView
from waypost.state.errors import RunNotFound
from waypost.state.records import CheckKind
from waypost.state.status import Node

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
    (repo / "test_it.py").write_text("def test_one(): pass\n\n\ndef test_two(): assert False\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "tests")
    path = write_card(folder, CHEATING, "cheating.md")
    told["cheating"] = waypost_here(
        "run", path, *options[:4], "--run-id", "cheating", "--max-rework", "0", "--json", cwd=repo
    )
    killed = ("run", folder / "good.md", "--workspace", repo, "--runs", runs, "--run-id", "killed")
    waypost(*killed, cwd=repo, failpoint="node.verify.enter")
    return repo, runs, told


# Its checks are of every kind that is told: a command, a file, the tests it ran, and those tests as they were.
PYTEST = f"{sys.executable} -m pytest -q -p no:cacheprovider test_it.py"
CHEATING = card(
    bash="echo 'def test_one(): pass' > test_it.py; echo x > e",
    criteria=f"- AC1: It works. Verified by `{PYTEST}`\n- AC2: It is there. Verified by file `e` matches `x`",
)


def plain(events):
    """Kind and contents without times."""
    kept = [event for event in events if event["event"] not in _OWN]
    return [{key: value for key, value in event.items() if key not in ("at", "duration_s")} for event in kept]


def without_times(line):
    """A line of text without how long something took, which only who ran it knows to the end."""
    return re.sub(r"  \d+\.\d\d s$", "", line)


@pytest.mark.parametrize(("run", "code"), [("good", 0), ("bad", 3), ("twice", 0), ("cheating", 3)])
def test_a_run_that_has_ended_is_told_as_it_was_told_itself(place, run, code):
    repo, runs, told = place
    ran = waypost_here("watch", run, "--runs", runs, "--json", cwd=repo)
    assert (ran.code, ran.events[-1]["exit_code"]) == (code, code)
    key = partial(json.dumps, sort_keys=True)
    assert sorted(map(key, plain(ran.events))) == sorted(map(key, plain(told[run].events)))
    moves = [event["outcome"] for event in ran.events if event["event"] == "node_finished"]
    assert moves == [event["outcome"] for event in told[run].events if event["event"] == "node_finished"]


def test_every_kind_of_check_is_told_by_a_run_and_by_who_watches_it(place):
    repo, runs, told = place
    ran = waypost_here("watch", "cheating", "--runs", runs, "--json", cwd=repo)
    kinds = {check.kind for check in see(runs, "cheating").state.checks}
    assert {CheckKind.COMMAND, CheckKind.PROBE, CheckKind.TESTS, CheckKind.ORIGINALS} <= kinds
    for one in (ran, told["cheating"]):
        ends = {event["check"]: event["outcome"] for event in one.events if event["event"] == "check_finished"}
        assert {id.partition(".")[0] for id in ends} == {"0", "1"}
        assert [ends[f"{number}.S1.V2"] for number in "01"] == ["FAILED", "PASSED"]
        assert {id.rpartition(".")[2] for id in ends if "FAILED" in ends[id]} >= {"tests", "originals"}


@pytest.mark.parametrize("run", ["good", "bad", "twice", "cheating"])
def test_in_lines_of_text_both_tell_the_same(place, run):
    repo, runs, told = place
    lines = waypost_here("watch", run, "--runs", runs, cwd=repo).out.splitlines()
    view = TextView()
    with view.console.capture() as captured:
        for event in told[run].events:
            if event["event"] in ("node_finished", "attempt_started", "attempt_finished", "check_finished"):
                view.event(event)
    said = [without_times(line) for line in captured.get().splitlines()]
    seen = [without_times(line) for line in lines if line.split(" ")[0] in {node.value for node in Node}]
    assert sorted(seen) == sorted(said)


def test_a_run_that_is_removed_while_it_is_watched_ends_the_watching(tmp_path):
    asked = make_state(created_at=None)
    (tmp_path / RUN).mkdir()
    (tmp_path / RUN / "request.json").write_text(asked.model_dump_json())
    follower = Follower(tmp_path / RUN)
    follower.news()
    shutil.rmtree(tmp_path / RUN)
    with pytest.raises(RunNotFound, match="was removed while it was watched"):
        follower.news()


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
