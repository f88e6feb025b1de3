"""Whether a page shows something old is told by the files it is from, and by who drives them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.viewed import talk
from waypost.checkpointing import fsck
from waypost.viewer.index import Index
from waypost.viewer.ledgers import Ledgers
from waypost.viewer.live import Follower

HOLD = "import sys, waypost; waypost.LedgerSaver(sys.argv[1]).acquire('chat'); print(flush=True); input()"


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    talk(tmp_path / "runs", "chat", 1)
    yield tmp_path / "runs"
    assert fsck(tmp_path / "runs" / "chat").ok


@pytest.fixture
def follower(runs: Path) -> Follower:
    return Follower(Index(Ledgers(runs), None), runs)


def test_a_page_is_new_as_long_as_nothing_happens(follower: Follower):
    follower.listing()
    assert follower.mark("chat") == follower.mark("chat")
    assert follower.mark(None) == follower.mark(None)


def test_a_page_is_old_once_its_ledger_has_grown_and_so_is_the_list(follower: Follower, runs: Path):
    follower.listing()
    page, rows = follower.mark("chat"), follower.mark(None)
    talk(runs, "chat", 3)
    assert follower.mark("chat") != page
    follower.listing()
    assert follower.mark(None) != rows


@pytest.mark.parametrize("file", ["dispatch/S1/attempt-1/stdout.log", "checks/0001/S1.V1.log"])
def test_a_page_is_old_once_a_worker_or_a_check_has_printed(follower: Follower, runs: Path, file: str):
    path = runs / "chat" / file
    path.parent.mkdir(parents=True)
    path.write_text("one\n")
    page = follower.mark("chat")
    path.write_text("one\ntwo\n")
    assert follower.mark("chat") != page


def test_of_very_many_files_those_that_were_written_last_are_followed(follower: Follower, runs: Path):
    for number in range(450):
        path = runs / "chat" / "checks" / "0001" / f"A{number}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        os.utime(path, (number, number))
    late = runs / "chat" / "dispatch" / "Z" / "attempt-1" / "stderr.log"
    late.parent.mkdir(parents=True)
    late.write_text("one\n")
    page = follower.mark("chat")
    late.write_text("one\ntwo\n")
    assert follower.mark("chat") != page


def test_a_driver_that_was_killed_drives_nothing_any_more_and_its_page_is_old(follower: Follower, runs: Path):
    driver = subprocess.Popen([sys.executable, "-c", HOLD, runs], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert driver.stdout is not None
    driver.stdout.readline()
    assert [row.pid for row in follower.listing().rows] == [driver.pid]
    page = follower.mark("chat")
    driver.kill()
    driver.communicate()
    assert [row.pid for row in follower.listing().rows] == [None]
    assert follower.mark("chat") != page


@pytest.mark.parametrize("name", ["..", "../chat", "", "a/b", "nothing"])
def test_a_name_that_is_no_run_has_a_mark_and_leads_nowhere(follower: Follower, name: str):
    assert follower.mark(name) == follower.mark(name)
