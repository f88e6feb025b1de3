"""How an isolated run begins, and how its result gets to the user: fast-forwarded or asked about, nothing lost."""

from __future__ import annotations

import pytest
from kit.cards import card, step_part, steps_card, write_card
from kit.cli import waypost_here
from kit.isolated import branches, checkout, files_at, resume, run, run_tree, runs_of, state_of
from kit.repos import GIT, git, make_repo

GOOD = card(bash="echo > out.txt")


def commit_on_main(repo, name="users", text="mine"):
    """A worker's script that commits in the user's checkout, as the user would while a run works."""
    commit = " ".join([*GIT, "commit", "-qm", "mine"])
    return f"(cd {repo} && echo {text} > {name} && git add {name} && {commit})"


@pytest.mark.parametrize("how", ["changed", "staged", "deleted", "untracked"])
def test_a_checkout_with_uncommitted_work_is_refused_and_nothing_is_written(repo, how):
    if how in ("changed", "staged"):
        (repo / "README").write_text("changed\n")
    if how == "staged":
        git(repo, "add", "README")
    if how == "deleted":
        (repo / "README").unlink()
    if how == "untracked":
        (repo / "new").write_text("x")
    before = checkout(repo)
    ran = run(repo, GOOD)
    assert (ran.code, ran.result["error"]) == (2, "InputError")
    assert ran.result["facts"]["not committed"] == ("new" if how == "untracked" else "README")
    assert "git stash" in ran.result["next"]
    assert (checkout(repo), branches(repo), runs_of(repo).exists()) == (before, {"main"}, False)


def test_the_task_file_itself_need_not_be_committed(repo):
    path = write_card(repo, GOOD)
    where = ("--workspace", repo, "--runs", runs_of(repo), "--run-id", "R", "--json", "--isolate", "worktree")
    assert waypost_here("run", path, *where, cwd=repo).code == 0


def test_a_detached_head_is_refused_unless_the_result_stays_on_its_own_branch(repo):
    git(repo, "checkout", "-q", "--detach")
    ran = run(repo, GOOD)
    assert (ran.code, ran.result["error"]) == (2, "InputError")
    assert "--merge none" in ran.result["next"]
    assert run(repo, GOOD, "--merge", "none").code == 0
    assert git(repo, "show", "--name-only", "--format=", "waypost/R") == "out.txt"


@pytest.mark.parametrize("name", ["waypost", "waypost/R", "waypost-step"])
def test_a_branch_that_is_in_the_way_is_refused_and_left_alone(repo, name):
    git(repo, "branch", name)
    ran = run(repo, GOOD)
    assert (ran.code, ran.result["error"]) == (2, "InputError")
    assert name in ran.result["text"]
    assert branches(repo) == {"main", name}
    assert not (runs_of(repo) / "R").exists()


def test_a_branch_that_moved_on_is_a_question_and_a_recheck_merges_and_verifies_it(repo):
    seen = repo.parent / "seen"
    ran = run(repo, card(bash=f"echo > out.txt; {commit_on_main(repo)}", verify=f"ls > {seen}", scope="- out.txt"))
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    theirs = git(repo, "rev-parse", "main")
    assert theirs in ran.result["blocked"]["reasons"][0]
    assert "mine" in ran.result["blocked"]["reasons"][1]
    again = resume(repo, "--recheck")
    assert (again.code, again.result["status"], again.result["attempts"]) == (0, "DONE", 1)
    assert seen.read_text().split() == ["README", "out.txt", "users"]
    assert set(files_at(repo, "main")) == {"README", "out.txt", "users"}
    assert git(repo, "rev-parse", "main") == state_of(repo)["isolated"]["verified"]


def test_a_branch_that_moved_on_and_conflicts_is_resolved_in_the_runs_worktree(repo):
    run(repo, card(bash=f"echo ours > out.txt; {commit_on_main(repo, 'out.txt', 'theirs')}"))
    ran = resume(repo, "--recheck")
    assert (ran.code, ran.result["blocked"]["reasons"]) == (3, ["in conflict: out.txt"])
    assert "recover" not in ran.result["blocked"]["question"]
    assert (repo / "out.txt").read_text() == "theirs\n"
    (run_tree(repo) / "out.txt").write_text("both\n")
    git(run_tree(repo), "add", "out.txt")
    assert resume(repo, "--recheck").code == 0
    assert (repo / "out.txt").read_text() == "both\n"


@pytest.mark.parametrize("work", ["tracked", "untracked in the way", "ignored in the way"])
def test_work_that_the_user_began_meanwhile_is_never_overwritten(tmp_path, work):
    repo = make_repo(tmp_path / "repo", {"README": "start\n", ".gitignore": "*.ign\n"})
    mine = {"tracked": "README", "untracked in the way": "out.txt", "ignored in the way": "out.ign"}[work]
    bash = f"echo run > out.txt; echo run > out.ign; git add -f out.ign; echo mine > {repo}/{mine}"
    bash += "; git -c user.name=T -c user.email=t@localhost commit -qm ign"
    ran = run(repo, card(bash=bash))
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert any(mine in reason for reason in ran.result["blocked"]["reasons"])
    assert (repo / mine).read_text() == "mine\n"
    git(repo, "stash", "-q", "--all")
    assert resume(repo, "--recheck").code == 0
    assert (repo / "out.txt").read_text() == "run\n"
    assert "mine" in git(repo, "stash", "show", "-p", "--include-untracked", "stash@{0}")


def test_another_branch_in_the_checkout_is_a_question(repo):
    ran = run(repo, card(bash=f"echo > out.txt; git -C {repo} switch -qc other"))
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert "git switch main" in ran.result["blocked"]["question"]
    git(repo, "switch", "-q", "main")
    assert resume(repo, "--recheck").code == 0


def test_a_result_that_the_user_has_taken_by_hand_is_done(repo):
    run(repo, card(bash=f"echo > out.txt; git -C {repo} switch -qc other"))
    git(repo, "switch", "-q", "main")
    git(repo, "merge", "-q", "waypost/R")
    assert resume(repo, "--recheck").code == 0


def test_a_branch_that_was_rewound_is_left_as_it_is(repo):
    git(repo, "commit", "-q", "--allow-empty", "-m", "second")
    ran = run(repo, card(bash=f"echo > out.txt; git -C {repo} reset -q --hard HEAD~1"))
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert "no longer holds the commit that the run began with" in ran.result["blocked"]["question"]
    assert git(repo, "log", "--format=%s", "main") == "start"


def test_a_lock_of_another_git_is_not_removed(repo):
    lock = repo / ".git" / "index.lock"
    ran = run(repo, card(bash=f"echo > out.txt; touch {lock}"))
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert ran.result["blocked"]["reasons"] == [f"{lock} exists"]
    lock.unlink()
    assert resume(repo, "--recheck").code == 0


def test_a_person_may_mend_files_in_the_worktrees_of_a_blocked_run(repo):
    text = steps_card(
        step_part("S1", "echo bad > a", "grep -q good a"),
        step_part("S2", "echo 2 > b", "test -s b && test ! -e c", "S1"),
    )
    ran = run(repo, text, "--max-rework", "0")
    (runs_of(repo) / "R" / "worktrees" / "steps" / "S1" / "a").write_text("good\n")
    ran = resume(repo, "--recheck")
    assert (ran.code, ran.result["attempts"]) == (0, 2)
    assert (repo / "a").read_text() == "good\n"
    assert any(subject.startswith("S1: mended by") for subject in git(repo, "log", "--format=%s").splitlines())


def test_a_path_with_spaces_and_unicode_and_a_workspace_that_is_a_subfolder(tmp_path):
    top = make_repo(tmp_path / "my répo ⛰", {"app/ä.txt": "x\n", "other": "y\n"})
    text = card(
        bash="test -s ä.txt; echo > 'new ü.txt'",
        verify="test -e 'new ü.txt'",
        outputs="- `new ü.txt`",
        scope="- `*.txt`",
    )
    ran = run(top, text, workspace=top / "app")
    assert ran.code == 0
    assert (top / "app" / "new ü.txt").exists()
    outside = run(
        top, card(bash="echo > ../beside", verify="true", scope="- `**`"), "--run-id", "R2", workspace=top / "app"
    )
    assert (outside.code, outside.result["status"]) == (3, "BLOCKED")
    assert "../beside" in outside.result["reason"]


def test_a_submodule_stays_an_empty_folder_in_worktrees_and_as_it_is_in_the_result(tmp_path):
    library = make_repo(tmp_path / "library", {"lib.txt": "x\n"})
    repo = make_repo(tmp_path / "repo")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    git(repo, "commit", "-qm", "lib")
    before = git(repo, "rev-parse", "main:lib")
    ran = run(repo, card(bash="test -d lib; test ! -e lib/lib.txt; echo > out.txt"))
    assert ran.code == 0
    assert git(repo, "rev-parse", "main:lib") == before
    assert (repo / "lib" / "lib.txt").exists()
    assert state_of(repo)["isolated"]["submodules"] == ["lib"]
    assert "lib" in (runs_of(repo) / "R" / "reports" / "T-1" / "report.md").read_text()
