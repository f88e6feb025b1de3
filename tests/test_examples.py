"""The examples do what they say, in real processes."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kit.cards import step_part, steps_card, write_card
from kit.cli import environment, waypost
from kit.repos import make_repo

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def project(name: str, folder: Path) -> Path:
    """An example's project as a git repository."""
    shutil.copytree(EXAMPLES / name / "project", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return make_repo(folder, {".gitignore": "__pycache__/\n.artifacts/\n"})


def test_the_bug_fix_begins_with_failing_tests_and_ends_with_passing_ones(tmp_path):
    repo = project("bugfix", tmp_path / "repo")
    tests = [sys.executable, "-m", "unittest", "discover"]
    assert subprocess.run(tests, cwd=repo, capture_output=True).returncode != 0
    ran = waypost("run", EXAMPLES / "bugfix" / "tasks.md", "--json", cwd=repo)
    assert (ran.code, ran.result["status"]) == (0, "DONE")
    assert subprocess.run(tests, cwd=repo, capture_output=True).returncode == 0


def test_the_report_of_dkt_003_explains_the_baseline_that_does_not_exist(tmp_path):
    repo = project("dkt-003", tmp_path / "repo")
    ran = waypost("run", EXAMPLES / "dkt-003" / "tasks.md", "--json", cwd=repo)
    assert (ran.code, ran.result["status"]) == (0, "DONE")
    report = Path(ran.result["evidence"][0]).read_text(encoding="utf-8")
    headings = [line.removeprefix("## ") for line in report.splitlines() if line.startswith("## ")]
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
        assert said in report


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
