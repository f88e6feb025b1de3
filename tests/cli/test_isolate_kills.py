"""Isolated runs killed by SIGKILL at every named instant of their git work: resumed, the same result, nothing twice."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from kit.cards import ORCHESTRATOR, card, step_part, steps_card
from kit.cli import command, environment, waypost, waypost_here
from kit.isolated import branches, files_at, resume, resume_words, run, run_tree, run_words, runs_of
from kit.repos import git

ROOT = Path(__file__).resolve().parents[2]
NAMED = sorted(
    {
        name
        for path in (ROOT / "nodes" / "isolate").glob("*.py")
        for name in re.findall(r'failpoint\("([^"]+)"\)', path.read_text(encoding="utf-8"))
    }
)
# Of these, one is reached before there is a run, and one only after a conflict.
ELSEWHERE = {"isolate.claim.after_branch", "isolate.resolve.after_tree"}
# In the order in which a run comes to them; `:2` is the second time.
CHAINS = {
    "steps": (
        "isolate.add.after_remove",
        "isolate.add.after_branch",
        "isolate.add.after_add",
        "isolate.place.after_reset",
    ),
    "commits": ("isolate.snapshot.after_add", "isolate.snapshot.after_commit", "isolate.snapshot.after_branch:2"),
    "merges": (
        *("isolate.add.after_add:3", "isolate.merge.after_merge", "isolate.merge.after_commit"),
        *("isolate.merge.after_branch:2", "node.integrate.exit"),
    ),
    "delivery": ("isolate.deliver.before", "isolate.deliver.after", "node.integrate.moved", "node.transition.moved"),
}
if os.environ.get("WAYPOST_EACH_KILL"):
    CHAINS = {point: (point,) for chain in CHAINS.values() for point in chain}
TEXT = steps_card(
    step_part("S1", "echo S1 >> work1", "test $(wc -l < work1) = 1"),
    step_part("S2", "echo S2 >> work2", "test $(wc -l < work2) = 1"),
)


def test_every_named_instant_is_killed_at():
    reached = {point.partition(":")[0] for chain in CHAINS.values() for point in chain}
    assert len(NAMED) >= 14
    assert set(NAMED) - reached == ELSEWHERE


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_a_run_killed_in_its_git_work_again_and_again_ends_like_an_undisturbed_one(repo, chain):
    calls = [(resume_words(repo), point) for point in chain]
    calls[0] = (run_words(repo, TEXT), chain[0])
    for words, point in calls:
        assert waypost(*words, cwd=repo, failpoint=point).code == -signal.SIGKILL
    resumed = resume(repo)
    assert (resumed.code, resumed.result["status"], resumed.result["attempts"]) == (0, "DONE", 2)
    assert files_at(repo, "main") == {"README": "start", "work1": "S1", "work2": "S2"}
    subjects = git(repo, "log", "--format=%s", "main").splitlines()
    assert sorted(subjects) == ["Merge S2: Step S2", "S1: Step S1", "S2: Step S2", "start"]
    assert git(repo, "status", "--porcelain") == ""


def test_killed_while_it_takes_over_a_resolution_it_takes_it_over_again(repo):
    text = steps_card(step_part("S1", "echo 1 > a", "test -s a"), step_part("S2", "echo 2 > a", "test -s a"))
    assert run(repo, text).code == 3
    (run_tree(repo) / "a").write_text("both\n")
    git(run_tree(repo), "add", "a")
    points = ("isolate.resolve.after_tree", "isolate.merge.after_branch")
    killed = [waypost(*resume_words(repo, "--recheck"), cwd=repo, failpoint=point).code for point in points]
    assert killed == [-signal.SIGKILL] * 2
    assert resume(repo, "--recheck").code == 0
    assert (repo / "a").read_text() == "both\n"
    assert git(repo, "log", "--format=%s", "main").splitlines().count("Merge S2: Step S2") == 1


def test_killed_before_it_was_asked_for_a_run_leaves_a_branch_that_holds_nothing_and_can_be_cleaned(repo):
    killed = waypost(*run_words(repo, TEXT), cwd=repo, failpoint="isolate.claim.after_branch")
    assert killed.code == -signal.SIGKILL
    assert git(repo, "rev-parse", "waypost/R") == git(repo, "rev-parse", "main")
    assert resume(repo).code == 2
    assert waypost_here("clean", "R", "--runs", runs_of(repo), cwd=repo).code == 0
    assert branches(repo) == {"main"}


def test_a_worker_that_was_running_when_we_were_killed_is_adopted_with_its_worktree(repo):
    parent = repo.parent / "parent"
    bash = f"echo begin >> work; kill -9 $(cat {parent}); sleep 0.3; echo end >> work"
    words = run_words(repo, card(bash=bash, verify="test $(wc -l < work) = 2"))
    script = ["bash", "-c", f'echo $$ > {parent}; exec "$@"', "-", *command(*words)]
    assert subprocess.run(script, cwd=repo, env=environment(), capture_output=True).returncode == -signal.SIGKILL
    resumed = resume(repo)
    assert (resumed.code, resumed.result["attempts"]) == (0, 1)
    assert (repo / "work").read_text() == "begin\nend\n"


def test_drained_by_a_check_the_run_goes_on_with_the_commit_and_not_with_what_the_check_left(repo):
    verify = (
        f"[ -e {repo.parent}/second ] || {{ touch {repo.parent}/second rubbish; kill -TERM {ORCHESTRATOR}; sleep 60; }}"
    )
    assert waypost(*run_words(repo, card(bash="echo > out.txt", verify=verify)), cwd=repo).code == 4
    resumed = resume(repo)
    assert (resumed.code, resumed.result["attempts"]) == (0, 1)
    assert set(files_at(repo, "main")) == {"README", "out.txt"}
