"""Isolated runs killed by SIGKILL at every named instant of their git work: resumed, the same result, nothing twice."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from kit.cards import step_part, steps_card
from kit.isolated import files_at, resume, run, run_tree, runs_of
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
    killed = run(repo, TEXT, failpoint=chain[0])
    for point in chain[1:]:
        assert (killed.code, point) == (-signal.SIGKILL, point)
        killed = resume(repo, failpoint=point)
    assert killed.code == -signal.SIGKILL
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
    for point in ("isolate.resolve.after_tree", "isolate.merge.after_branch"):
        assert resume(repo, "--recheck", failpoint=point).code == -signal.SIGKILL
    assert resume(repo, "--recheck").code == 0
    assert (repo / "a").read_text() == "both\n"
    assert git(repo, "log", "--format=%s", "main").splitlines().count("Merge S2: Step S2") == 1


def test_killed_before_it_was_asked_for_a_run_leaves_a_branch_that_holds_nothing_and_can_be_cleaned(repo):
    assert run(repo, TEXT, failpoint="isolate.claim.after_branch").code == -signal.SIGKILL
    assert git(repo, "rev-parse", "waypost/R") == git(repo, "rev-parse", "main")
    assert resume(repo).code == 2
    assert not (runs_of(repo) / "R" / "request.json").exists()
