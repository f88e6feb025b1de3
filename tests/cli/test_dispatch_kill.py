"""Killed at every dangerous instant of dispatch, of us and of the launcher: each step's line stands exactly once."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.cards import card, step_part, steps_card, write_card
from kit.forked import Commands, commands
from kit.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
DISPATCH = ("requested", "prepared", "launch_written", "forked", "launched", "waited", "recorded")
LAUNCHER = ("begun", "claimed", "recorded_start", "started_worker", "ended_worker", "before_end", "recorded_end")
# A worker that was killed somewhere can only do its work once if it looks at what is there.
LOOKS_FIRST = "grep -qx {0} work.txt 2>/dev/null || echo {0} >> work.txt"
APPENDS = "echo {0} >> work.txt"


def two_steps(bash: str) -> str:
    return steps_card(
        step_part("S1", bash.format("S1"), "grep -qx S1 work.txt"),
        step_part("S2", bash.format("S2"), "grep -qx S2 work.txt", "S1"),
    )


@pytest.fixture(scope="module")
def orchestrators() -> Iterator[Commands]:
    with commands() as started:
        yield started


def start(orchestrators: Commands, repo: Path, text: str, **killed: str) -> int:
    path = write_card(repo.parent, text)
    where = ("--workspace", str(repo), "--runs", str(repo.parent / "runs"))
    return orchestrators.run("waypost", "run", str(path), *where, "--run-id", "R", cwd=repo, **killed)


def resume(orchestrators: Commands, repo: Path, **killed: str) -> int:
    return orchestrators.run("waypost", "resume", "R", "--runs", str(repo.parent / "runs"), cwd=repo, **killed)


def lines(repo: Path) -> list[str]:
    return sorted((repo / "work.txt").read_text().split())


def test_all_failpoints_of_dispatch_and_launcher_are_walked_here():
    ours = "".join((ROOT / f"nodes/{name}.py").read_text() for name in ("dispatch", "workers/attempt"))
    theirs = (ROOT / "nodes/workers/launcher/main.py").read_text()
    named = set(re.findall(r'failpoint\("dispatch\.(\w+)"\)', ours))
    assert named == {*DISPATCH, "adopted", "lost"}
    assert set(re.findall(r' failpoint\("(\w+)"\)', theirs)) == set(LAUNCHER)


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", DISPATCH)
def test_killed_ourselves_at_any_point_the_work_of_a_plain_worker_is_done_once(orchestrators, repo, point, nth):
    killed = start(orchestrators, repo, two_steps(APPENDS), failpoint=f"dispatch.{point}:{nth}")
    assert killed == -signal.SIGKILL
    assert resume(orchestrators, repo) == 0
    assert lines(repo) == ["S1", "S2"]


@pytest.mark.parametrize("point", LAUNCHER)
def test_with_the_launcher_killed_at_any_point_the_work_is_done_once(orchestrators, repo, tmp_path, point):
    began = ("begun", "claimed", "recorded_start")
    text = two_steps(APPENDS if point in began else LOOKS_FIRST)
    assert start(orchestrators, repo, text, launcher=f"{point}:{tmp_path / 'once'}") == 0
    assert (tmp_path / "once").exists()
    assert lines(repo) == ["S1", "S2"]


def orphaned(orchestrators: Commands, repo: Path) -> Path:
    """A worker that goes on without us until `go` is there; the folder of its attempt."""
    bash = "echo S1 >> work.txt; until [ -e go ]; do sleep 0.02; done; echo end"
    assert start(orchestrators, repo, card(bash=bash, verify="true"), failpoint="dispatch.launched") == -signal.SIGKILL
    wait_for((repo / "work.txt").exists)
    return repo.parent / "runs" / "R" / "dispatch" / "S1"


def test_killed_again_while_adopting_it_is_adopted_again(orchestrators, repo):
    attempts = orphaned(orchestrators, repo)
    for point in ("dispatch.adopted", "node.dispatch.enter", "dispatch.adopted"):
        assert resume(orchestrators, repo, failpoint=point) == -signal.SIGKILL
    (repo / "go").touch()
    assert resume(orchestrators, repo) == 0
    assert lines(repo) == ["S1"]
    assert [path.name for path in attempts.iterdir()] == ["attempt-1"]
    assert (attempts / "attempt-1" / "stdout.log").read_text() == "end\n"


def test_killed_again_when_a_loss_is_found_the_loss_is_found_again(orchestrators, repo):
    attempts = orphaned(orchestrators, repo)
    started = json.loads((attempts / "attempt-1" / "started.json").read_text())
    os.kill(started["launcher_pid"], signal.SIGKILL)
    assert resume(orchestrators, repo, failpoint="dispatch.lost") == -signal.SIGKILL
    (repo / "go").touch()
    assert resume(orchestrators, repo) == 0
    assert sorted(path.name for path in attempts.iterdir()) == ["attempt-1", "attempt-2"]
    assert lines(repo) == ["S1", "S1"]


def test_a_worker_survives_us_and_its_output_is_complete_when_it_is_adopted(orchestrators, repo):
    """What it prints before, while and after nobody watches; how long it runs is decided by files."""
    bash = (
        'for n in 1 2 3; do echo "part $n"; touch "at-$n"; until [ -e "go-$n" ]; do sleep 0.02; done; done; echo whole'
    )
    path = write_card(repo.parent, card(bash=bash, verify="true"))
    runs = repo.parent / "runs"
    arguments = ("run", str(path), "--workspace", str(repo), "--runs", str(runs), "--run-id", "R")
    process = orchestrators.start("waypost", *arguments, cwd=repo)
    wait_for((repo / "at-1").exists)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    (repo / "go-1").touch()
    wait_for((repo / "at-2").exists)
    process = orchestrators.start("waypost", "resume", "R", "--runs", str(runs), cwd=repo)
    (repo / "go-2").touch()
    wait_for((repo / "at-3").exists)
    (repo / "go-3").touch()
    assert process.wait() == 0
    out = runs / "R" / "dispatch" / "S1" / "attempt-1" / "stdout.log"
    assert out.read_text() == "part 1\npart 2\npart 3\nwhole\n"
    assert len(list((runs / "R" / "dispatch" / "S1").iterdir())) == 1
