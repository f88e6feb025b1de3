"""Running one command: its own group, its limit, its output, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from kit.processes import gone
from kit.waiting import wait_for
from waypost.nodes.checks.process import CheckStopped, run_command
from waypost.nodes.workers import wardens
from waypost.nodes.workers.launcher.masking import Masker


def run(tmp_path: Path, *argv: str, timeout_s: float = 20.0, stop=lambda: False, limit: int = 1 << 20):
    return run_command(
        argv,
        workspace=tmp_path,
        log=tmp_path / "log" / "V1.log",
        timeout_s=timeout_s,
        output_limit_bytes=limit,
        env={"PATH": os.environ["PATH"], "MARK": "x"},
        masker=Masker(),
        stop=stop,
    )


def log(tmp_path: Path) -> bytes:
    return (tmp_path / "log" / "V1.log").read_bytes()


def test_exit_code_and_both_streams_are_kept_in_order(tmp_path):
    ran = run(tmp_path, "bash", "-c", "echo one; echo two >&2; exit 3")
    assert (ran.exit_code, ran.stopped, log(tmp_path)) == (3, "", b"one\ntwo\n")


def test_a_signal_is_told_as_128_plus_its_number(tmp_path):
    assert run(tmp_path, "bash", "-c", "kill -9 $$").exit_code == 137


def test_a_program_that_cannot_be_started_has_no_exit_code(tmp_path):
    ran = run(tmp_path, "/nonexistent/tool")
    assert ran.exit_code is None
    assert "cannot start" in ran.error


def test_a_command_that_runs_too_long_is_stopped_with_all_its_children(tmp_path):
    ran = run(tmp_path, "bash", "-c", "sleep 600 & echo $! > pid; wait", timeout_s=0.5)
    assert (ran.exit_code, ran.stopped) == (None, "timed out after 0.5 s")
    assert gone(int((tmp_path / "pid").read_text()))


def test_what_a_command_leaves_in_the_background_does_not_outlive_it(tmp_path):
    ran = run(tmp_path, "bash", "-c", "sleep 600 >/dev/null 2>&1 & echo $! > pid")
    assert ran.exit_code == 0
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_drain_stops_the_command_and_is_no_result(tmp_path):
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(CheckStopped):
        run(tmp_path, "sleep", "600", stop=stop.is_set)


def test_standard_input_is_empty(tmp_path):
    assert run(tmp_path, sys.executable, "-c", "import sys; sys.exit(len(sys.stdin.read()))").exit_code == 0


def test_the_log_is_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        run(tmp_path, "true")
    finally:
        os.umask(before)
    assert (tmp_path / "log" / "V1.log").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o700


def test_a_command_that_prints_too_much_is_stopped_and_exactly_the_limit_is_kept(tmp_path):
    ran = run(tmp_path, "yes", limit=200_001)
    assert (ran.exit_code, ran.stopped) == (None, "printed more than 200001 bytes")
    assert len(log(tmp_path)) == 200_001


def test_too_much_output_is_no_pass_also_where_the_command_ends_well(tmp_path):
    ran = run(tmp_path, "bash", "-c", "head -c 50000 /dev/zero", limit=49_999)
    assert (ran.exit_code, ran.stopped) == (None, "printed more than 49999 bytes")


def test_a_process_that_left_and_holds_the_output_open_does_not_make_us_wait(tmp_path):
    ran = run(tmp_path, "bash", "-c", "setsid sleep 60 & echo $! > pid; echo done", timeout_s=50)
    assert (ran.exit_code, log(tmp_path)) == (0, b"done\n")
    assert gone(int((tmp_path / "pid").read_text()))


HIDDEN = (
    "env -i setsid sh -c '(echo $$ > pid; exec sleep 600) & sleep 600' >/dev/null 2>&1 & until [ -s pid ]; do :; done"
)


def test_a_process_without_a_name_of_ours_in_its_environment_does_not_outlive_the_command(tmp_path):
    assert run(tmp_path, "bash", "-c", HIDDEN).exit_code == 0
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_command_that_kills_what_watches_over_it_has_not_passed(tmp_path):
    ran = run(tmp_path, "bash", "-c", "kill -9 $PPID; exit 0")
    assert (ran.exit_code, "watches over it was killed" in ran.error) == (None, True)


def test_a_command_that_stops_what_watches_over_it_is_killed_when_its_time_is_up(tmp_path, monkeypatch):
    monkeypatch.setattr(wardens, "_PATIENCE_S", 0.2)
    ran = run(tmp_path, "bash", "-c", "echo $$ > pid; kill -STOP $PPID; sleep 600", timeout_s=0.3)
    assert (ran.exit_code, ran.stopped) == (None, "timed out after 0.3 s")
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_command_ends_when_we_are_killed(tmp_path):
    program = (
        "import sys; from pathlib import Path; from waypost.nodes.checks.process import run_command; "
        "from waypost.nodes.workers.launcher.masking import Masker; here = Path(sys.argv[1]); "
        "run_command(('bash', '-c', 'echo $$ > new; mv new pid; exec env -i sleep 600'), workspace=here, "
        "log=here / 'log', timeout_s=60, output_limit_bytes=99, env={'PATH': sys.argv[2]}, "
        "masker=Masker(), stop=lambda: False)"
    )
    ours = subprocess.Popen([sys.executable, "-c", program, str(tmp_path), os.environ["PATH"]])
    wait_for((tmp_path / "pid").exists)
    ours.kill()
    ours.wait()
    wait_for(lambda: gone(int((tmp_path / "pid").read_text())))


def test_a_command_is_given_the_variables_that_were_chosen_for_it_and_no_other(tmp_path):
    run_command(
        ("env",), workspace=tmp_path, log=tmp_path / "log" / "V1.log", timeout_s=20, output_limit_bytes=9999,
        env={"PATH": os.environ["PATH"], "ODD": "a=b\nc"}, masker=Masker(), stop=lambda: False,
    )  # fmt: skip
    assert sorted(log(tmp_path).decode().splitlines()) == sorted(["c", "ODD=a=b", f"PATH={os.environ['PATH']}"])


def test_what_is_written_just_before_the_end_is_kept(tmp_path):
    assert run(tmp_path, "bash", "-c", "head -c 900000 /dev/zero; printf end").exit_code == 0
    assert log(tmp_path) == bytes(900_000) + b"end"
