"""A batch that is stopped: by Ctrl-C, by SIGKILL at named instants, or because somebody else drives it."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager

import psutil
import pytest
from kit.batches import Wanted, order_of, report_of, resume_batch, run_batch, run_id_of, runs_of, tasks_file, told
from kit.cli import start_waypost, waypost, waypost_here
from kit.preloaded import Process
from kit.processes import gone

WAITS = "echo {id}-begins >> order; echo $$ >> pids; until [ -e go ]; do sleep 0.02; done; echo {id}-ends >> order"
SLOW = {id: Wanted(bash=WAITS.format(id=id)) for id in ("A", "B", "C")}


@contextmanager
def at_work(repo, tasks, *options: str):
    """A batch in a process of its own, once two of its tasks have begun."""
    path = tasks_file(repo.parent / "tasks.md", tasks)
    words = ("--workspace", repo, "--runs", runs_of(repo), "--run-id", "B", "--max-parallel", "2", "--json", *options)
    process = start_waypost("run", path, *words, cwd=repo)
    try:
        while len(pids(repo)) < 2:
            assert process.poll() is None
        yield process
    finally:
        (repo / "go").touch()
        process.kill()
        process.communicate()


def pids(repo) -> list[int]:
    path = repo / "pids"
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def events_of(process: Process, until: str | None = None) -> list[dict]:
    """What it says from now on, to its end or to an event."""
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        if events[-1]["event"] == until:
            return events
    process.wait(timeout=60)
    return events


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_tasks_and_leaves_their_workers_alive(repo, number):
    with at_work(repo, SLOW) as process:
        process.send_signal(number)
        result = events_of(process)[-1]
        assert (process.returncode, result["exit_code"]) == (4, 4)
        assert told(result) == {"A": "INTERRUPTED", "B": "INTERRUPTED", "C": "PENDING"}
        assert all(psutil.pid_exists(pid) for pid in pids(repo))
    again = resume_batch(repo)
    assert (again.code, told(again.events[-1])) == (0, dict.fromkeys("ABC", "DONE"))
    assert sorted(order_of(repo)) == sorted(f"{id}-{word}" for id in "ABC" for word in ("begins", "ends"))


def test_a_second_ctrl_c_stops_the_workers_of_all_runs(repo):
    with at_work(repo, SLOW) as process:
        process.send_signal(signal.SIGINT)
        events_of(process, until="draining")
        process.send_signal(signal.SIGINT)
        events = events_of(process)
        assert process.returncode == 4
        assert [event["workers"] for event in events if event["event"] == "stopping"] == [2]
        assert all(gone(pid) for pid in pids(repo))


def test_a_second_process_is_refused_while_the_batch_is_driven(repo):
    with at_work(repo, SLOW) as process:
        refused = waypost("resume", "B", "--runs", runs_of(repo), "--json", cwd=repo)
        error = json.loads(refused.out.splitlines()[-1])
        assert (refused.code, error["error"]) == (4, "LedgerConflict")
        assert str(process.pid) in json.dumps(error)
        listed = waypost_here("status", "B", "--runs", runs_of(repo), "--json", cwd=repo)
        assert json.loads(listed.out)["driver"] == f"pid {process.pid}"
        (repo / "go").touch()
        assert events_of(process)[-1]["status"] == "DONE"


def test_a_blocked_run_can_be_answered_while_the_others_go_on(repo):
    with at_work(
        repo, {**SLOW, "A": Wanted(bash="echo $$ >> pids", verify="[ -e mended ]")}, "--max-rework", "0"
    ) as process:
        while "A" not in told_now(repo, "BLOCKED"):
            assert process.poll() is None
        (repo / "mended").touch()
        run = json.loads((runs_of(repo) / "B" / "batch_request.json").read_text())["tasks"][0]["run_id"]
        answered = waypost_here("resume", run, "--recheck", "--runs", runs_of(repo), "--json", cwd=repo)
        assert answered.code == 0
        (repo / "go").touch()
        assert told(events_of(process)[-1]) == {"A": "BLOCKED", "B": "DONE", "C": "DONE"}
    assert told(resume_batch(repo).events[-1]) == dict.fromkeys("ABC", "DONE")


def told_now(repo, status: str) -> list[str]:
    listed = waypost_here("status", "B", "--runs", runs_of(repo), "--json", cwd=repo)
    return [id for id, found in told(json.loads(listed.out)).items() if found == status]


QUICK = {id: Wanted(bash=f"echo {id} >> order") for id in ("A", "B")}


@pytest.mark.parametrize(
    "failpoint",
    ["batch.task.made", "batch.work.started", "batch.work.ended:2", "node.extract.enter", "node.transition.exit:2"],
)
def test_a_batch_killed_at_a_named_instant_runs_every_task_once(repo, failpoint):
    assert run_batch(repo, QUICK, failpoint=failpoint).code == -signal.SIGKILL
    again = resume_batch(repo)
    assert (again.code, order_of(repo), told(report_of(repo))) == (0, ["A", "B"], dict.fromkeys("AB", "DONE"))


def test_a_branch_that_was_claimed_for_a_run_that_never_began_is_claimed_again(repo):
    options = ("--isolate", "worktree")
    assert run_batch(repo, QUICK, *options, failpoint="isolate.claim.after_branch").code == -signal.SIGKILL
    assert (resume_batch(repo).code, order_of(repo)) == (0, ["A", "B"])


def test_a_folder_that_holds_something_else_is_not_taken_for_a_run(repo):
    assert run_batch(repo, QUICK, failpoint="batch.work.started:1").code == -signal.SIGKILL
    run = json.loads((runs_of(repo) / "B" / "batch_request.json").read_text())["tasks"][1]["run_id"]
    (runs_of(repo) / run).mkdir()
    (runs_of(repo) / run / "precious").write_text("mine")
    again = resume_batch(repo)
    assert (again.code, told(again.events[-1])) == (3, {"A": "DONE", "B": "BLOCKED"})
    assert (runs_of(repo) / run / "precious").read_text() == "mine"


def test_a_batch_killed_before_its_first_checkpoint_is_shown_and_resumed(repo):
    assert run_batch(repo, QUICK, failpoint="batch.work.started").code == -signal.SIGKILL
    (runs_of(repo) / "B" / "ledger.jsonl").unlink()
    (runs_of(repo) / "B" / "watermark").unlink(missing_ok=True)
    listed = waypost_here("status", "--runs", runs_of(repo), "--json", cwd=repo)
    assert ("B", "INTERRUPTED") in [(row["run_id"], row["status"]) for row in map(json.loads, listed.out.splitlines())]
    assert (resume_batch(repo).code, run_id_of(repo, "A")[:2]) == (0, "A_")
