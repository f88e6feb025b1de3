"""`waypost ledger tail`: the newest lines of a ledger, and those that come."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
from kit.cli import command, environment
from kit.ledgers import config, ledger_of
from kit.looking import ODD, ledger, two_threads
from waypost.checkpointing import LedgerSaver

__all__ = ["two_threads"]


class TestTail:
    def test_the_newest_lines_come_last_one_line_each(self, runs: Path) -> None:
        rows = ledger(runs, "tail", ODD).out.splitlines()
        assert [row.split()[:1] + row.split()[3:4] for row in rows] == [
            ["1", "open"],
            *([number, "checkpoint"] for number in "234"),
            ["5", "writes"],
            ["6", "lease"],
        ]
        assert rows[1].endswith("step -1 loop  aa-1  +a +big")
        assert rows[3].endswith("step 0 loop  ab-2  ~a -big")
        assert rows[4].endswith("task task: a  at aa-2")
        assert "released by " in rows[5]

    @pytest.mark.parametrize(("count", "numbers"), [("2", [5, 6]), ("0", []), ("99", [1, 2, 3, 4, 5, 6])])
    def test_as_many_as_asked_for(self, runs: Path, count: str, numbers: list[int]) -> None:
        assert [event["number"] for event in ledger(runs, "tail", ODD, "-n", count, "--json").events] == numbers

    def test_a_torn_tail_is_not_shown(self, runs: Path) -> None:
        before = ledger(runs, "tail", "t").out
        with ledger_of(runs).open("ab") as file:
            file.write(b'{"number":99,"kind":"check')
        assert ledger(runs, "tail", "t").out == before

    def test_a_rewritten_ledger_says_so(self, runs: Path) -> None:
        with LedgerSaver(runs) as saver:
            saver.prune([ODD])
        assert "rewritten: " in ledger(runs, "tail", ODD).out

    def follow(self, runs: Path, *more: str) -> subprocess.Popen[str]:
        arguments = command("ledger", "tail", "t", "-n", "1", "--follow", *more, "--runs", runs)
        return subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def next_line(following: subprocess.Popen[str]) -> str:
        assert following.stdout
        return following.stdout.readline()

    def test_following_shows_what_is_appended_until_ctrl_c(self, runs: Path) -> None:
        following = self.follow(runs)
        assert " lease " in self.next_line(following)
        with LedgerSaver(runs) as saver:
            saver.put_writes(config("t", "", "later"), [("news", 1)], "task")
            assert " held " in self.next_line(following)
            assert "task task: news  at later" in self.next_line(following)
        assert " released " in self.next_line(following)
        following.send_signal(signal.SIGINT)
        out, err = following.communicate(timeout=60)
        assert (following.returncode, out, err) == (0, "", "")

    def test_following_goes_on_after_a_rewrite_and_ends_with_the_thread(self, runs: Path) -> None:
        following = self.follow(runs, "--json")
        assert json.loads(self.next_line(following))["kind"] == "lease"
        with LedgerSaver(runs) as saver:
            saver.prune(["t"])
            while json.loads(self.next_line(following)).get("follows") is None:
                pass
            saver.delete_thread("t")
        out, err = following.communicate(timeout=60)
        assert (following.returncode, err) == (0, "")
        assert all(json.loads(line) for line in out.splitlines())
