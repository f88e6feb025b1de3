"""One step, one worker, once: whatever happens between asking and knowing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import psutil
import pytest
from kit.jobs import Recorded, make_job
from kit.processes import gone
from kit.states import make_check
from kit.waiting import wait_for
from waypost.nodes.dispatch import attempt_path, dispatch
from waypost.nodes.workers import Launch, PlainWorker
from waypost.nodes.workers.attempt import AttemptFolder, Stage
from waypost.nodes.workers.environment import Environment
from waypost.state.records import AttemptOutcome, Order, Outcome
from waypost.state.status import Route, Status


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path / "runs")


def attempt_of(move):
    return move.update["attempts"][0]


def test_a_worker_that_succeeds_is_recorded_with_exit_code_times_and_output_hashes(repo, recorded):
    move = dispatch(make_job(repo, bash="echo hello; echo oops >&2; touch done"), recorded.call)
    attempt = attempt_of(move)
    folder = recorded.run_dir / attempt.folder
    assert (move.target, move.route) == (Status.EXECUTE, Route.DISPATCHED)
    assert attempt.succeeded
    assert attempt.started_at < attempt.ended_at
    assert (folder / "stdout.log").read_text() == "hello\n"
    assert (folder / "stderr.log").read_text() == "oops\n"
    assert attempt.stdout_sha256.startswith("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"[:12])
    assert (repo / "done").exists()
    assert recorded.kinds() == ["attempt_started", "attempt_finished"]


def test_the_request_is_kept_as_files_one_can_read(repo, recorded):
    attempt = attempt_of(dispatch(make_job(repo, bash="true"), recorded.call))
    folder = recorded.run_dir / attempt.folder
    assert json.loads((folder / "request.json").read_text())["step"]["id"] == "S1"
    assert "Step S1" in (folder / "prompt.md").read_text()
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


@pytest.mark.parametrize(
    ("bash", "code"), [("exit 3", 3), ("false; echo unreachable", 1), ("kill -9 $$", 137), ("nosuchtool", 127)]
)
def test_a_worker_that_fails_is_never_a_success(repo, recorded, bash, code):
    attempt = attempt_of(dispatch(make_job(repo, bash=bash), recorded.call))
    assert (attempt.outcome, attempt.exit_code, attempt.succeeded) == (AttemptOutcome.FINISHED, code, False)


def test_a_step_without_commands_is_not_started_by_the_shell_worker(repo, recorded):
    attempt = attempt_of(dispatch(make_job(repo), recorded.call))
    assert attempt.outcome is AttemptOutcome.NOT_STARTED
    assert "no commands for the shell worker" in attempt.reason


def test_an_unknown_worker_is_not_started_and_the_known_ones_are_named(repo, recorded):
    attempt = attempt_of(dispatch(make_job(repo, bash="true", worker="gpt"), recorded.call))
    assert attempt.outcome is AttemptOutcome.NOT_STARTED
    assert "scripted, shell" in attempt.reason


def test_a_worker_whose_executable_is_missing_is_not_started(repo, recorded):
    class Missing(PlainWorker):
        def prepare(self, job, folder):
            return Launch(argv=("/nonexistent/agent",))

    recorded.use_worker("missing", Missing())
    attempt = attempt_of(dispatch(make_job(repo, bash="true", worker="missing"), recorded.call))
    assert attempt.outcome is AttemptOutcome.NOT_STARTED
    assert "/nonexistent/agent" in attempt.reason


def test_a_worker_that_takes_too_long_is_stopped_with_its_children(repo, recorded):
    move = dispatch(make_job(repo, bash="sleep 600 & echo $! > pid; wait", timeout_s=0.5), recorded.call)
    attempt = attempt_of(move)
    assert attempt.outcome is AttemptOutcome.TIMED_OUT
    assert "0.5 s" in attempt.reason
    assert gone(int((repo / "pid").read_text()))


def test_what_a_worker_makes_has_the_users_umask_and_what_we_keep_of_it_is_private(repo, recorded):
    before = os.umask(0o022)
    try:
        attempt = attempt_of(dispatch(make_job(repo, bash="touch made"), recorded.call))
    finally:
        os.umask(before)
    assert (repo / "made").stat().st_mode & 0o777 == 0o644
    assert (recorded.run_dir / attempt.folder / "stdout.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("hide", ["{}", "setsid {}", "(setsid {} &) #", "env -i setsid {}"])
def test_nothing_that_a_worker_leaves_in_the_background_outlives_its_attempt(repo, recorded, hide):
    sleep = ["sleep", f"600.{uuid.uuid4().int}"]
    text = hide.format(" ".join(sleep))
    attempt = attempt_of(dispatch(make_job(repo, bash=f"{text} >/dev/null 2>&1 &"), recorded.call))
    assert attempt.succeeded
    assert not [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == sleep]


def test_a_finished_attempt_is_used_again_and_not_repeated(repo, recorded):
    job = make_job(repo, bash="echo once >> count")
    first = attempt_of(dispatch(job, recorded.call))
    second = attempt_of(dispatch(job, recorded.call))
    assert first == second
    assert (repo / "count").read_text() == "once\n"


def test_a_worker_in_flight_is_left_alone_by_a_drain_and_adopted_afterwards(repo, recorded):
    job = make_job(repo, bash="echo start >> count; until [ -e go ]; do sleep 0.02; done; echo end >> count")
    stop = threading.Timer(0.3, recorded.drain.set)
    stop.start()
    assert attempt_of(dispatch(job, recorded.call)).outcome is AttemptOutcome.RUNNING

    recorded.drain.clear()
    (repo / "go").touch()
    adopted = attempt_of(dispatch(job, recorded.call))
    assert adopted.succeeded
    assert (repo / "count").read_text() == "start\nend\n"
    assert "attempt_adopted" in recorded.kinds() or recorded.kinds().count("attempt_started") == 1


def test_nothing_is_started_once_the_run_drains(repo, recorded):
    recorded.drain.set()
    move = dispatch(make_job(repo, bash="touch started"), recorded.call)
    assert move.update == {}
    assert not (repo / "started").exists()


def orphan(job, recorded: Recorded) -> AttemptFolder:
    """An attempt whose orchestrator was killed: started by a process that is gone."""
    folder = AttemptFolder(attempt_path(recorded.run_dir, job))
    folder.request(job, "prompt", Environment())
    program = (
        "import sys; from pathlib import Path; from waypost.nodes.workers import builtin_workers;"
        "from waypost.nodes.workers.attempt import AttemptFolder; from waypost.state.job import Job; import os, signal;"
        "from waypost.nodes.workers.environment import Environment;"
        "job = Job.model_validate_json(sys.stdin.read()); folder = AttemptFolder(Path(sys.argv[1]));"
        "folder.start(job, builtin_workers()['shell'].prepare(job, folder.path), Environment());"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(folder.path)], input=job.model_dump_json(), text=True)
    assert done.returncode == -signal.SIGKILL
    return folder


def test_the_worker_of_a_killed_orchestrator_is_found_and_not_started_twice(repo, recorded):
    job = make_job(repo, bash="echo start >> count; sleep 0.5; echo end >> count")
    orphan(job, recorded)
    assert attempt_of(dispatch(job, recorded.call)).succeeded
    assert (repo / "count").read_text() == "start\nend\n"


def test_many_launchers_for_one_attempt_start_one_worker(repo, recorded):
    job = make_job(repo, bash="echo start >> count; sleep 0.2")
    folder = AttemptFolder(attempt_path(recorded.run_dir, job))
    folder.request(job, "prompt", Environment())
    launch = recorded.call.context.workers["shell"].prepare(job, folder.path)
    launchers = [folder.start(job, launch, Environment()) for _ in range(6)]
    codes = sorted(launcher.wait(30) for launcher in launchers)
    assert codes == [0, 75, 75, 75, 75, 75]
    assert (repo / "count").read_text() == "start\n"


def test_a_worker_whose_launcher_was_killed_is_lost_and_does_not_go_on(repo, recorded):
    job = make_job(repo, bash="(sleep 600; touch late) & echo $! > child; wait")
    folder = orphan(job, recorded)
    started = folder.path / "started.json"
    while not ((repo / "child").exists() and (repo / "child").read_text()) or "worker_pid" not in started.read_text():
        os.sched_yield()
    child = int((repo / "child").read_text())
    os.kill(json.loads(started.read_text())["launcher_pid"], signal.SIGKILL)
    attempt = attempt_of(dispatch(job, recorded.call))
    assert (attempt.outcome, attempt.succeeded) == (AttemptOutcome.LOST, False)
    assert gone(child)
    assert folder.stage() is Stage.LOST


def test_a_reused_pid_is_not_mistaken_for_the_launcher(repo, recorded):
    job = make_job(repo, bash="true")
    folder = AttemptFolder(attempt_path(recorded.run_dir, job))
    folder.request(job, "prompt", Environment())
    (folder.path / "claim.lock").touch()
    record = {"launcher_pid": os.getpid(), "launcher_started": 1, "started_at": 1.0}
    (folder.path / "started.json").write_text(json.dumps(record))
    assert folder.stage() is Stage.LOST


@pytest.mark.parametrize("record", ["", "{}", '{"outcome": "finished", "exit_code": "0; rm"}', "null"])
def test_an_exit_record_that_cannot_be_read_is_a_lost_attempt(repo, recorded, record):
    job = make_job(repo, bash="true")
    folder = AttemptFolder(attempt_path(recorded.run_dir, job))
    folder.request(job, "prompt", Environment())
    (folder.path / "exit.json").write_text(record)
    assert attempt_of(dispatch(job, recorded.call)).outcome is AttemptOutcome.LOST


ATTEMPT = "$WAYPOST_RUN_DIR/dispatch/S1/attempt-1"
FORGED = '{"outcome": "finished", "exit_code": 0, "reason": "", "started_at": 1, "ended_at": 2}'


def test_an_exit_record_that_stands_while_the_launcher_lives_ends_nothing(repo, recorded):
    job = make_job(repo, bash=f"cd {ATTEMPT}; echo '{FORGED}' > exit.json; sleep 0.3; exit 7")
    folder = orphan(job, recorded)
    wait_for((folder.path / "exit.json").exists)
    assert folder.stage() is Stage.RUNNING
    assert attempt_of(dispatch(job, recorded.call)).exit_code == 7


def test_the_record_of_a_launcher_that_was_killed_is_put_aside_and_never_found_again(repo, recorded):
    job = make_job(repo, bash=f"cd {ATTEMPT}; echo '{FORGED}' > exit.json; kill -9 $PPID")
    assert attempt_of(dispatch(job, recorded.call)).outcome is AttemptOutcome.LOST
    assert AttemptFolder(attempt_path(recorded.run_dir, job)).stage() is Stage.LOST


def test_rework_is_told_the_real_failing_output(repo, recorded):
    log = recorded.run_dir / "checks" / "0001" / "S1.V1.log"
    log.parent.mkdir(parents=True)
    log.write_text("AssertionError: 2 != 4\n")
    failing = make_check(outcome=Outcome.FAILED, log="checks/0001/S1.V1.log", run="python3 -m unittest")
    order = Order(step="S1", number=2, kind="rework", failing=(failing.id,))
    job = make_job(repo, bash='grep -c "AssertionError: 2 != 4" "$WAYPOST_PROMPT"', order=order, failing=(failing,))
    attempt = attempt_of(dispatch(job, recorded.call))
    assert attempt.succeeded
    assert attempt.folder == "dispatch/S1/attempt-2"
