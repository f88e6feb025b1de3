"""A command of a model comes to an end, whatever it does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from kit.processes import gone
from waypost.nodes.workers.bounded import Bounded, run_bounded


def run(folder: Path, text: str, *, timeout_s: float = 60.0, printed: int = 1 << 20, kept: int = 100) -> Bounded:
    return run_bounded(
        ("bash", "-c", text),
        workspace=folder,
        env=dict(os.environ),
        timeout_s=timeout_s,
        printed_at_most=printed,
        kept_at_most=kept,
    )


@pytest.mark.parametrize(
    ("text", "code", "output"),
    [
        ("echo out; echo err >&2; exit 3", 3, "out\nerr\n"),
        ("kill -9 $$", 137, ""),
        ("exec >&- 2>&-; sleep 0.1; exit 4", 4, ""),
        ("cat; printf 'a\\xff'", 0, "a\ufffd"),
    ],
)
def test_it_is_known_how_it_ended_and_what_it_printed(tmp_path, text, code, output):
    assert run(tmp_path, text) == Bounded(code, output, cut=False)


def test_the_end_of_a_long_output_is_kept(tmp_path):
    ran = run(tmp_path, "seq 1 1000")
    assert (ran.exit_code, ran.cut, len(ran.output)) == (0, True, 100)
    assert ran.output.endswith("999\n1000\n")


def test_what_prints_without_end_is_stopped(tmp_path):
    ran = run(tmp_path, "yes & echo $! > pid; wait", printed=1 << 16)
    assert (ran.exit_code, ran.stopped) == (None, "it printed more than 65536 bytes")
    assert gone(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("text", ["sleep 600", "exec >&- 2>&-; sleep 600", "trap '' TERM; sleep 600"])
def test_what_takes_too_long_is_stopped(tmp_path, text):
    ran = run(tmp_path, text, timeout_s=0.2)
    assert (ran.exit_code, ran.stopped) == (None, "it was still running after 0.2 s")


def test_what_it_leaves_in_the_background_is_killed_and_not_waited_for(tmp_path):
    assert run(tmp_path, "sleep 600 & echo $! > pid").exit_code == 0
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_program_that_is_not_there_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        run_bounded(("no-such-program",), workspace=tmp_path, env={}, timeout_s=1, printed_at_most=1, kept_at_most=1)
