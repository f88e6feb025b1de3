"""The page for agents: its code is run, its settings are understood, and it names every tool."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from kit.cards import card, write_card
from kit.cli import waypost_here

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "mcp.md").read_text(encoding="utf-8")


def test_its_python_prints_what_it_says(repo):
    write_card(repo, card(bash="echo x > out.txt"))
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    ran = subprocess.run([sys.executable, "-c", program], cwd=repo, capture_output=True, text=True, timeout=150)
    assert (ran.returncode, ran.stdout) == (0, printed), ran


def test_its_options_are_those_of_the_command(tmp_path):
    (settings,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    shown = json.loads(settings)["mcpServers"]["waypost"]["args"]
    told = waypost_here("mcp", "--help", cwd=tmp_path).out
    assert {
        word for word in [*shown, *re.findall(r"--[a-z][a-z-]+", PAGE)] if word.startswith("--") and word not in told
    } == set()
