"""Restart recovery with real processes: killed by SIGKILL anywhere, resumed by id, the same end, nothing done twice."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from kit.cards import ORCHESTRATOR, card, step_part, steps_card, write_card
from kit.cli import Ran, command, environment, waypost, waypost_here

NODES = ("extract", "plan", "baseline", "dispatch", "verify", "transition")
POINTS = [
    *(f"node.{node}.{where}" for node in NODES for where in ("enter", "moved", "exit")),
    *(f"ledger.append.{where}:{nth}" for where in ("before", "after_write", "after_ack") for nth in (2, 4, 6, 8, 11)),
]
TWO_STEPS = steps_card(
    step_part("S1", "echo S1 >> work.txt", "grep -q S1 work.txt && echo V1 >> checks.log"),
    step_part("S2", "echo S2 >> work.txt", "grep -q S2 work.txt", "S1"),
)


def start(repo: Path, text: str, failpoint: str | None = None, *options: str) -> Ran:
    path = write_card(repo.parent, text)
    options = ("--workspace", str(repo), "--runs", str(repo.parent / "runs"), "--run-id", "R", "--json", *options)
    return waypost("run", path, *options, cwd=repo, failpoint=failpoint)


def resume(repo: Path, *options: str, failpoint: str | None = None) -> Ran:
    options = ("R", "--runs", str(repo.parent / "runs"), "--json", *options)
    return waypost("resume", *options, cwd=repo, failpoint=failpoint)


def essence(repo: Path) -> dict:
    """The state without what may differ between two runs: times, durations, and hashes of what holds times.

    The files too: the checks of these runs leave a line behind each time that they run.
    """
    shown = waypost_here("status", "R", "--runs", repo.parent / "runs", "--json", cwd=repo)
    state = json.loads(shown.out)["state"]
    times = {"at", "created_at", "started_at", "ended_at", "duration_s"}
    changing = times | {"sha256", "workspace", "baseline", "tree", "left_by_checks"}

    def clean(value):
        if isinstance(value, dict):
            return {name: clean(item) for name, item in value.items() if name not in changing}
        if isinstance(value, list):
            return [clean(item) for item in value]
        return value.replace(str(repo.parent), "") if isinstance(value, str) else value

    return clean(state)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    from kit.repos import make_repo

    repo = make_repo(tmp_path_factory.mktemp("undisturbed") / "repo")
    assert start(repo, TWO_STEPS).code == 0
    return essence(repo)


@pytest.mark.parametrize("point", POINTS)
def test_a_run_killed_at_any_point_ends_like_an_undisturbed_one(repo, undisturbed, point):
    killed = start(repo, TWO_STEPS, point)
    assert killed.code == -signal.SIGKILL
    resumed = resume(repo)
    assert (resumed.code, resumed.result["status"]) == (0, "DONE")
    assert essence(repo) == undisturbed
    assert Counter((repo / "work.txt").read_text().split()) == {"S1": 1, "S2": 1}


@pytest.mark.parametrize("node", NODES)
def test_a_stage_that_had_finished_is_not_executed_again(repo, node):
    killed = start(repo, TWO_STEPS, f"node.{node}.enter")
    resumed = resume(repo)
    whole = [*killed.finished(), *resumed.started()]
    assert whole == ["extract", "plan", "baseline", *["dispatch", "verify", "transition"] * 2]


def test_killed_again_and_again_it_still_ends_right(repo, undisturbed):
    start(repo, TWO_STEPS, "node.plan.enter")
    for point in ("node.dispatch.moved", "node.verify.enter", "node.verify.exit", "node.transition.moved"):
        assert resume(repo, failpoint=point).code == -signal.SIGKILL
    assert resume(repo).code == 0
    assert essence(repo) == undisturbed


def test_a_worker_that_was_running_when_we_were_killed_is_adopted(repo):
    kill = "kill -9 $(cat ../parent); sleep 0.3"
    text = card(bash=f"echo begin >> work.txt; {kill}; echo end >> work.txt", verify="true")
    path = write_card(repo.parent, text)
    runs = repo.parent / "runs"
    script = 'echo $$ > ../parent; exec "$@"'
    arguments = ["bash", "-c", script, "-", *command("run", path, "--workspace", repo, "--runs", runs, "--run-id", "R")]
    assert subprocess.run(arguments, cwd=repo, env=environment(), capture_output=True).returncode == -signal.SIGKILL
    resumed = resume(repo)
    assert resumed.code == 0
    assert (repo / "work.txt").read_text() == "begin\nend\n"
    assert len(list((runs / "R" / "dispatch" / "S1").iterdir())) == 1


def test_killed_by_its_own_check_it_verifies_again(repo):
    verify = f"test -e work.txt; [ -e second ] || {{ touch second; kill -9 {ORCHESTRATOR}; sleep 60; }}"
    killed = start(repo, card(bash="echo once >> work.txt", verify=verify))
    assert killed.code == -signal.SIGKILL
    resumed = resume(repo)
    assert (resumed.code, resumed.started()) == (0, ["verify", "transition"])
    assert (repo / "work.txt").read_text() == "once\n"


def test_resuming_what_is_done_says_so_and_starts_nothing(repo):
    start(repo, TWO_STEPS)
    again = resume(repo)
    assert (again.code, again.started()) == (0, [])


def blocked(repo: Path) -> Ran:
    ran = start(repo, card(bash="echo try >> tries", verify="test -e mended"), None, "--max-rework", "0")
    assert ran.code == 3
    return ran


def test_a_blocked_run_stays_blocked_until_somebody_decides(repo):
    first = blocked(repo)
    again = resume(repo)
    assert (again.code, again.started(), again.result["blocked"]) == (3, [], first.result["blocked"])


def test_a_person_may_mend_the_cause_and_recheck_without_paying_for_work_again(repo):
    blocked(repo)
    (repo / "mended").touch()
    ran = resume(repo, "--recheck", "--note", "made it by hand")
    assert (ran.code, ran.started()) == (0, ["person", "verify", "transition"])
    assert (repo / "tries").read_text() == "try\n"


def test_a_person_may_let_the_worker_try_again_with_fresh_reworks(repo):
    blocked(repo)
    (repo / "mended").touch()
    assert resume(repo, "--recover").code == 0
    assert (repo / "tries").read_text() == "try\ntry\n"


def test_a_person_may_give_up_and_the_decision_is_kept_with_name_and_reason(repo):
    blocked(repo)
    ran = resume(repo, "--give-up", "--note", "not worth it")
    assert (ran.code, ran.result["status"]) == (1, "FAILED")
    (decision,) = essence(repo)["decisions"]
    assert (decision["route"], decision["note"]) == ("give_up", "not worth it")
    assert decision["who"]


def test_a_decision_for_a_run_that_asks_nothing_is_refused(repo):
    start(repo, TWO_STEPS, "node.verify.enter")
    ran = resume(repo, "--give-up")
    assert (ran.code, ran.result["event"]) == (2, "error")


def test_a_tampered_ledger_is_refused_with_its_line(repo):
    start(repo, TWO_STEPS, "node.verify.enter")
    ledger = repo.parent / "runs" / "R" / "ledger.jsonl"
    lines = ledger.read_bytes().split(b"\n")
    number = next(i for i, line in enumerate(lines) if b"S1" in line)
    lines[number] = lines[number].replace(b"S1", b"S9", 1)
    ledger.write_bytes(b"\n".join(lines))
    ran = resume(repo)
    assert (ran.code, ran.result["error"]) == (1, "LedgerCorrupt")
    assert f"ledger.jsonl:{number + 1}" in ran.result["text"]


def test_the_files_for_people_show_the_end_of_a_run_whose_process_was_killed_before_it_could_show_it(repo):
    assert start(repo, card(bash="echo x > out.txt")).code == 0
    state = repo.parent / "runs" / "R" / "pipeline_state.json"
    state.unlink()
    assert resume(repo).code == 0
    assert json.loads(state.read_text())["values"]["status"] == "DONE"
