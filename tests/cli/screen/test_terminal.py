"""What a person sees on a real terminal, wide and narrow, clever and dumb: one run, held while it is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.cards import step_part, steps_card, write_card
from kit.cli import command, waypost_here
from kit.repos import make_repo
from kit.tmux import NEEDS_TMUX, Tmux

pytestmark = NEEDS_TMUX

# Overprinted, coloured, and with a title for the window: what tools print for a terminal.
_NOISE = r"printf 'page 1\rpage 2\n\033]0;owned\007\033[31mred\033[0m \033[2Jcleared\n'"


class Stage:
    """A run on a wide terminal, whose second step waits until it is let go."""

    def __init__(self, folder: Path) -> None:
        self.repo = make_repo(folder / "repo")
        self.gate = folder / "gate"
        hold = f"{_NOISE}; until test -e {self.gate}; do sleep 0.05; done; echo y > b.txt"
        first = step_part("S1", "echo x > a.txt", "test -s a.txt")
        second = step_part("S2", hold, "echo 'AssertionError: no z in b.txt'; grep -q z b.txt", "S1")
        self.card = write_card(folder, steps_card(first, second, step_part("S3", "true", "true", "S2")))
        options = ("--workspace", self.repo, "--runs", folder / "runs", "--run-id", "R", "--max-rework", "0")
        self.run = command("run", self.card, *options, "--budget-s", "3600")
        self.watch = command("watch", "R", "--runs", folder / "runs")
        self.runs = folder / "runs"


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Screen by name: of the run while it works, of three who watch it, and of all of them when it has ended."""
    stage = Stage(tmp_path_factory.mktemp("stage"))
    with Tmux(stage.run, stage.repo, columns=100, lines=40) as wide:
        screens = {"working": wide.shows("cleared", "S3")}
        with (
            Tmux(stage.watch, stage.repo, columns=40, lines=40) as narrow,
            Tmux(stage.watch, stage.repo, columns=80, lines=60, TERM="dumb") as dumb,
            Tmux(stage.watch, stage.repo, columns=80, lines=12, PYTHONIOENCODING="ascii") as low,
        ):
            screens |= {"narrow": narrow.shows("cleared"), "low": low.shows("cleared")}
            dumb.shows("S2 attempt 1 started")
            stage.gate.touch()
            screens |= {"ended": wide.shows("ended 3"), "narrow ended": narrow.shows("ended 3")}
            screens |= {"dumb": dumb.shows("ended 3"), "low ended": low.shows("ended 3")}
    screens["status"] = waypost_here("status", "R", "--runs", stage.runs, cwd=stage.repo).out
    return screens


def row(screen: str, part: str) -> str:
    return next(line for line in screen.splitlines() if part in line)


def test_the_steps_are_a_tree_with_what_is_done_what_goes_on_and_what_waits(seen):
    rows = {step: row(seen["working"], f" {step}  ") for step in ("S1", "S2", "S3")}
    assert rows["S1"].startswith("├─ ✓ S1  Step S1")
    assert rows["S1"].endswith(" s")
    assert rows["S2"][:3] == "├─ "
    assert rows["S2"][3] in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
    assert rows["S3"].startswith("└─ ○ S3  Step S3")
    assert rows["S3"].endswith("waits for S2")


def test_below_a_step_stand_the_last_lines_of_its_worker_as_a_terminal_would_show_them(seen):
    lines = seen["working"].splitlines()
    at = next(number for number, line in enumerate(lines) if " S2  " in line)
    assert lines[at + 1 : at + 3] == ["│    │ page 2", "│    │ red cleared"]


def test_the_head_says_which_run_where_it_stands_and_for_how_long(seen):
    head = row(seen["working"], "EXECUTE")
    assert head.startswith("R ")
    assert head.rstrip().endswith(" s") or ":" in head
    assert "A task" in seen["working"]


def test_what_is_used_up_is_shown_beside_its_limit(seen):
    assert " of 1:00:00 · attempts 2" in row(seen["working"], "time ")


def test_at_the_end_the_tree_stays_and_below_it_is_what_failed_with_its_error_and_what_to_type(seen):
    assert row(seen["ended"], " S2  ").startswith("├─ ✗ S2")
    assert "failed      S2 AC1: echo" in seen["ended"]
    assert "AssertionError: no z in b.txt" in row(seen["ended"], "              Assert")
    assert "checks/0002/S2.V1.log" in seen["ended"]
    # Where the folder of the test has a long name, the terminal breaks the command somewhere.
    assert "--recheck --note WHY" in seen["ended"].replace("\n", "")


def test_nothing_of_the_screen_before_is_left_between_the_pictures(seen):
    assert seen["ended"].count("S1  Step S1") == 1
    assert "⠋" not in seen["ended"]


def test_a_narrow_terminal_gets_one_row_per_step_that_fits(seen):
    picture = seen["narrow"].splitlines()
    assert max(map(len, picture)) <= 40
    assert [line[:7] for line in picture if line[3:4] and line[5:7] in ("S1", "S3")] == ["├─ ✓ S1", "└─ ○ S3"]
    assert "red cleared" in seen["narrow"]
    assert "waits for" not in seen["narrow"]
    assert "ended 3" in seen["narrow ended"]


def test_a_terminal_without_unicode_gets_plain_signs(seen):
    assert row(seen["low"], " S1  ").startswith("|- + S1")
    assert row(seen["low"], " S3  ").startswith("`- o S3")
    assert seen["low"].isascii()


def test_a_dumb_terminal_gets_a_line_for_each_event_and_the_same_end(seen):
    assert "transition  EXECUTE (accepted_next): next: S2" in seen["dumb"]
    assert "dispatch    S2 attempt 1 finished, exit code 0" in seen["dumb"]
    assert "AssertionError: no z in b.txt" in seen["dumb"]
    assert "├─" not in seen["dumb"]


def test_who_watches_is_told_the_same_end_as_who_runs(seen):
    told = [line.split()[0] for line in seen["status"].splitlines() if line[:1].isalpha()]
    shown = [line.split()[0] for line in seen["ended"].splitlines() if line[:1].islower() and "time " not in line]
    assert {"result", "passed", "failed", "log", "question", "evidence", "next"} <= {*told} & {*shown}
