"""What docs/terminal.md says is what the program does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from kit.cli import waypost_here
from waypost.cli.screen.rows import UNICODE
from waypost.state.event_schema import event_schema

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "terminal.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (waypost .*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_exists_with_its_options(tmp_path, line):
    words = shlex.split(line)
    text = waypost_here(words[1], "--help", cwd=tmp_path).out
    assert all(word in text for word in words[2:] if word.startswith("--"))


def test_every_event_of_the_schema_is_in_the_table_and_no_other():
    table = PAGE.partition("| event | when |")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == {*event_schema()["discriminator"]["mapping"]}


def test_every_field_that_the_table_names_is_in_the_schema():
    table = PAGE.partition("| event | when |")[2].partition("\n\n")[0]
    fields = {name for one in event_schema()["$defs"].values() for name in one.get("properties", {})}
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[3])}
    assert named <= fields


def test_the_signs_of_the_page_are_those_that_are_drawn():
    signs = re.findall(r"^\| `(.)`", PAGE, re.MULTILINE)
    assert signs == [UNICODE.done, "⠧", UNICODE.failed, UNICODE.asks, UNICODE.waits]
    assert "⠧" in UNICODE.frames
