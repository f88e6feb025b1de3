"""The checks run once on the untouched tree before any worker: recorded, crash-safe, never laid at its door."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.batches import Wanted, run_batch, run_id_of
from kit.cards import card, step_part, steps_card, write_card
from kit.cli import Ran, waypost_here
from kit.forked import Commands, commands
from kit.isolated import run as run_isolated
from kit.waiting import wait_for
from waypost.state.records import Outcome

FAILED, PASSED = Outcome.FAILED, Outcome.PASSED
# Each run of the check leaves a line, and so does the worker: what came first can be read.
COUNTS = "echo check >> ../order; test -s out.txt"
WORK = "echo work >> ../order; echo x > out.txt"


@pytest.fixture(scope="module")
def orchestrators() -> Iterator[Commands]:
    with commands() as started:
        yield started


def runs_of(repo: Path) -> Path:
    return repo.parent / "runs"


def start(repo: Path, text: str, *options: str) -> Ran:
    path = write_card(repo.parent, text)
    where = ("--workspace", repo, "--runs", runs_of(repo), "--run-id", "R", "--json")
    return waypost_here("run", path, *where, "--max-rework", "0", *options, cwd=repo)


def state_of(repo: Path, run: str = "R") -> dict[str, Any]:
    return json.loads(waypost_here("status", run, "--runs", runs_of(repo), "--json", cwd=repo).out)["state"]


def before(repo: Path, run: str = "R") -> dict[str, Outcome]:
    return {check["id"]: check["outcome"] for check in state_of(repo, run)["before"]["checks"]}


def order(repo: Path) -> list[str]:
    path = repo.parent / "order"
    return path.read_text().split() if path.exists() else []


def test_each_command_runs_once_before_any_worker_and_its_outcome_is_recorded(repo):
    parts = (
        step_part("S1", WORK, COUNTS),
        step_part("S2", "echo work >> ../order", f"{COUNTS}", "S1"),
        step_part("S3", "echo work >> ../order", "test -e README", "S2"),
    )
    assert start(repo, steps_card(*parts)).code == 0
    assert order(repo)[:2] == ["check", "work"]
    assert before(repo) == {"0.S1.V1": FAILED, "0.S2.V1": FAILED, "0.S3.V1": PASSED}
    ran, same, _ = state_of(repo)["before"]["checks"]
    assert (runs_of(repo) / "R" / ran["log"]).is_file()
    assert (same["argv"], same["log"], same["reason"]) == ([], None, "exit code 1, as check 0.S1.V1 has found")
    audit = waypost_here("audit", "R", "--runs", runs_of(repo), "--json", cwd=repo)
    assert audit.code == 0, audit.out


def test_what_a_command_leaves_in_the_checkout_is_laid_at_nobodys_door_also_not_by_an_audit(repo):
    assert (
        start(repo, card(bash="echo x > out.txt", verify="touch left; test -s out.txt", scope="- `out.txt`")).code == 0
    )
    audit = waypost_here("audit", "R", "--runs", runs_of(repo), "--json", cwd=repo)
    assert audit.code == 0, audit.out


def test_two_checks_that_ask_other_things_of_one_command_are_told_apart_in_report_and_audit(repo):
    criteria = "- AC1: One. Verified by `ls` output `^out`\n- AC2: Two. Verified by `ls` output `^README`"
    assert start(repo, card(bash=WORK, criteria=criteria)).code == 0
    assert before(repo) == {"0.S1.V1": FAILED, "0.S1.V2": PASSED}
    report = (runs_of(repo) / "R" / "reports" / "T-1" / "report.md").read_text()
    rows = [line for line in report.splitlines() if line.startswith("| `S1` | `AC") and "0.S1" in line]
    assert ["red before, green after" in row for row in rows] == [True, False]
    assert "was green before" in rows[1]
    audit = waypost_here("audit", "R", "--runs", runs_of(repo), "--json", cwd=repo)
    assert audit.code == 0, audit.out


def test_no_baseline_is_recorded_with_who_said_so(repo):
    (repo / "waypost.toml").write_text("[verification]\nbaseline = false\n")
    assert start(repo, card(bash=WORK, verify=COUNTS)).code == 0
    assert order(repo)[0] == "work"
    assert state_of(repo)["before"]["skipped"] == f"[verification] baseline = false in {repo / 'waypost.toml'}"
    report = (runs_of(repo) / "R" / "reports" / "T-1" / "report.md").read_text()
    assert "The checks did not run before the work (" in report
    assert "baseline = false in" in report


def test_a_demand_to_see_it_fail_cannot_be_met_without_a_baseline(repo):
    ran = start(repo, card(bash=WORK, verify=COUNTS, red_before="all"), "--no-baseline")
    assert (ran.code, order(repo)) == (3, [])
    assert "the checks did not run (--no-baseline)" in ran.result["reason"]
    assert [choice for choice in ("--recover", "--recheck", "--give-up") if choice in ran.result["next"][0]] == [
        "--give-up"
    ]


def test_a_step_that_needs_approval_is_asked_about_after_the_baseline(repo):
    text = card(bash=WORK, verify=COUNTS) + "\n**Approval**: before dispatch\n"
    ran = start(repo, text)
    assert (ran.code, order(repo)) == (3, ["check"])
    assert waypost_here("approve", "R", "--runs", runs_of(repo), "--json", cwd=repo).code == 0
    assert order(repo) == ["check", "work", "check"]


def test_in_a_worktree_nothing_that_the_commands_leave_comes_to_the_work(repo):
    ran = run_isolated(repo, card(bash="test ! -e left; echo x > out.txt", verify="touch left; test -s out.txt"))
    assert ran.code == 0, ran.out
    assert before(repo) == {"0.S1.V1": FAILED}
    assert not (repo / "left").exists()


def test_each_run_of_a_batch_has_a_baseline_of_its_own_or_none(repo):
    tasks = {"T-1": Wanted("echo x > a", "test -s a"), "T-2": Wanted("echo x > b", "test -s a", waits_for=("T-1",))}
    assert run_batch(repo, tasks).code == 0
    assert before(repo, run_id_of(repo, "T-1")) == {"0.S1.V1": FAILED}
    assert before(repo, run_id_of(repo, "T-2")) == {"0.S1.V1": PASSED}
    assert run_batch(repo, {"T-3": Wanted("true", "true"), "T-4": Wanted()}, "--no-baseline", id="C").code == 0
    assert state_of(repo, run_id_of(repo, "T-3", "C"))["before"]["skipped"] == "--no-baseline"


@pytest.mark.parametrize("point", ["node.baseline.enter", "node.baseline.moved", "node.baseline.exit"])
def test_killed_at_any_point_of_the_baseline_it_is_whole_before_a_worker_starts(orchestrators, repo, point):
    path = write_card(repo.parent, card(bash=WORK, verify=COUNTS))
    where = ("--workspace", str(repo), "--runs", str(runs_of(repo)), "--run-id", "R")
    assert orchestrators.run("waypost", "run", str(path), *where, cwd=repo, failpoint=point) == -signal.SIGKILL
    assert orchestrators.run("waypost", "resume", "R", "--runs", str(runs_of(repo)), cwd=repo) == 0
    told = order(repo)
    assert told.count("work") == 1
    assert told[-3:] == ["check", "work", "check"]
    assert before(repo) == {"0.S1.V1": FAILED}


@pytest.mark.parametrize("end", ["kill", "drain"])
def test_stopped_while_a_command_of_the_baseline_runs_it_is_taken_anew(orchestrators, repo, end):
    verify = "echo check >> ../order; touch ../began; test -e ../go || exec sleep 600; test -s out.txt"
    path = write_card(repo.parent, card(bash=WORK, verify=verify))
    where = ("--workspace", str(repo), "--runs", str(runs_of(repo)), "--run-id", "R")
    process = orchestrators.start("waypost", "run", str(path), *where, cwd=repo)
    wait_for((repo.parent / "began").exists)
    if end == "kill":
        process.kill()
    else:
        process.terminate()
    assert process.wait() == (-signal.SIGKILL if end == "kill" else 4)
    assert order(repo) == ["check"]
    (repo.parent / "go").touch()
    assert orchestrators.run("waypost", "resume", "R", "--runs", str(runs_of(repo)), cwd=repo) == 0
    assert order(repo) == ["check", "check", "work", "check"]
    assert before(repo) == {"0.S1.V1": FAILED}


@pytest.mark.parametrize("name", ["run.log", "report.xml", "made.py"])
def test_what_the_worker_has_made_and_each_check_makes_anew_is_not_verified(repo, name):
    text = card(bash=f"echo x > out.txt; echo 1 > {name}", verify=f"date +%N > {name}; test -s out.txt")
    ran = start(repo, text)
    assert ran.code == 3
    told = json.dumps(ran.result)
    assert "changed by the checks each time they ran" in told
    assert name in told


def test_a_worker_s_file_is_not_excused_by_a_round_that_was_killed(orchestrators, repo):
    text = card(bash="echo x > out.txt; echo 1 > made.py", verify="date +%N > made.py; test -s out.txt")
    where = ("--workspace", str(repo), "--runs", str(runs_of(repo)), "--run-id", "R", "--max-rework", "0")
    words = ("run", str(write_card(repo.parent, text)), *where)
    assert orchestrators.run("waypost", *words, cwd=repo, failpoint="node.verify.moved") == -signal.SIGKILL
    assert waypost_here("resume", "R", "--runs", runs_of(repo), cwd=repo).code == 3


def test_what_the_checks_of_one_step_have_left_is_no_work_of_the_next(repo):
    parts = [step_part(f"S{n}", f"echo S{n} >> out.txt", "grep -q S out.txt && date +%N > made.py") for n in (1, 2)]
    assert start(repo, steps_card(*parts)).code == 0
