"""Batches whose tasks work in git worktrees: each result is brought to the branch, verified with all before it."""

from __future__ import annotations

import json

import pytest
from kit.batches import Wanted, report_of, resume_batch, run_batch, run_id_of, runs_of, told
from kit.cli import waypost_here
from kit.repos import git

ISOLATED = ("--isolate", "worktree")


def writes(id: str, *waits_for: str, needs: str = "true") -> Wanted:
    bash = f"{needs} && echo {id} > {id}.txt"
    return Wanted(bash=bash, verify=f"test -s {id}.txt", scope=f"- `{id}.txt`", waits_for=waits_for)


def files(repo) -> set[str]:
    return set(git(repo, "ls-tree", "-r", "--name-only", "main").splitlines())


def state_of(repo, task: str) -> dict:
    told = waypost_here("status", run_id_of(repo, task), "--runs", runs_of(repo), "--json", cwd=repo)
    return json.loads(told.out)["state"]


def test_one_after_the_other_each_begins_with_what_those_before_have_left(repo):
    tasks = {"A": writes("A"), "B": writes("B", "A", needs="test -s A.txt"), "C": writes("C", needs="test -s B.txt")}
    assert run_batch(repo, tasks, *ISOLATED).code == 0
    assert files(repo) == {"README", "A.txt", "B.txt", "C.txt"}


def test_side_by_side_a_branch_that_moved_by_the_batch_is_taken_in_and_all_is_verified_again(repo):
    here = runs_of(repo)
    a, b = (f"{here}/{name}.here" for name in "ab")
    both = {
        "A": writes("A", needs=f"touch {a}; until [ -e {b} ]; do sleep 0.02; done"),
        "B": writes("B", needs=f"touch {b}; until [ -e {a} ]; do sleep 0.02; done"),
    }
    ran = run_batch(repo, both, *ISOLATED, "--max-parallel", "2", "--step-timeout-s", "30")
    assert (ran.code, told(report_of(repo))) == (0, {"A": "DONE", "B": "DONE"})
    assert files(repo) == {"README", "A.txt", "B.txt"}
    decisions = [state_of(repo, task)["decisions"] for task in "AB"]
    ((decision,),) = [found for found in decisions if found]
    assert (decision["route"], decision["who"]) == ("recheck", "waypost batch B")


def test_a_branch_that_somebody_else_moved_is_a_question_to_a_person(repo):
    commit = f"git -C {repo} -c user.name=T -c user.email=t@localhost commit -q --allow-empty -m theirs"
    ran = run_batch(repo, {"A": writes("A", needs=commit), "B": writes("B")}, *ISOLATED)
    assert (ran.code, told(report_of(repo))) == (3, {"A": "BLOCKED", "B": "DONE"})
    assert state_of(repo, "A")["decisions"] == []


def test_results_that_contradict_each_other_stop_for_a_person_and_the_first_stands(repo):
    here = runs_of(repo)
    meet = f"touch {here}/{{me}}.here; until [ -e {here}/{{other}}.here ]; do sleep 0.02; done"
    bash = f"{meet}; echo {{me}} > same.txt"
    both = {
        me: Wanted(bash=bash.format(me=me, other=other), verify=f"grep -q {me} same.txt")
        for me, other in (("A", "B"), ("B", "A"))
    }
    ran = run_batch(repo, both, *ISOLATED, "--max-parallel", "2", "--step-timeout-s", "30")
    assert (ran.code, sorted(told(report_of(repo)).values())) == (3, ["BLOCKED", "DONE"])
    (done,) = [id for id, status in told(report_of(repo)).items() if status == "DONE"]
    assert git(repo, "show", "main:same.txt") == done


def test_results_that_stay_on_their_branches_cannot_be_waited_for(repo):
    refused = run_batch(repo, {"A": writes("A"), "B": writes("B", "A")}, *ISOLATED, "--merge", "none")
    assert (refused.code, runs_of(repo).exists()) == (2, False)


@pytest.mark.parametrize("parallel", ["1", "2"])
def test_a_checkout_with_unseen_work_blocks_every_task_and_can_be_mended(repo, parallel):
    (repo / "README").write_text("changed\n")
    ran = run_batch(repo, {"A": writes("A"), "B": writes("B")}, *ISOLATED, "--max-parallel", parallel)
    assert (ran.code, told(report_of(repo))) == (3, {"A": "BLOCKED", "B": "BLOCKED"})
    git(repo, "checkout", "README")
    assert resume_batch(repo).code == 0
