"""Isolated runs with real git: steps side by side, merged, verified again, and only then brought to the user."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest
from kit.cards import card, step_part, steps_card, write_card
from kit.cli import waypost_here
from kit.isolated import branches, checkout, files_at, resume, run, run_tree, runs_of, state_of, step_tree
from kit.links import unlinked
from kit.repos import git, make_repo

CONFLICT = steps_card(
    step_part("S1", "echo one > same.txt", "test -s same.txt"),
    step_part("S2", "echo two > same.txt", "test -s same.txt"),
)


def test_three_steps_that_run_at_the_same_time_are_merged_and_verified_again_on_what_is_merged(repo):
    # Each waits for the other two: they can only end if all three run at once, each in a worktree of its own.
    meet = (
        "mkdir -p {d}; touch {d}/{me}; until [ -e {d}/S1 -a -e {d}/S2 -a -e {d}/S3 ]; do :; done; echo {me} > {me}.txt"
    )
    steps = [
        step_part(me, meet.format(d=repo.parent / "met", me=me), f"test -s {me}.txt && ls >> {repo.parent}/seen-{me}")
        for me in ("S1", "S2", "S3")
    ]
    ran = run(repo, steps_card(*steps), "--step-timeout-s", "60")
    assert (ran.code, ran.result["attempts"]) == (0, 3)
    seen = (repo.parent / "seen-S1").read_text().split()
    assert seen == ["README", "S1.txt", "README", "S1.txt", "S2.txt", "S3.txt"]
    head = git(repo, "rev-parse", "main")
    assert set(files_at(repo, head)) == {"README", "S1.txt", "S2.txt", "S3.txt"}
    isolated = state_of(repo)["isolated"]
    assert (isolated["head"], isolated["verified"], isolated["delivered"]) == (head, head, head)
    assert head in ran.result["reason"]


def test_the_users_checkout_is_as_it_was_until_everything_is_verified(repo):
    look = (
        f"cd {repo}; (git status --porcelain --ignored; git rev-parse HEAD; cat * | sha256sum) >> {repo.parent}/looks"
    )
    steps = (
        step_part("S1", f"echo 1 > a; ({look})", f"({look}); test -s a"),
        step_part("S2", f"echo 2 > b; ({look})", f"({look}); test -s a && test -s b", "S1"),
    )
    subprocess.run(["bash", "-c", look], check=True)
    before = (repo.parent / "looks").read_text()
    assert run(repo, steps_card(*steps)).code == 0
    looks = (repo.parent / "looks").read_text()
    assert looks == before * (len(looks) // len(before))
    assert len(looks) // len(before) == 1 + 2 + 2 + 5
    assert (repo / "a").read_text() + (repo / "b").read_text() == "1\n2\n"
    assert git(repo, "status", "--porcelain") == ""


def test_a_step_begins_with_what_the_steps_it_depends_on_have_left(repo):
    text = steps_card(
        step_part("S1", "echo 1 > a", "test -s a"),
        step_part("S2", "echo 2 > b", "test -s b"),
        step_part("S3", "cat a b > c", "grep -q 1 c && grep -q 2 c", "S1, S2"),
    )
    assert run(repo, text).code == 0
    assert (repo / "c").read_text() == "1\n2\n"


def test_a_conflict_is_blocked_with_its_files_and_the_checkout_untouched(repo):
    before = checkout(repo)
    ran = run(repo, CONFLICT)
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert ran.result["blocked"]["reasons"] == ["in conflict: same.txt"]
    assert str(run_tree(repo)) in ran.result["blocked"]["question"]
    assert checkout(repo) == before
    assert "<<<<<<<" in (run_tree(repo) / "same.txt").read_text()
    assert "same.txt" in (runs_of(repo) / "R" / "reports" / "T-1" / "report.md").read_text()


@pytest.mark.parametrize("commit", [False, True], ids=["added", "committed"])
def test_a_person_resolves_a_conflict_and_rechecks(repo, commit):
    run(repo, CONFLICT)
    (run_tree(repo) / "same.txt").write_text("both\n")
    git(run_tree(repo), "add", "same.txt")
    if commit:
        git(run_tree(repo), "commit", "-qm", "resolved")
    ran = resume(repo, "--recheck")
    assert (ran.code, ran.result["status"], ran.result["attempts"]) == (0, "DONE", 2)
    assert (repo / "same.txt").read_text() == "both\n"


@pytest.mark.parametrize("half", ["nothing", "added with markers", "merge taken back"])
def test_a_conflict_that_is_not_resolved_stays_blocked(repo, half):
    run(repo, CONFLICT)
    if half == "added with markers":
        git(run_tree(repo), "add", "same.txt")
    if half == "merge taken back":
        git(run_tree(repo), "merge", "--abort")
    ran = resume(repo, "--recheck")
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert "same.txt" in ran.result["blocked"]["reasons"][0]
    assert not (repo / "same.txt").exists()


def test_after_a_conflict_the_worker_can_try_again_and_is_told_what_to_merge(repo):
    merge = 'grep -o "git merge [0-9a-f]*" $WAYPOST_PROMPT | bash || true; echo both > same.txt; git add .'
    second = f"if [ $WAYPOST_ATTEMPT = 1 ]; then echo two > same.txt; else {merge}; git commit -qm merged; fi"
    text = steps_card(
        step_part("S1", "echo one > same.txt", "test -s same.txt"), step_part("S2", second, "test -s same.txt")
    )
    git(repo, "config", "user.name", "T")
    git(repo, "config", "user.email", "t@localhost")
    run(repo, text)
    ran = resume(repo, "--recover")
    assert (ran.code, ran.result["attempts"]) == (0, 3)
    assert (repo / "same.txt").read_text() == "both\n"


def test_steps_that_pass_alone_and_fail_together_are_reworked_on_what_is_merged(repo):
    alone = "test $(ls | grep -c part) -lt 2"
    text = steps_card(
        step_part("S1", "touch keep; echo > part1", alone),
        step_part("S2", '[ "$WAYPOST_ATTEMPT" = 1 ] && echo > part2 || rm part2', "true"),
    )
    ran = run(repo, text, "--max-rework", "0")
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert "FAILED" in {check["outcome"] for check in state_of(repo)["checks"] if check["round"] == 2}
    assert checkout(repo)[3].keys() == {"README"}


def test_a_rework_on_what_is_merged_is_merged_and_verified_again(repo):
    alone = "test $(ls | grep -c part) -lt 2"
    first = '[ "$WAYPOST_ATTEMPT" = 1 ] && echo > part1 || git rm -q part1'
    text = steps_card(step_part("S1", first, alone), step_part("S2", "echo > part2", "true"))
    ran = run(repo, text)
    assert (ran.code, ran.result["attempts"]) == (0, 3)
    assert set(files_at(repo, "main")) == {"README", "part2"}


def test_a_step_that_fails_is_reworked_where_it_stands_and_its_neighbour_is_not_repeated(repo):
    text = steps_card(
        step_part("S1", "echo x >> count", "true"),
        step_part("S2", "echo y >> tries", "test $(wc -l < tries) = 2"),
    )
    ran = run(repo, text)
    assert (ran.code, ran.result["attempts"]) == (0, 3)
    assert ((repo / "count").read_text(), (repo / "tries").read_text()) == ("x\n", "y\ny\n")


def test_work_that_is_out_of_scope_is_found_in_the_steps_own_worktree(repo):
    ran = run(
        repo, card(bash="mkdir src; echo > src/a; echo > b", verify="true", scope="- src/**"), "--max-rework", "0"
    )
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert "changed outside the Allowed Scope: b" in ran.result["reason"]


def test_a_worker_cannot_hide_a_change_from_git(repo):
    bash = "echo hidden > README; git update-index --assume-unchanged README; echo > out.txt"
    ran = run(repo, card(bash=bash, scope="- out.txt"), "--max-rework", "0")
    assert "changed outside the Allowed Scope: README" in ran.result["reason"]


def test_an_output_that_git_ignores_is_in_no_commit_and_does_not_count(tmp_path):
    repo = make_repo(tmp_path / "repo", {".gitignore": "*.log\n"})
    ran = run(repo, card(bash="echo x > out.log", verify="true", outputs="- out.log"), "--max-rework", "0")
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert "out.log is in no commit" in ran.result["reason"]


def test_what_checks_leave_behind_is_neither_merged_nor_brought_to_the_user(repo):
    assert run(repo, card(bash="echo > out.txt", verify="touch rubbish; test -e out.txt")).code == 0
    assert set(files_at(repo, "main")) == {"README", "out.txt"}
    assert not (step_tree(repo, "S1") / "rubbish").exists()


def test_checks_that_change_what_was_committed_do_not_prove_it(repo):
    ran = run(repo, card(bash="echo bad > out.txt", verify="echo good > out.txt"), "--max-rework", "0")
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert "changed by the checks: out.txt" in ran.result["reason"]
    assert git(repo, "rev-parse", "main") == state_of(repo)["isolated"]["base"]


def test_a_worker_that_breaks_its_worktree_fails_and_what_it_left_is_put_aside(repo):
    bash = '[ "$WAYPOST_ATTEMPT" = 1 ] && rm .git; echo $WAYPOST_ATTEMPT > out.txt'
    ran = run(repo, card(bash=bash))
    assert (ran.code, ran.result["attempts"]) == (0, 2)
    assert (repo / "out.txt").read_text() == "2\n"
    assert (step_tree(repo, "S1.before-2") / "out.txt").read_text() == "1\n"


def test_a_worker_that_exits_nonzero_keeps_what_it_did_for_its_next_attempt(repo):
    ran = run(repo, card(bash="echo $WAYPOST_ATTEMPT >> out.txt; test $WAYPOST_ATTEMPT = 2"))
    assert (ran.code, ran.result["attempts"]) == (0, 2)
    assert (repo / "out.txt").read_text() == "1\n2\n"


def test_merge_none_leaves_the_result_on_a_branch_and_names_it(repo):
    before = checkout(repo)
    ran = run(repo, card(bash="echo > out.txt"), "--merge", "none")
    assert ran.code == 0
    assert checkout(repo) == before
    assert ran.result["reason"].endswith(f"commit {git(repo, 'rev-parse', 'waypost/R')} is on branch waypost/R")


def test_commits_are_made_by_waypost_without_hooks_and_name_run_step_and_attempt(repo):
    for hook in ("pre-commit", "commit-msg", "post-checkout", "post-merge", "reference-transaction"):
        path = repo / ".git" / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {repo.parent}/hooked\nexit 1\n")
        os.chmod(path, 0o755)
    assert run(repo, card(bash="echo > out.txt")).code == 0
    assert not (repo.parent / "hooked").exists()
    shown = git(repo, "log", "-1", "--format=%an <%ae>%n%cn%n%(trailers)")
    assert shown.splitlines()[:2] == ["Waypost <waypost@localhost>", "Waypost"]
    assert {"Waypost-Run: R", "Waypost-Step: S1", "Waypost-Attempt: 1 (finished)"} <= set(shown.splitlines())


def test_the_report_names_branch_base_and_result_and_its_reproduction_guide_runs_without_the_worktrees(repo):
    base = git(repo, "rev-parse", "HEAD")
    run(repo, card(bash="echo > out.txt", verify="test -s out.txt"))
    shutil.rmtree(runs_of(repo) / "R" / "worktrees")
    report = unlinked((runs_of(repo) / "R" / "reports" / "T-1" / "report.md").read_text())
    head = git(repo, "rev-parse", "main")
    assert f"- Branch of the run: `waypost/R`, from commit `{base}`" in report
    assert f"- Result: commit `{head}`, verified as a whole, brought to `main`" in report
    assert "added | `out.txt`" in report
    script, again, _ = re.findall(r"```sh\n(.*?)```", report.partition("## Reproduction Guide")[2], re.DOTALL)
    assert subprocess.run(["bash", "-e", "-c", script], cwd=repo.parent).returncode == 0
    assert again == "waypost reproduce R\n"


def test_worktrees_inside_the_checkout_are_no_part_of_it(repo):
    path = write_card(repo.parent, steps_card(step_part("S1", "echo > a", "test -e a"), step_part("S2", ":", "true")))
    ran = waypost_here("run", path, "--isolate", "worktree", "--json", cwd=repo)
    assert (ran.code, ran.result["status"]) == (0, "DONE")
    assert set(files_at(repo, "main")) == {"README", "a"}
    assert git(repo, "status", "--porcelain") == ""
    assert waypost_here("clean", cwd=repo).code == 0
    assert branches(repo) == {"main"}


def test_a_run_that_is_not_isolated_makes_no_branch(repo):
    assert run(repo, card(bash="echo > out.txt"), "--isolate", "none").code == 0
    assert branches(repo) == {"main"}
