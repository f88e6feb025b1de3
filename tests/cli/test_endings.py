"""Nothing lies: each way not to be done ends with its own exit code and says why. Real processes, real commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.cards import card, write_card
from kit.cli import waypost, waypost_here


def run(repo: Path, text: str, *options: str):
    path = write_card(repo.parent, text)
    return waypost_here("run", path, "--workspace", repo, "--runs", repo.parent / "runs", "--json", *options, cwd=repo)


def test_work_that_is_proved_is_done_with_exit_code_0(repo):
    ran = run(repo, card(bash="echo done > out.txt"))
    assert (ran.code, ran.result["status"]) == (0, "DONE")
    assert [Path(path).name for path in ran.result["evidence"]] == ["report.md", "audit-summary.md", "verification.log"]
    assert all(Path(path).stat().st_size for path in ran.result["evidence"])


LIES = {
    "worker exits non-zero": (card(bash="echo done > out.txt; exit 7"), "exit code 7"),
    "worker says all tests passed and did nothing": (card(script="- lie: all tests passed"), "exit code 1"),
    "worker prints NOT APPROVED and did nothing": (card(script="- say: NOT APPROVED"), "exit code 1"),
    "worker crashes": (card(script="- write: {path: out.txt, text: x}\n- crash: true"), "exit code 137"),
    "worker prints a fake verdict": (card(bash="echo 'Exit Code: 0'; echo PASSED"), "exit code 1"),
    "verification command fails": (card(bash="true", verify="false"), "false: exit code 1"),
    "failure on the left of a pipe": (card(bash="true", verify="false | cat"), "exit code 1"),
    "expected output missing": (card(bash="true", verify="true", outputs="- `gone.txt`"), "gone.txt is missing"),
    "expected output empty": (card(bash="touch e.txt", verify="true", outputs="- `e.txt`"), "e.txt is empty"),
    "change outside the scope": (
        card(bash="echo x > out.txt; echo x > README", scope="- `out.txt`"),
        "changed outside the Allowed Scope: README",
    ),
}


@pytest.mark.parametrize(("text", "said"), LIES.values(), ids=LIES)
def test_a_failure_is_blocked_once_its_reworks_are_used_up_and_says_why(repo, text, said):
    worker = "scripted" if "```scripted" in text else "shell"
    ran = run(repo, text, "--max-rework", "1", "--worker", worker)
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert said in " ".join(ran.result["blocked"]["reasons"])
    assert sorted(path.name for path in Path(ran.result["run_dir"], "dispatch", "S1").iterdir()) == [
        "attempt-1",
        "attempt-2",
    ]


def test_a_worker_that_has_nothing_to_run_is_blocked_without_a_second_try(repo):
    ran = run(repo, card(script="[]"), "--max-rework", "1")
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert "no commands for the shell worker; next: add a fenced" in ran.result["blocked"]["reasons"][0]
    assert [path.name for path in Path(ran.result["run_dir"], "dispatch", "S1").iterdir()] == ["attempt-1"]


UNVERIFIABLE = {
    "verification command missing and no equivalent": (
        card(bash="echo x > out.txt", verify="nosuchtool --check"),
        "command not found: nosuchtool",
    ),
    "make target missing and no equivalent": (card(bash="true", verify="make nosuch"), 'no rule for "nosuch"'),
    "equivalent missing too": (
        card(
            bash="true",
            criteria="- AC1: It works. Verified by V1",
            verification="- V1: `nosuchtool`\n  - equivalent: `alsomissing`",
        ),
        "command not found: alsomissing",
    ),
    "criterion without any check": (
        card(bash="true", criteria="- AC1: Proved. Verified by `true`\n- AC2: It is beautiful."),
        "AC2",
    ),
    "task without criteria": (card(bash="true", criteria=""), "no acceptance criteri"),
}


@pytest.mark.parametrize(("text", "said"), UNVERIFIABLE.values(), ids=UNVERIFIABLE)
def test_what_cannot_be_verified_is_blocked_and_never_done(repo, text, said):
    ran = run(repo, text)
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert said in ran.result["reason"]


@pytest.mark.parametrize("name", ["criterion without any check", "task without criteria"])
def test_what_could_never_be_proved_is_said_before_any_work_is_paid_for(repo, name):
    ran = run(repo, UNVERIFIABLE[name][0])
    assert ran.started() == ["extract", "plan", "person"]
    assert not Path(ran.result["run_dir"], "dispatch").exists()


def test_a_verification_command_that_hangs_is_stopped_and_not_a_pass(repo):
    ran = run(repo, card(bash="true", verify="sleep 600"), "--check-timeout-s", "0.3", "--max-rework", "0")
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert "timed out after 0.3 s" in ran.result["reason"]


def test_a_worker_that_hangs_is_stopped_and_not_a_success(repo):
    ran = run(repo, card(script="- hang: true"), "--worker", "scripted", "--step-timeout-s", "0.3", "--max-rework", "0")
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert "timed_out" in ran.result["reason"]


def test_rework_is_fed_with_the_failing_output_and_stops_at_the_limit(repo):
    text = card(bash='echo "$WAYPOST_ATTEMPT" >> tries; false', verify="true")
    ran = run(repo, text, "--max-rework", "3")
    folders = sorted(Path(ran.result["run_dir"], "dispatch", "S1").iterdir())
    assert (ran.code, (repo / "tries").read_text().split()) == (3, ["1", "2", "3", "4"])
    assert [folder.name for folder in folders] == [f"attempt-{n}" for n in (1, 2, 3, 4)]
    assert all((folder / "exit.json").exists() for folder in folders)


def test_a_rework_that_mends_the_failure_is_done(repo):
    mend = 'if grep -q "missing-4[2]" "$WAYPOST_PROMPT"; then echo needle > out.txt; fi'
    check = "grep -q needle out.txt || { echo missing-$((40 + 2)); exit 1; }"
    ran = run(repo, card(bash=mend, verify=check))
    assert (ran.code, ran.result["attempts"]) == (0, 2)


def test_a_missing_baseline_is_replaced_by_its_equivalents_and_the_mapping_is_written_down(repo):
    text = card(
        bash="echo x > out.txt",
        criteria="- AC1: It works. Verified by V1",
        verification="- V1: `make test-orchestrator`\n  - equivalent: `test -s out.txt`\n  - equivalent: `true`",
    )
    ran = run(repo, text)
    assert ran.code == 0
    report = Path(ran.result["evidence"][0]).read_text()
    assert "make test-orchestrator" in report
    assert "make has no rule for" in report


def test_a_baseline_that_exists_and_fails_is_not_excused_by_an_equivalent(repo):
    (repo / "Makefile").write_text("check:\n\tfalse\n")
    text = card(
        bash="true",
        criteria="- AC1: It works. Verified by V1",
        verification="- V1: `make check`\n  - equivalent: `true`",
    )
    ran = run(repo, text, "--max-rework", "0")
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")


def test_a_used_up_budget_is_blocked(repo):
    ran = run(repo, card(bash="sleep 0.3", verify="false"), "--budget-s", "0.1")
    assert (ran.code, ran.result["attempts"]) == (3, 1)
    assert "the limit is 0.1 s" in ran.result["reason"]


def test_what_a_worker_left_in_the_background_is_killed_before_the_checks(repo):
    hidden = "setsid sh -c 'echo $$ > pid; exec sleep 600' >/dev/null 2>&1 & until [ -s pid ]; do :; done"
    ran = run(repo, card(bash=f"{hidden}; echo x > out.txt", verify="! kill -0 $(cat pid)"), "--max-rework", "0")
    assert (ran.code, ran.result["status"]) == (0, "DONE")


AFTERWARDS = {
    "deletes an expected output": ("rm out.txt", "out.txt is missing"),
    "changes a file outside the scope": ("echo x >> README", "changed outside the Allowed Scope: README"),
}


@pytest.mark.parametrize(("command", "said"), AFTERWARDS.values(), ids=AFTERWARDS)
def test_outputs_and_scope_are_what_they_are_after_the_last_command(repo, command, said):
    whole = f"**Acceptance Criteria**\n\n- Whole. Verified by `{command}`"
    step = card(bash="echo x > out.txt", verify="true", outputs="- `out.txt`", scope="- `out.txt`")
    fields = step.partition("**Concrete Actions**")
    text = f"{fields[0]}{whole}\n\n#### Step S1: A step\n\n{fields[1]}{fields[2]}"
    ran = run(repo, text, "--max-rework", "0")
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert said in " ".join(ran.result["blocked"]["reasons"])


def test_a_repository_that_was_replaced_is_not_believed(repo):
    remade = "rm -rf .git; git init -q; git add -A; git -c user.name=a -c user.email=a@b commit -qm x"
    ran = run(repo, card(bash=f"echo x > out.txt; {remade}"), "--max-rework", "0")
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert "git rev-parse failed" in ran.result["reason"]


def test_a_worker_that_deletes_the_workspace_is_told_of_without_a_traceback(repo):
    path = write_card(repo.parent, card(bash="cd ..; rm -rf repo"))
    ran = waypost("run", path, "--runs", repo.parent / "runs", "--run-id", "R", "--max-rework", "0", cwd=repo)
    assert (ran.code, ran.err) == (3, "")
    assert "BLOCKED" in ran.out
