"""Help is a manual: examples that can be typed, exit codes, in 80 columns, for every command there is."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest
import typer
from kit.cli import environment, waypost_here
from waypost.cli.main import app
from waypost.cli.typed.pages import PAGES


def commands(group, path=()):
    """Every command with its path."""
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from commands(found, (*path, name))
        else:
            yield " ".join((*path, name)), found


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.fixture(scope="module")
def manuals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("help")
    os.environ["COLUMNS"] = "80"
    try:
        return {name: waypost_here(*name.split(), "--help", cwd=folder).out for name in COMMANDS}
    finally:
        del os.environ["COLUMNS"]


def test_every_command_has_a_page_and_every_page_a_command():
    assert {*PAGES} == {*COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_manual_has_an_example_and_exit_codes_and_fits_into_80_columns(manuals, name):
    text = manuals[name]
    assert "\nExamples:\n  # " in text
    assert f"  waypost {name}" in text
    assert "\nExit codes:\n  0 " in text
    too_long = [line for line in text.splitlines() if len(line) > 80]
    assert too_long == []


@pytest.mark.parametrize(
    "line", [line for page in PAGES.values() for _, line in page.examples], ids=lambda line: line[:60]
)
def test_every_example_is_taken_by_its_command(tmp_path, monkeypatch, line):
    (tmp_path / "here").mkdir()
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    words = re.split(r" (?:\||>|&&) ", line)[0]
    arguments = shlex.split(words)[1:]
    name = next(name for name in (" ".join(arguments[:2]), arguments[0]) if name in COMMANDS)
    COMMANDS[name].make_context(name, arguments[len(name.split()) :], resilient_parsing=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_described_in_the_words_of_the_parser(manuals, name):
    assert not re.search(r"<(?:int|float|str|path|list)\b|x>=|<=x", manuals[name])


def test_what_is_named_under_see_also_exists():
    named = {word for page in PAGES.values() for word in page.see if word.startswith("waypost ")}
    names = {*COMMANDS, "ledger"}
    assert {word.removeprefix("waypost ") for word in named} <= names


def complete(words: str, cwd) -> list[str]:
    """What bash is offered at the end of a line."""
    line = f"waypost {words}"
    given = {
        **environment(),
        "_WAYPOST_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - (0 if line.endswith(" ") else 1)),
    }
    asked = [sys.executable, "-m", "waypost"]
    return subprocess.run(asked, cwd=cwd, env=given, capture_output=True, text=True, timeout=60).stdout.split()


def test_the_shell_completes_commands_runs_and_task_files(tmp_path):
    for name in ("old_run", "new_run"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "request.json").touch()
    (tmp_path / "runs" / "no_run").mkdir()
    for name in ("tasks.md", "tasks.yaml", "notes.txt", ".hidden.md", "a$(touch ran).md", "b`x`.md", "\x1b[2J.md"):
        (tmp_path / name).touch()
    (tmp_path / "runs" / "a$(touch ran)").mkdir()
    (tmp_path / "runs" / "a$(touch ran)" / "request.json").touch()
    os.utime(tmp_path / "runs" / "old_run", (1, 1))
    assert complete("expl", tmp_path) == ["explain"]
    assert complete("watch --runs runs ", tmp_path) == ["new_run", "old_run"]
    assert complete("resume --runs runs old", tmp_path) == ["old_run"]
    assert complete("run ", tmp_path) == ["runs/", "tasks.md", "tasks.yaml"]
