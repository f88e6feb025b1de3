"""The examples do what they say, in real processes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from kit.cards import step_part, steps_card, write_card
from kit.cli import Ran, environment, waypost, waypost_here
from kit.links import links
from kit.repos import make_repo

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def project(name: str, folder: Path) -> Path:
    """An example's project as a git repository."""
    shutil.copytree(EXAMPLES / name / "project", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return make_repo(folder, {".gitignore": "__pycache__/\n.artifacts/\n"})


@dataclass(frozen=True)
class Example:
    """A run of an example."""

    repo: Path
    ran: Ran

    @property
    def report(self) -> str:
        return Path(self.ran.result["evidence"][0]).read_text(encoding="utf-8")

    def again(self) -> Ran:
        runs = self.repo / ".artifacts" / "agent_runs"
        return waypost_here("reproduce", self.ran.run_id, "--runs", runs, "--json", cwd=self.repo)


def run_of(name: str, folder: Path) -> Example:
    repo = project(name, folder)
    return Example(repo, waypost("run", EXAMPLES / name / "tasks.md", "--json", cwd=repo))


@pytest.fixture(scope="module")
def dkt(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return run_of("dkt-003", tmp_path_factory.mktemp("dkt") / "repo")


@pytest.fixture(scope="module")
def bugfix(tmp_path_factory: pytest.TempPathFactory) -> Example:
    repo = project("bugfix", tmp_path_factory.mktemp("bugfix") / "repo")
    tests = [sys.executable, "-m", "unittest", "discover"]
    assert subprocess.run(tests, cwd=repo, capture_output=True).returncode != 0
    return Example(repo, waypost("run", EXAMPLES / "bugfix" / "tasks.md", "--json", cwd=repo))


def test_the_bug_fix_begins_with_failing_tests_and_ends_with_passing_ones(bugfix: Example):
    assert (bugfix.ran.code, bugfix.ran.result["status"]) == (0, "DONE")
    tests = [sys.executable, "-m", "unittest", "discover"]
    assert subprocess.run(tests, cwd=bugfix.repo, capture_output=True).returncode == 0


def test_the_report_of_dkt_003_explains_the_baseline_that_does_not_exist(dkt: Example):
    assert (dkt.ran.code, dkt.ran.result["status"]) == (0, "DONE")
    headings = [line.removeprefix("## ") for line in dkt.report.splitlines() if line.startswith("## ")]
    assert headings == [
        "Step Identification",
        "Summary of Work",
        "Files Changed",
        "Commands Executed",
        "Verification Results",
        "Logs / Artifacts",
        "Risks & Limitations",
        "Reproduction Guide",
    ]
    for said in (
        "make test-orchestrator",
        "make has no rule for",
        "tests.test_state_machine",
        "tests.test_transitions",
    ):
        assert said in dkt.report


@pytest.mark.parametrize("name", ["dkt", "bugfix"])
def test_an_example_is_reproduced_with_the_same_verdicts(name: str, request: pytest.FixtureRequest):
    example: Example = request.getfixturevalue(name)
    ran = example.again()
    last = ran.events[-1]
    assert (ran.code, last["result"], last["world"]) == (0, "same", [])
    assert {row["now"] for row in last["criteria"]} == {"PASSED"}


def test_a_command_that_dkt_003_stood_for_is_told_once_it_exists(dkt: Example, monkeypatch: pytest.MonkeyPatch):
    folder = dkt.repo.parent / "bin"
    folder.mkdir()
    (folder / "make").write_text("#!/bin/sh\nexit 0\n")
    (folder / "make").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    ran = dkt.again()
    (row,) = [row for row in ran.events[-1]["checks"] if row["world"]]
    assert (ran.code, row["check"], row["recorded"], row["now"]) == (0, "S1.V1", "UNVERIFIABLE", "PASSED")
    assert any(said.startswith("make is ") for said in ran.events[-1]["world"])


def neutral(text: str, repo: Path) -> str:
    """A report without times, ids and hashes: what is left says what happened."""
    text = text.replace(str(repo), "REPO")
    for pattern, name in (
        (r"DKT-003_\d{8}T\d{6}Z_[0-9a-f]{7}", "RUN"),
        (r"\b[0-9a-f]{64}\b", "SHA256"),
        (r"\b[0-9a-f]{40}\b", "ID"),
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
        (r"\d+\.\d{3} s", "DURATION"),
        (r"in \d+\.\d{3}s", "in DURATION"),
        # What fails before the work prints the path of the repository.
        (r"Output: \d+ bytes", "Output: SIZE"),
    ):
        text = re.sub(pattern, name, text)
    return text


def test_two_runs_of_one_example_differ_in_times_and_ids_alone(dkt: Example, tmp_path: Path):
    other = run_of("dkt-003", tmp_path / "repo")
    assert other.ran.code == 0
    for one, two in zip(dkt.ran.result["evidence"], other.ran.result["evidence"], strict=True):
        first, second = Path(one).read_text(encoding="utf-8"), Path(two).read_text(encoding="utf-8")
        assert neutral(first, dkt.repo) == neutral(second, other.repo), Path(one).name
        assert [target for _, target in links(first)] == [target for _, target in links(second)]


def invoke(*arguments: str | Path, failpoint: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / "invoke.py"), *map(str, arguments)]
    return subprocess.run(command, env=environment(failpoint), capture_output=True, text=True)


CARD = steps_card(
    step_part("S1", "echo S1 >> work.txt", "grep -q S1 work.txt"),
    step_part("S2", "echo S2 >> work.txt", "grep -q S2 work.txt", "S1"),
)


def test_invoke_runs_a_task_from_own_code(repo):
    ran = invoke("start", write_card(repo.parent, CARD), repo)
    assert (ran.returncode, ran.stdout.splitlines()[-1], ran.stderr) == (0, "DONE", "")


@pytest.mark.parametrize("point", ["node.plan.enter", "node.dispatch.exit", "node.verify.moved:2"])
def test_a_second_process_resumes_the_thread_of_one_that_was_killed(repo, point):
    killed = invoke("start", write_card(repo.parent, CARD), repo, failpoint=point)
    assert killed.returncode == -signal.SIGKILL
    resumed = invoke("resume", killed.stdout.split()[0], repo)
    assert (resumed.returncode, resumed.stdout.splitlines()[-1], resumed.stderr) == (0, "DONE", "")
    assert (repo / "work.txt").read_text() == "S1\nS2\n"


def test_the_langchain_agent_is_refused_what_is_not_its_own_and_ends_done():
    ran = subprocess.run([sys.executable, str(EXAMPLES / "langchain_agent.py")], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "denied: write README.md: 'README.md' is not among the allowed paths (src/**)",
        "DONE",
    ]
