"""What docs/batch.md shows is what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from kit.cli import waypost, waypost_here
from waypost.state.batch import TaskStatus

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "batch.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return [body for _, body in re.findall(rf"^(`{{3,}}){language}\n(.*?)^\1$", PAGE, re.MULTILINE | re.DOTALL)]


def without_what_changes(text: str) -> list[str]:
    text = re.sub(r"  \d+\.\d\d s$", "", text, flags=re.MULTILINE)
    text = re.sub(r"_\d{8}T\d{6}Z_[0-9a-f]{7}(-[0-9a-f]{6})?", "_…", text)
    text = re.sub(r"\S*(/reports/)", r"…\1", text)
    text = re.sub(r"tasks of \S+ in \S+", "tasks of …", text)
    return [line.rstrip() for line in text.strip().splitlines()]


def test_the_example_prints_what_the_page_shows(repo):
    (card,) = blocks("markdown")
    (line,) = blocks("console")
    (repo / "tasks.md").write_text(card, encoding="utf-8")
    ran = waypost_here(*shlex.split(line.removeprefix("$ waypost ")), cwd=repo)
    assert ran.code == 3
    assert without_what_changes(ran.out) == without_what_changes(blocks("text")[0])


def test_every_option_and_status_of_the_page_exists(tmp_path):
    shown = waypost("run", "--help", cwd=tmp_path).out
    assert all(option in shown for option in re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE))
    assert re.findall(r"^\| ([A-Z]+) \|", PAGE, re.MULTILINE) == [
        *("DONE", "FAILED", "BLOCKED", "INTERRUPTED", "SKIPPED", "PENDING")
    ]
    assert all(f"| {status} |" in PAGE for status in TaskStatus)


def test_the_files_of_the_page_are_the_files_of_a_batch(repo):
    (card,) = blocks("markdown")
    (repo / "tasks.md").write_text(card, encoding="utf-8")
    waypost_here("run", "tasks.md", "--run-id", "B", "--max-rework", "0", cwd=repo)
    folder = repo / ".artifacts" / "agent_runs" / "B"
    listed = re.findall(r"^  (\S+)", blocks("text")[1], re.MULTILINE)
    assert all((folder / name).exists() for name in listed)
    assert sorted(path.name for path in (folder / "reports").iterdir()) == ["batch.json", "batch.md", "junit.xml"]
