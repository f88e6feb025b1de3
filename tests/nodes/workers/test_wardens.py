"""What watches over one check after the other: kept only where it is free, alone, and tells the truth."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from kit.processes import gone
from kit.waiting import wait_for
from waypost.nodes.checks.process import CheckStopped, run_command
from waypost.nodes.workers.forks import FORK_SERVER
from waypost.nodes.workers.launcher.masking import Masker
from waypost.nodes.workers.wardens import WARDENS


@pytest.fixture(autouse=True)
def anew():
    WARDENS.leave()
    yield
    WARDENS.leave()


def check(folder: Path, bash: str, *, timeout_s: float = 20.0, stop=lambda: False, **env: str):
    folder.mkdir(exist_ok=True)
    ran = run_command(
        ("bash", "-c", bash), workspace=folder, log=folder / "log", timeout_s=timeout_s, output_limit_bytes=9999,
        env={"PATH": os.environ["PATH"], **env}, masker=Masker(), stop=stop,
    )  # fmt: skip
    return ran, (folder / "log").read_text()


def warden_of(folder: Path) -> int:
    return int(check(folder, "echo $PPID")[1])


def test_one_watches_over_one_check_after_the_other(tmp_path):
    assert warden_of(tmp_path / "a") == warden_of(tmp_path / "b")


def test_nothing_of_a_check_reaches_the_next_one(tmp_path):
    check(tmp_path / "a", "cd /; umask 0; echo out; echo err >&2", FIRST="x")
    ran, said = check(tmp_path / "b", "pwd; umask; echo ${FIRST-none}; readlink /proc/self/fd/0; ls /proc/self/fd")
    assert ran.exit_code == 0
    assert said.split() == [str(tmp_path / "b"), "0022", "none", "/dev/null", "0", "1", "2", "3"]
    assert (tmp_path / "a" / "log").read_text() == "out\nerr\n"


@pytest.mark.parametrize("bash", ["exit 3", "kill -9 $$", "nonexistent-tool", "sleep 600 & exit 0"])
def test_however_a_check_ends_the_next_one_is_told_of_by_itself(tmp_path, bash):
    check(tmp_path, bash)
    assert check(tmp_path, "exit 5")[0].exit_code == 5


def test_each_of_the_checks_that_run_at_the_same_time_has_its_own(tmp_path):
    meet = "echo $PPID; : > ../$NAME; until [ -e ../a ] && [ -e ../b ]; do sleep 0.01; done"
    with ThreadPoolExecutor(2) as pool:
        said = [pool.submit(check, tmp_path / name, meet, NAME=name) for name in ("a", "b")]
    assert len({one.result()[1] for one in said}) == 2


def test_of_many_checks_each_is_told_its_own_end(tmp_path):
    def code_of(number: int) -> int | None:
        return check(tmp_path / str(number), f"exit {number % 7}")[0].exit_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(code_of, range(500))) == [number % 7 for number in range(500)]


def test_one_that_was_killed_between_two_checks_is_replaced(tmp_path):
    first = warden_of(tmp_path)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: gone(first))
    assert warden_of(tmp_path) != first


def test_one_that_had_to_end_its_check_is_not_used_again(tmp_path):
    _, first = check(tmp_path, "echo $PPID; sleep 600", timeout_s=0.3)
    assert gone(int(first))
    assert check(tmp_path, "exit 0")[0].exit_code == 0


def test_one_whose_check_was_stopped_by_a_drain_is_not_used_again(tmp_path):
    with pytest.raises(CheckStopped):
        check(tmp_path, "echo $PPID; sleep 600", stop=(tmp_path / "log").exists)
    assert check(tmp_path, "exit 0")[0].exit_code == 0


def test_few_are_kept(tmp_path):
    names = [str(number) for number in range(7)]
    meet = "echo $PPID; : > ../$NAME; until [ $(ls .. | wc -l) = 14 ]; do sleep 0.01; done"
    with ThreadPoolExecutor(7) as pool:
        ran = list(pool.map(lambda name: check(tmp_path / f"at-{name}", meet, NAME=name), names))
    pids = [int(said) for _, said in ran]
    assert len(set(pids)) == 7
    wait_for(lambda: sum(map(psutil.pid_exists, pids)) == 4)


def test_they_end_when_they_are_let_go(tmp_path):
    first = warden_of(tmp_path)
    WARDENS.leave()
    wait_for(lambda: gone(first))


def test_their_server_is_confused_by_none_of_many_that_come_and_go(tmp_path):
    check(tmp_path, "true")
    server = FORK_SERVER.begun()
    for _ in range(300):
        with open(os.devnull, "wb") as nowhere:
            WARDENS.watch(("true",), {}, "/", nowhere.fileno())
        WARDENS.leave()
    assert check(tmp_path, "exit 3")[0].exit_code == 3
    assert FORK_SERVER.begun() is server
