"""What the documents say is run: the README's example, the diagram, the commands, the links."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from kit.cli import waypost, waypost_here
from waypost.nodes.workers.scripted import Cue
from waypost.state.status import Node, state_diagram

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(ROOT.glob("docs/*.md"))


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language, whatever the length of their fence."""
    return [body for _, body in re.findall(rf"^(`{{3,}}){language}\n(.*?)^\1$", text, re.MULTILINE | re.DOTALL)]


def test_the_readmes_card_run_by_the_readmes_python_prints_what_the_readme_says(repo):
    (card,) = blocks(README, "markdown")
    (program,) = blocks(README, "python")
    (repo / "tasks.md").write_text(card, encoding="utf-8")
    ran = subprocess.run([sys.executable, "-c", program], cwd=repo, capture_output=True, text=True)
    printed = README.partition(program)[2]
    assert (ran.stdout, ran.stderr) == (blocks(printed, "text")[0], "")


def without_what_changes(text: str) -> list[str]:
    """Lines without times, run ids and paths of this machine."""
    text = re.sub(r"  \d+\.\d\d s$", "", text, flags=re.MULTILINE)
    text = re.sub(r"BUG-001_\w+", "RUN", text)
    text = re.sub(r"(evidence +|task BUG-001 in )\S*?(/reports/\S+)?$", r"\1…\2", text, flags=re.MULTILINE)
    return [line.rstrip() for line in text.strip().splitlines()]


def test_make_demo_prints_what_the_readme_shows():
    ran = subprocess.run([sys.executable, str(ROOT / "examples/bugfix/demo.py")], capture_output=True, text=True)
    assert ran.returncode == 0
    assert without_what_changes(ran.stdout) == without_what_changes(blocks(README, "text")[0])


def test_the_readme_names_the_commands_of_the_makefile():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {word for block in blocks(README, "console") for word in re.findall(r"^\$ make (\w+)", block, re.MULTILINE)}
    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize(
    "line", [line for block in blocks(README, "console") for line in block.splitlines() if "waypost" in line]
)
def test_every_command_of_the_readme_exists_with_its_options(tmp_path, line):
    words = shlex.split(line.removeprefix("$ "), comments=True)
    text = waypost(words[1], "--help", cwd=tmp_path).out
    assert all(word.strip("[]") in text for word in words[2:] if word.strip("[]").startswith("--"))


def test_the_diagram_is_the_table():
    text = (ROOT / "docs" / "state-machine.md").read_text(encoding="utf-8")
    assert blocks(text, "mermaid") == [state_diagram()]
    assert all(f"| `{node}` |" in text for node in Node)


def test_the_card_of_the_workers_page_is_done_at_its_second_attempt(repo):
    (card,) = blocks((ROOT / "docs" / "workers.md").read_text(encoding="utf-8"), "markdown")
    (repo / "lie.md").write_text(card, encoding="utf-8")
    ran = waypost_here("run", "lie.md", "--worker", "scripted", "--json", cwd=repo)
    assert (ran.code, ran.result["attempts"]) == (0, 2)


def test_the_python_of_the_workers_page_runs(tmp_path):
    (program,) = blocks((ROOT / "docs" / "workers.md").read_text(encoding="utf-8"), "python")
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_cue_of_the_scripted_worker_is_on_its_page():
    page = (ROOT / "docs" / "workers.md").read_text(encoding="utf-8")
    assert all(f"`{name}" in page for name in Cue.model_fields)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_that_exist(path):
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_python_in_the_documents_compiles(path):
    for block in blocks(path.read_text(encoding="utf-8"), "python"):
        compile(block, str(path), "exec")


FORMATS_PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", blocks(FORMATS_PAGE, "console"), ids=lambda block: block.splitlines()[0])
def test_the_plans_of_the_formats_page_are_what_waypost_prints(block):
    line, _, shown = block.partition("\n")
    ran = waypost_here(*shlex.split(line)[2:], cwd=ROOT / "examples" / "formats")
    assert (ran.code, ran.out) == (0, shown)


def test_the_checks_of_the_formats_page_fit_the_samples(tmp_path):
    (toml,) = blocks(FORMATS_PAGE, "toml")
    parts = [f"[{part}" for part in toml.split("[task")[1:]]
    for sample, task in (("spec-kit/tasks.md", "T00"), ("backlog/tasks/greet-2 - Greet-by-name.md", "GREET")):
        folder = tmp_path / sample.split("/")[0]
        folder.mkdir()
        path = folder / "tasks.md"
        path.write_bytes((ROOT / "examples" / "formats" / sample).read_bytes())
        fitting = "".join(part.replace("[", "[task", 1) for part in parts if task in part)
        (folder / "waypost.checks.toml").write_text(fitting, encoding="utf-8")
        assert waypost_here("plan", path, cwd=folder).code == 0


def test_the_python_of_the_formats_page_lists_the_tasks():
    (program,) = blocks(FORMATS_PAGE, "python")
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT / "examples" / "formats", capture_output=True, text=True
    )
    assert (ran.stderr, ran.stdout.splitlines()[-1]) == ("", "T006 open ['T005'] 1")
