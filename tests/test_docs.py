"""What the documents say is run: the README's example, the diagram, the commands, the links."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kit.cli import command, environment, waypost, waypost_here
from kit.jobs import make_job, run_worker
from kit.states import RUN
from waypost.nodes.config import load_config
from waypost.nodes.workers import Health, LangChainWorker
from waypost.nodes.workers.agents import Agent, shipped_agents
from waypost.nodes.workers.gate import Gate
from waypost.nodes.workers.langchain.scripted_model import Reply
from waypost.nodes.workers.langchain.tools import workspace_tools
from waypost.nodes.workers.scripted import Cue
from waypost.nodes.workers.typed import EventWriter
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
    "line", [line for block in blocks(README, "console") for line in block.splitlines() if line.startswith("$ waypost")]
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


@pytest.mark.parametrize("page", ["acp.md", "langchain.md"])
def test_the_python_of_the_pages_on_agents_runs(tmp_path, page):
    for program in blocks((ROOT / "docs" / page).read_text(encoding="utf-8"), "python"):
        ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
        assert (ran.returncode, ran.stderr) == (0, "")


def test_the_factory_of_the_langchain_page_does_its_work(repo):
    factory = blocks((ROOT / "docs" / "langchain.md").read_text(encoding="utf-8"), "python")[1]
    (repo.parent / "my_factory.py").write_text(factory, encoding="utf-8")
    attempt = run_worker(repo, LangChainWorker("my_factory:make", search_path=(repo.parent,)))
    assert attempt.succeeded, attempt
    assert (repo / "prompt.txt").read_text() == (repo.parent / "runs" / RUN / attempt.folder / "prompt.md").read_text()


def test_the_agent_of_the_examples_writes_what_it_may_on_the_card_of_its_page(repo):
    (card,) = blocks((ROOT / "docs" / "acp.md").read_text(encoding="utf-8"), "markdown")
    (repo.parent / "tasks.md").write_text(card, encoding="utf-8")
    words = [*command("run", "../tasks.md", "--worker", "acp", "--runs", "../runs", "--json")]
    agent = f"{sys.executable} {ROOT / 'examples' / 'acp_agent.py'}"
    variables = {**environment(), "WAYPOST_ACP_AGENT": agent}
    ran = subprocess.run(words, cwd=repo, env=variables, capture_output=True, text=True)
    assert ran.returncode == 0, ran
    assert sorted(path.name for path in repo.iterdir()) == [".git", "README", "src"]


def test_the_scripted_model_is_described_with_all_its_fields():
    page = (ROOT / "docs" / "langchain.md").read_text(encoding="utf-8")
    assert all(f"`{name}" in page for name in Reply.model_fields)
    (script,) = blocks(page, "yaml")
    assert [Reply.model_validate(reply).fail for reply in yaml.safe_load(script)] == [
        None,
        "the provider is down",
        None,
    ]


def test_every_tool_of_the_ready_agent_is_described(repo):
    page = (ROOT / "docs" / "langchain.md").read_text(encoding="utf-8")
    (repo.parent / "runs/run/dispatch/S1/attempt-1").mkdir(parents=True)
    gate = Gate(make_job(repo), repo.parent / "runs/run/dispatch/S1/attempt-1", EventWriter(io.StringIO()))
    assert all(f"`{tool.name}({', '.join(tool.args)})`" in page for tool in workspace_tools(gate, repo))


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


AGENTS_PAGE = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")


def test_every_shipped_agent_is_on_its_page_with_a_page_of_its_own_documentation():
    for name, agent in shipped_agents().items():
        (row,) = re.findall(rf"^\| `{name}` .*$", AGENTS_PAGE, re.MULTILINE)
        assert any(url in row for url in agent.docs)


def test_every_field_of_an_agent_is_on_its_page():
    assert all(f"`{name}`" in AGENTS_PAGE for name in (*Agent.model_fields, *Health.model_fields))


def test_the_configuration_of_the_agents_page_is_valid(tmp_path):
    (tmp_path / "waypost.toml").write_text("\n".join(blocks(AGENTS_PAGE, "toml")), encoding="utf-8")
    config = load_config(tmp_path)
    assert set(config.agents) == {"claude", "careful", "robot"}
    assert config.environment.secret == ("DEPLOY_TOKEN",)


def test_the_python_of_the_agents_page_runs(tmp_path):
    (program,) = blocks(AGENTS_PAGE, "python")
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


FORMATS_PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


# A block of one command shows what that prints; one of several only lists them.
SHOWN = [block for block in blocks(README, "console") if block.startswith("$ waypost plan") and block.count("$ ") == 1]
PLANS = [*blocks(FORMATS_PAGE, "console"), *SHOWN]


@pytest.mark.parametrize("block", PLANS, ids=lambda block: block.splitlines()[0])
def test_the_plans_in_the_documents_are_what_waypost_prints(block):
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
