"""What the launcher takes care of, whatever happens to us: limits, output, variables, the end of the whole family."""

from __future__ import annotations

import json
import os
import threading
import uuid
from pathlib import Path

import psutil
import pytest
from kit.jobs import Recorded, make_job
from kit.processes import gone
from kit.secrets import core_of, fifty, token
from kit.waiting import wait_for
from waypost.nodes.dispatch import attempt_path, dispatch
from waypost.nodes.workers import Environment, Launch, PlainWorker, stop_attempts
from waypost.nodes.workers import attempt as attempts
from waypost.nodes.workers.attempt import AttemptFolder, Stage
from waypost.state.records import AttemptOutcome


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path / "runs")


def run(repo, recorded: Recorded, bash: str, **fields):
    """The attempt, and the folder it left."""
    attempt = dispatch(make_job(repo, bash=bash, **fields), recorded.call).update["attempts"][0]
    return attempt, recorded.run_dir / attempt.folder


def test_the_request_names_the_attempt_by_run_step_and_number(repo, recorded):
    _, folder = run(repo, recorded, "true")
    assert json.loads((folder / "request.json").read_text())["key"] == f"{recorded.run_dir.name}/S1/1"


def test_the_end_is_recorded_with_times_and_what_was_used(repo, recorded):
    _, folder = run(repo, recorded, "echo ä; exit 4")
    record = json.loads((folder / "exit.json").read_text())
    assert (record["outcome"], record["exit_code"], record["output_bytes"]) == ("finished", 4, 3)
    assert record["started_at"] < record["ended_at"]
    assert min(record["duration_s"], record["cpu_s"], record["max_rss_bytes"]) > 0


def test_a_worker_that_prints_too_much_is_ended_and_exactly_the_limit_is_kept(repo, recorded):
    attempt, folder = run(repo, recorded, "yes & yes >&2", output_limit_bytes=300_001)
    assert attempt.outcome is AttemptOutcome.TOO_MUCH_OUTPUT
    assert "300001 bytes" in attempt.reason
    assert sum((folder / name).stat().st_size for name in ("stdout.log", "stderr.log")) == 300_001


def test_output_up_to_the_limit_is_no_failure(repo, recorded):
    attempt, folder = run(repo, recorded, "head -c 300000 /dev/zero", output_limit_bytes=300_000)
    assert attempt.succeeded
    assert (folder / "stdout.log").stat().st_size == 300_000


def test_what_is_written_just_before_the_end_is_kept_to_the_last_byte(repo, recorded):
    attempt, folder = run(repo, recorded, "head -c 3000000 /dev/zero | tr '\\0' x; printf end; printf err >&2")
    assert attempt.succeeded
    assert (folder / "stdout.log").read_bytes() == b"x" * 3_000_000 + b"end"
    assert (folder / "stderr.log").read_bytes() == b"err"


def test_bytes_that_are_no_text_pass_unchanged(repo, recorded):
    (repo / "bytes").write_bytes(bytes(range(256)) * 20)
    _, folder = run(repo, recorded, "cat bytes; cat bytes >&2")
    assert (folder / "stdout.log").read_bytes() == (folder / "stderr.log").read_bytes() == bytes(range(256)) * 20


@pytest.mark.parametrize("hide", ["{} &", "setsid {} &", "(setsid {} &) &", "env -i setsid {} &"])
def test_a_process_that_holds_the_output_open_does_not_make_us_wait(repo, recorded, hide):
    sleep = ["sleep", f"600.{uuid.uuid4().int}"]
    attempt, folder = run(repo, recorded, f"{hide.format(' '.join(sleep))}\necho done", timeout_s=120)
    assert attempt.succeeded
    assert (folder / "stdout.log").read_text() == "done\n"
    assert not [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == sleep]


def test_a_worker_may_end_in_its_own_way_when_its_time_is_up(repo, recorded):
    bash = "trap 'echo bye; exit 0' TERM; touch ready; while :; do sleep 0.02; done"
    attempt, folder = run(repo, recorded, bash, timeout_s=0.5)
    assert (attempt.outcome, attempt.exit_code) == (AttemptOutcome.TIMED_OUT, 0)
    assert (folder / "stdout.log").read_text() == "bye\n"


def test_a_worker_that_will_not_end_is_killed_with_all_that_it_started(repo, recorded):
    bash = "trap '' TERM; setsid bash -c 'trap \"\" TERM; echo $$ > far; sleep 600' & sleep 600; sleep 600"
    attempt, _ = run(repo, recorded, bash, timeout_s=0.5)
    assert (attempt.outcome, attempt.exit_code) == (AttemptOutcome.TIMED_OUT, 137)
    assert gone(int((repo / "far").read_text()))


def test_standard_input_is_the_file_that_the_worker_names(repo, recorded):
    class Reader(PlainWorker):
        def prepare(self, job, folder):
            return Launch(argv=("cat",), stdin="prompt.md")

    recorded.use_worker("reader", Reader())
    _, folder = run(repo, recorded, "true", worker="reader")
    assert (folder / "stdout.log").read_bytes() == (folder / "prompt.md").read_bytes() != b""


@pytest.mark.parametrize("stdin", ["../../../../etc/passwd", "/etc/passwd", "missing", "link"])
def test_standard_input_from_anywhere_else_starts_nothing(repo, recorded, stdin):
    class Reader(PlainWorker):
        def prepare(self, job, folder):
            (folder / "link").symlink_to("/etc/passwd")
            return Launch(argv=("cat",), stdin=stdin)

    recorded.use_worker("reader", Reader())
    attempt, folder = run(repo, recorded, "true", worker="reader")
    assert attempt.outcome is AttemptOutcome.NOT_STARTED
    assert not (folder / "stdout.log").exists()


def test_signals_are_to_a_worker_what_they_are_to_any_program(repo, recorded):
    attempt, folder = run(repo, recorded, "set +o pipefail; yes | head -n 1; grep Sig[BI] /proc/self/status")
    assert attempt.succeeded
    said = (folder / "stdout.log").read_text().split()
    assert (said[0], said[1], said[3]) == ("y", "SigBlk:", "SigIgn:")
    # Signals 32 and 33 are the C library's own: a make that starts the tests leaves them as it had them.
    assert [int(mask, 16) & ~(3 << 31) for mask in (said[2], said[4])] == [0, 0]


def test_only_allowed_variables_reach_a_worker(repo, recorded, monkeypatch):
    monkeypatch.setenv("SSH_AUTH_SOCK", "/tmp/agent")
    monkeypatch.setenv("MY_ALLOWED", "yes")
    recorded.use_environment(Environment(allow=("MY_*",)))
    _, folder = run(repo, recorded, "env -0 | cut -z -d= -f1 | tr '\\0' '\\n'")
    names = set((folder / "stdout.log").read_text().split())
    assert {"PATH", "HOME", "MY_ALLOWED", "WAYPOST_STEP", "WAYPOST_RUN_ID"} <= names
    assert "SSH_AUTH_SOCK" not in names


def test_a_variable_that_a_worker_needs_is_passed_to_it_and_hidden_in_what_it_prints(repo, recorded, monkeypatch):
    class Agent(PlainWorker):
        def prepare(self, job, folder):
            say = 'test ${#AGENT_LOGIN} = 10 && echo "$AGENT_LOGIN"'
            return Launch(argv=("bash", "-c", say), pass_env=("AGENT_LOGIN",))

    monkeypatch.setenv("AGENT_LOGIN", "opensesame")
    recorded.use_worker("agent", Agent())
    attempt, folder = run(repo, recorded, "true", worker="agent")
    assert attempt.succeeded
    assert (folder / "stdout.log").read_text() == "***\n"
    assert not [path for path in folder.iterdir() if b"opensesame" in path.read_bytes()]


def test_a_command_line_that_holds_a_secret_is_not_started_and_the_secret_not_named(repo, recorded):
    secret = token("anthropic")

    class Careless(PlainWorker):
        def prepare(self, job, folder):
            return Launch(argv=("echo", secret))

    recorded.use_worker("careless", Careless())
    attempt, folder = run(repo, recorded, "true", worker="careless")
    assert attempt.outcome is AttemptOutcome.NOT_STARTED
    assert "pass_env" in attempt.reason
    assert secret not in attempt.reason
    assert not [path for path in folder.iterdir() if secret.encode() in path.read_bytes()]


def test_fifty_secrets_on_both_streams_reach_no_file(repo, recorded):
    for name, text in fifty().items():
        (repo / name.replace(" ", "-")).write_text(f"{text}\n")
    _, folder = run(repo, recorded, "cat -- *-* ; cat -- *-* >&2")
    written = b"".join(path.read_bytes() for path in folder.iterdir())
    assert not [name for name, text in fifty().items() for core in core_of(text) if core.encode() in written]
    assert (folder / "stdout.log").read_bytes().count(b"***") >= 50


def test_all_workers_of_a_run_can_be_stopped_and_say_so(repo, recorded):
    job = make_job(repo, bash="touch ready; sleep 600")
    ended = []
    thread = threading.Thread(target=lambda: ended.append(dispatch(job, recorded.call).update["attempts"][0]))
    thread.start()
    wait_for((repo / "ready").exists)
    assert stop_attempts(recorded.run_dir) == ("S1 attempt 1",)
    thread.join(timeout=30)
    assert (ended[0].outcome, ended[0].reason) == (AttemptOutcome.LOST, "stopped on request")
    assert stop_attempts(recorded.run_dir) == ()


def test_a_process_that_has_the_pid_of_a_launcher_is_never_signalled(repo, recorded):
    job = make_job(repo, bash="true")
    folder = AttemptFolder(attempt_path(recorded.run_dir, job))
    folder.request(job, "prompt", Environment())
    victim = psutil.Popen(["sleep", "600"])
    try:
        record = {"launcher_pid": victim.pid, "launcher_started": 1, "started_at": 1.0}
        (folder.path / "started.json").write_text(json.dumps(record))
        lock = os.open(folder.path / "claim.lock", os.O_RDWR | os.O_CREAT)
        with_lock = psutil.Popen(["flock", str(folder.path / "claim.lock"), "sleep", "600"])
        wait_for(lambda: folder.stage() == "running")
        assert stop_attempts(recorded.run_dir) == ()
        assert victim.is_running()
        os.close(lock)
        for process in with_lock.children(recursive=True):
            process.kill()
    finally:
        victim.kill()


def test_launchers_that_die_before_they_begin_start_nothing_and_are_told_about(repo, recorded, monkeypatch):
    monkeypatch.setenv("WAYPOST_LAUNCHER_FAILPOINT", "begun:/nowhere/at/all")
    attempt, _ = run(repo, recorded, "touch started")
    assert attempt.outcome is AttemptOutcome.NOT_STARTED
    assert "3 launchers" in attempt.reason
    assert "/nowhere/at/all" in attempt.reason
    assert not (repo / "started").exists()


def test_a_launcher_of_a_dead_orchestrator_that_claims_after_we_looked_keeps_its_attempt(repo, recorded):
    job = make_job(repo, bash="unused", worker="late")

    class Late(PlainWorker):
        def prepare(self, job, folder):
            launch = Launch(argv=("bash", "-c", "echo once >> count; sleep 0.3; echo end >> count"))
            AttemptFolder(folder).start(job, launch, Environment())
            wait_for((repo / "count").exists)
            return launch

    recorded.use_worker("late", Late())
    assert dispatch(job, recorded.call).update["attempts"][0].succeeded
    assert (repo / "count").read_text() == "once\nend\n"


def test_no_worker_begins_before_what_is_asked_of_it_is_on_the_disk(repo, recorded, monkeypatch):
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    job = make_job(repo, bash="touch started")
    folder = AttemptFolder(attempt_path(recorded.run_dir, job))
    monkeypatch.setattr(attempts, "sync_file", full)
    ended = dispatch(job, recorded.call).update["attempts"][0]
    assert (ended.outcome, "No space left" in ended.reason) == (AttemptOutcome.NOT_STARTED, True)
    wait_for(lambda: folder.stage() is Stage.UNCLAIMED)
    assert not (repo / "started").exists()
