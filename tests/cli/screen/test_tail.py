"""The newest lines of what a worker prints, whatever lies where its output should be."""

from __future__ import annotations

import os

import pytest
from waypost.cli.screen.tail import Tails, last_lines, newest_of


def test_the_last_lines_that_hold_anything_are_shown(tmp_path):
    (tmp_path / "log").write_bytes(b"one\ntwo\n\x1b[31mthree\x1b[0m\n\n  \n")
    assert last_lines(tmp_path / "log", 2) == ["two", "three"]


@pytest.mark.parametrize("kind", ["missing", "pipe", "link", "folder"])
def test_where_there_is_no_plain_file_nothing_is_shown_and_nobody_waits(tmp_path, kind):
    path = tmp_path / "stdout.log"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "link":
            (tmp_path / "secret").write_text("secret\n")
            path.symlink_to("secret")
        case "folder":
            path.mkdir()
        case _:
            pass
    assert Tails({}).of(tmp_path, "shell", 3) == []


def test_a_file_that_is_gone_between_two_looks_is_not_the_newest(tmp_path):
    (tmp_path / "here").touch()
    assert newest_of([tmp_path / "gone", tmp_path / "here"]) == tmp_path / "here"
    assert newest_of([tmp_path / "gone"]) is None
