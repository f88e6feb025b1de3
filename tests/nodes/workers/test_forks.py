"""The process that starts launchers and wardens for us: replaced where it is gone, and never a word of its own."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from kit.jobs import Recorded, make_job
from kit.processes import gone
from kit.waiting import wait_for
from waypost.nodes.checks.process import run_command
from waypost.nodes.dispatch import dispatch
from waypost.nodes.workers import forks
from waypost.nodes.workers.forks import FORK_SERVER
from waypost.nodes.workers.launcher.masking import Masker
from waypost.state.records import AttemptOutcome

GRANDPARENT = 'read -r _ _ _ server _ < "/proc/$PPID/stat"; '


def check(tmp_path: Path, bash: str):
    ran = run_command(
        ("bash", "-c", bash), workspace=tmp_path, log=tmp_path / "log", timeout_s=20, output_limit_bytes=9999,
        env={"PATH": os.environ["PATH"]}, masker=Masker(), stop=lambda: False,
    )  # fmt: skip
    return ran, (tmp_path / "log").read_text()


def server_of(tmp_path: Path) -> int:
    return int(check(tmp_path, GRANDPARENT + "echo $server")[1])


def test_one_server_starts_everything_that_follows(tmp_path):
    assert server_of(tmp_path) == server_of(tmp_path)


def test_a_check_that_kills_the_server_has_not_passed_and_the_next_one_has_another_server(tmp_path):
    ran, said = check(tmp_path, GRANDPARENT + "echo $server; kill -9 $server; exit 0")
    assert (ran.exit_code, "was killed" in ran.error) == (None, True)
    assert server_of(tmp_path) != int(said.split()[0])


def test_a_check_does_not_go_on_where_the_server_is_killed_and_its_family_ends(tmp_path):
    bash = "sleep 600 & echo $! > pid; " + GRANDPARENT + "kill -9 $server; exit 0"
    assert check(tmp_path, bash)[0].exit_code is None
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_server_that_was_stopped_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(forks, "_ANSWER_S", 0.3)
    FORK_SERVER.leave()
    stopped = server_of(tmp_path)
    os.kill(stopped, signal.SIGSTOP)
    assert check(tmp_path, "true")[0].exit_code is None
    assert gone(stopped)
    assert check(tmp_path, "true")[0].exit_code == 0


def test_an_attempt_whose_server_is_killed_is_lost_and_its_record_is_not_believed(repo, tmp_path):
    recorded = Recorded(tmp_path / "runs")
    job = make_job(repo, bash=GRANDPARENT + "kill -9 $server; echo done > out")
    attempt = dispatch(job, recorded.call).update["attempts"][0]
    assert attempt.outcome is AttemptOutcome.LOST
    assert (recorded.run_dir / attempt.folder / "exit.json.refused").exists()


def test_what_we_may_use_now_is_what_a_check_may_use(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = server_of(tmp_path)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[0] - 1, before[1]))
    try:
        assert check(tmp_path, "ulimit -S -n")[1] == f"{before[0] - 1}\n"
        assert server_of(tmp_path) != server
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_check_has_our_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        assert int(check(tmp_path, "umask")[1], 8) == umask
    finally:
        os.umask(before)


def test_nothing_of_the_server_or_of_others_is_open_in_a_check(tmp_path):
    # The last one is the folder that is being listed.
    assert check(tmp_path, "exec ls /proc/self/fd")[1].split() == ["0", "1", "2", "3"]


PROGRAM = """
import os, sys; from pathlib import Path
from waypost.nodes.checks.process import run_command
from waypost.nodes.workers.launcher.masking import Masker
def run(words):
    log = Path(sys.argv[1]) / "log"
    ran = run_command(("bash", "-c", words), workspace=Path(sys.argv[1]), log=log, timeout_s=60, output_limit_bytes=99,
                      env={"PATH": os.environ["PATH"]}, masker=Masker(), stop=lambda: False)
    assert ran.exit_code == 0, ran
    return log.read_text()
server = run('read -r _ _ _ server _ < "/proc/$PPID/stat"; echo $server')
"""


def test_the_server_ends_with_us(tmp_path):
    ran = subprocess.run([sys.executable, "-c", PROGRAM + "print(server)", tmp_path], capture_output=True, text=True)
    assert ran.stderr == ""
    wait_for(lambda: gone(int(ran.stdout)))


def test_a_process_that_was_forked_from_us_has_a_server_of_its_own(tmp_path):
    program = PROGRAM + (
        "if not os.fork():\n    print(run('read -r _ _ _ s _ < /proc/$PPID/stat; echo $s') != server, flush=True)\n"
        "    os._exit(0)\nos.wait(); print(run('read -r _ _ _ s _ < /proc/$PPID/stat; echo $s') == server)"
    )
    ran = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("True\nTrue\n", "")


def test_it_leaves_no_descriptors_open(tmp_path):
    check(tmp_path, "true")
    before = psutil.Process().num_fds()
    for _ in range(3):
        check(tmp_path, "true")
    assert psutil.Process().num_fds() == before
