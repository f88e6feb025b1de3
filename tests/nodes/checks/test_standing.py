"""What of a workspace is otherwise than it was: seen without git, whatever times a file is given."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from waypost.nodes.checks.standing import Moved, standing

NOTHING = Moved((), ())


def look(folder: Path, since_ns: int = 0):
    return standing(folder, left_out=folder / "runs", known=None, since_ns=since_ns)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "runs").mkdir()
    for name in ("a", "sub/b", "runs/ledger"):
        (tmp_path / name).write_text("same")
    (tmp_path / "link").symlink_to("a")
    return tmp_path


def same_size_and_times(path: Path) -> None:
    was = path.stat()
    path.write_text("emas")
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda at: (at / "a").write_text("other"), "a"),
        (lambda at: same_size_and_times(at / "sub/b"), "sub/b"),
        (lambda at: (at / "sub/b").unlink(), "sub/b"),
        (lambda at: (at / "a").chmod(0o700), "a"),
        (lambda at: ((at / "link").unlink(), (at / "link").symlink_to("sub/b")), "link"),
        (lambda at: ((at / "a").unlink(), os.mkfifo(at / "a")), "a"),
        (lambda at: (at / "sub").rename(at / "away"), "sub/b"),
    ],
    ids=["written", "same size and times", "removed", "mode", "link", "pipe in its place", "its folder renamed"],
)
def test_what_is_otherwise_is_told(folder: Path, change: Callable[[Path], object], path: str):
    before = look(folder)
    change(folder)
    assert before.moved(folder) == Moved((path,), ())


@pytest.mark.parametrize(
    "change",
    [
        lambda at: (at / "a").write_text("same"),
        lambda at: os.utime(at / "a"),
        lambda at: (at / "new").write_text("new"),
        lambda at: (at / "runs/ledger").write_text("more"),
        lambda at: None,
    ],
    ids=["written as it was", "touched", "come since", "left out", "nothing"],
)
def test_what_is_as_it_was_is_not_told(folder: Path, change: Callable[[Path], object]):
    before = look(folder)
    change(folder)
    assert before.moved(folder) == NOTHING


def test_a_file_that_nobody_had_touched_since_the_run_began_is_left_to_git(folder: Path):
    before = look(folder, since_ns=time.time_ns() + 3_600_000_000_000)
    (folder / "a").write_text("other")
    assert before.moved(folder) == Moved((), ("a",))
