"""The page on telemetry: its code is run, and it names all that is told."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from kit.cards import card, write_card
from waypost.telemetry import words

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "telemetry.md").read_text(encoding="utf-8")


def test_its_python_prints_what_it_says(repo):
    write_card(repo, card(bash="echo x > out.txt"))
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    ran = subprocess.run([sys.executable, "-c", program], cwd=repo, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == (printed, "")


def test_it_names_every_attribute():
    told = [text for name, text in vars(words).items() if name.isupper() and isinstance(text, str) and "." in text]
    assert len(told) > 15
    assert [text for text in told if f"`{text}`" not in PAGE] == []
