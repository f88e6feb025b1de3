"""`waypost clean`: what dead and ended runs left in git goes, and nobody's work ever does."""

from __future__ import annotations

import json
import shutil
import signal

import pytest
from kit.cards import card, step_part, steps_card, write_card
from kit.cli import start_waypost, waypost_here
from kit.isolated import branches, checkout, resume, run, run_tree, runs_of, step_tree
from kit.repos import git

GOOD = card(bash="echo > out.txt")
CONFLICT = steps_card(step_part("S1", "echo 1 > a", "test -s a"), step_part("S2", "echo 2 > a", "test -s a"))


def clean(repo, *options):
    return waypost_here("clean", "--runs", runs_of(repo), "--json", *options, cwd=repo)


def kept(ran):
    found = [item for item in ran.events if item.get("action") == "kept"]
    return {item["name"].rpartition("/")[2]: item["keep"] for item in reversed(found)}


def worktrees(repo):
    return git(repo, "worktree", "list", "--porcelain").count("worktree ")


def test_what_a_done_run_left_is_removed_and_its_records_stay(repo):
    run(repo, GOOD)
    before = checkout(repo)
    ran = clean(repo)
    assert (ran.code, kept(ran)) == (0, {})
    assert (branches(repo), worktrees(repo)) == ({"main"}, 1)
    assert not (runs_of(repo) / "R" / "worktrees").exists()
    assert (runs_of(repo) / "R" / "ledger.jsonl").exists()
    assert checkout(repo) == before
    assert (clean(repo).code, clean(repo).events) == (0, [])


def test_dry_run_says_the_same_and_removes_nothing(repo):
    run(repo, GOOD)
    said = [(item["kind"], item["name"]) for item in clean(repo, "--dry-run").events]
    assert (branches(repo), worktrees(repo)) == ({"main", "waypost/R", "waypost-step/R/S1"}, 3)
    assert said == [(item["kind"], item["name"]) for item in clean(repo).events]


def test_a_result_that_was_left_on_its_branch_is_kept_until_it_is_merged(repo):
    run(repo, GOOD, "--merge", "none")
    ran = clean(repo)
    assert (ran.code, kept(ran)) == (3, {"R": "it holds 1 commit that no other branch holds"})
    assert (branches(repo), worktrees(repo)) == ({"main", "waypost/R"}, 1)
    git(repo, "merge", "-q", "--ff-only", "waypost/R")
    assert clean(repo).code == 0
    assert branches(repo) == {"main"}


def test_what_is_not_committed_is_kept_even_where_git_was_told_to_overlook_it(repo):
    run(repo, GOOD)
    (step_tree(repo, "S1") / "README").write_text("mine\n")
    git(step_tree(repo, "S1"), "update-index", "--assume-unchanged", "README")
    (run_tree(repo) / "note").write_text("mine\n")
    ran = clean(repo)
    assert ran.code == 3
    assert "README" in kept(ran)["S1"]
    assert "note" in kept(ran)["run"]
    assert (step_tree(repo, "S1") / "README").read_text() == "mine\n"
    assert clean(repo, "--force").code == 0
    assert (branches(repo), worktrees(repo)) == ({"main"}, 1)


def test_work_of_a_failed_run_is_kept_unless_forced(repo):
    run(repo, card(bash="echo bad > out.txt", verify="false"), "--max-rework", "0")
    assert resume(repo, "--give-up").code == 1
    ran = clean(repo)
    assert (ran.code, list(kept(ran))) == (3, ["S1"])
    assert git(repo, "show", "waypost-step/R/S1:out.txt") == "bad"
    assert clean(repo, "--force").code == 0
    assert branches(repo) == {"main"}


def test_a_run_that_can_be_resumed_is_kept_unless_forced_and_named_it_is_an_answer(repo):
    run(repo, CONFLICT)
    assert (clean(repo).code, kept(clean(repo))) == (0, {"R": "BLOCKED: it can be resumed"})
    assert clean(repo, "R").code == 3
    assert (run_tree(repo) / "a").exists()
    assert clean(repo, "R", "--force").code == 0
    assert branches(repo) == {"main"}


def test_a_run_that_lives_is_kept_even_if_forced_and_so_is_a_worker_whose_orchestrator_is_dead(repo):
    wait = f"touch {repo.parent}/begun; until [ -e {repo.parent}/go ]; do sleep 0.02; done; echo > out.txt"
    path = write_card(repo.parent, card(bash=wait))
    where = ("--workspace", repo, "--runs", runs_of(repo), "--run-id", "R", "--json", "--isolate", "worktree")
    process = start_waypost("run", path, *where, cwd=repo)
    try:
        assert any(json.loads(line)["event"] == "attempt_started" for line in process.stdout)
        driven = clean(repo, "--force")
        process.send_signal(signal.SIGKILL)
        process.wait()
        working = clean(repo, "--force")
    finally:
        process.kill()
        process.communicate()
        (repo.parent / "go").touch()
    assert kept(driven) == {"R": f"driven by pid {process.pid}"}
    assert kept(working) == {"R": "working: S1 attempt-1"}
    assert resume(repo).code == 0


def test_a_run_whose_folder_is_gone_leaves_no_registration_behind(repo):
    run(repo, GOOD)
    shutil.rmtree(runs_of(repo))
    assert clean(repo).code == 0
    assert (branches(repo), worktrees(repo)) == ({"main"}, 1)


def test_a_run_of_another_runs_folder_is_left_alone_even_if_forced(repo):
    run(repo, GOOD)
    ran = waypost_here("clean", "--runs", repo.parent / "other", "--force", "--json", cwd=repo)
    assert ran.code == 0
    assert "another runs folder" in kept(ran)["R"]
    assert "waypost/R" in branches(repo)


def test_branches_of_the_user_are_never_touched(repo):
    git(repo, "branch", "waypost-mine")
    git(repo, "branch", "waypost/Rest")
    run(repo, GOOD)
    assert clean(repo, "R", "--force").code == 0
    assert branches(repo) == {"main", "waypost-mine", "waypost/Rest"}


@pytest.mark.parametrize("name", ["nobody", "../x"])
def test_a_run_that_is_not_there_is_bad_input(repo, name):
    assert clean(repo, name).code == 2
