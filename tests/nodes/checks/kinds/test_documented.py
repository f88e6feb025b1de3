"""What docs/checks.md shows is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from kit.cards import card, write_card
from kit.cli import waypost_here
from waypost.nodes.checks.kinds import BUILTIN
from waypost.nodes.formats import read_tasks
from waypost.nodes.plan import compile_plan

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "checks.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    return re.findall(rf"^(`{{3,}}){language}\n(.*?)^\1$", PAGE, re.MULTILINE | re.DOTALL)[0][1]


def test_the_card_is_run_to_done(repo):
    path = write_card(repo.parent, block("markdown"))
    where = ("--workspace", repo, "--runs", repo.parent / "runs", "--run-id", "R")
    assert waypost_here("run", path, *where, cwd=repo).code == 0
    assert waypost_here("audit", "R", "--runs", repo.parent / "runs", cwd=repo).code == 0


def test_the_card_can_be_amended_as_shown(tmp_path):
    path = write_card(tmp_path, block("markdown"))
    (tmp_path / "waypost.checks.toml").write_text(block("toml"))
    (task,) = read_tasks(path)
    assert compile_plan(task).gaps == ()
    assert [probe.kind for probe in task.steps[0].probes].count("manual") == 1


def test_the_kind_of_a_user_is_registered_named_and_judged(repo):
    text = card(bash="echo 1 > help.txt", criteria="- Short. Verified by lines `help.txt` most `3`")
    path = write_card(repo, text)
    ran = subprocess.run([sys.executable, "-c", block("python"), path], cwd=repo, capture_output=True, text=True)
    assert (ran.stderr, ran.stdout) == ("", "DONE ['1 lines']\n")


def test_every_kind_has_its_row_and_its_part():
    for name in BUILTIN:
        assert f"| `{name}` |" in PAGE
        assert f"### {name}\n" in PAGE
