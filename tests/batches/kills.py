"""A batch whose orchestrator is killed by SIGKILL again and again, and resumed each time."""

from __future__ import annotations

import json
import random
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from kit.batches import Wanted, tasks_file
from kit.cli import start_waypost
from kit.repos import make_repo

_END_S = 300


@dataclass
class Killed:
    """What is left after the last resume.

    Attributes:
        kills: how many processes were really killed; one that came to its end before was not.
        complaints: what is not as it has to be; empty where all is right.
    """

    kills: int
    lives: int
    lines: list[str]
    complaints: list[str] = field(default_factory=list)


def wanted(tasks: int, chance: random.Random) -> dict[str, Wanted]:
    """Tasks that take a while, each waiting for up to three that stand before it."""
    found: dict[str, Wanted] = {}
    for number in range(1, tasks + 1):
        before = list(found)
        waits = chance.sample(before, chance.randint(0, min(3, len(before)))) if before else []
        id = f"T-{number:02}"
        bash = f"echo {id} begins >> order; sleep {chance.uniform(0, 0.4):.3f}; echo {id} ends >> order"
        found[id] = Wanted(bash=bash, verify=f"grep -qx '{id} ends' order", waits_for=tuple(waits))
    return found


def kill_and_resume(folder: Path, *, tasks: int, kills: int, max_parallel: int, seed: int) -> Killed:
    """Run a batch, kill it that often, and look at what stands there in the end."""
    chance = random.Random(seed)
    plan = wanted(tasks, chance)
    repo = make_repo(folder / "repo", {".gitignore": "order\n"})
    runs = folder / "runs"
    path = tasks_file(folder / "tasks.md", plan)
    options = ("--workspace", repo, "--runs", runs, "--run-id", "B", "--max-parallel", str(max_parallel))
    words: tuple[str | Path, ...] = ("run", path, *options)
    killed, lives, window_s = 0, 0, 0.3
    while True:
        lives += 1
        more = killed < kills
        code = _live(repo, words, chance.uniform(0, window_s) if more else None)
        if code != -signal.SIGKILL:
            break
        killed += 1
        # As many kills as were asked for come before the end, and they are spread over the whole of it.
        ahead = _lines(repo, "ends") / tasks > (killed - 2) / kills
        window_s = min(max(window_s * (0.2 if ahead else 1.5), 0.005), 3.0)
        if (runs / "B" / "batch_request.json").exists():
            words = ("resume", "B", "--runs", runs)
    lines = (repo / "order").read_text().splitlines()
    return Killed(killed, lives, lines, [*_complaints(plan, lines, code), *_complaints_of_reports(plan, runs)])


def _lines(repo: Path, word: str) -> int:
    order = repo / "order"
    return sum(line.endswith(word) for line in order.read_text().splitlines()) if order.exists() else 0


def _live(repo: Path, words: tuple[str | Path, ...], after_s: float | None) -> int:
    """One process: killed so many seconds after its first line of output, where it still lives then."""
    process = start_waypost(*words, "--json", cwd=repo)
    process.stdout.readline()
    try:
        process.communicate(timeout=_END_S if after_s is None else after_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    return process.wait()


def _complaints(plan: dict[str, Wanted], lines: list[str], code: int) -> list[str]:
    found = [] if code == 0 else [f"the last process ended with {code}"]
    for id, task in plan.items():
        for word in ("begins", "ends"):
            if lines.count(f"{id} {word}") != 1:
                found.append(f"{id} {word} {lines.count(f'{id} {word}')} times")
        for other in task.waits_for:
            if f"{other} ends" in lines[lines.index(f"{id} begins") :]:
                found.append(f"{id} began before {other} had ended")
    return found


def _complaints_of_reports(plan: dict[str, Wanted], runs: Path) -> list[str]:
    report = json.loads((runs / "B" / "reports" / "batch.json").read_text())
    told = {task["id"]: task["status"] for task in report["tasks"]}
    found = [] if told == dict.fromkeys(plan, "DONE") else [f"the report says {told}"]
    cases = ElementTree.parse(runs / "B" / "reports" / "junit.xml").findall(".//testcase")
    if len(cases) != len(plan) or any(len(case) for case in cases):
        found.append("junit.xml says something else")
    mirrors = [json.loads((runs / task["run_id"] / "pipeline_state.json").read_text()) for task in report["tasks"]]
    attempts = [len(mirror["values"]["attempts"]) for mirror in mirrors]
    if attempts != [1] * len(plan):
        found.append(f"attempts of the runs: {attempts}")
    missing = [
        task["run_id"]
        for task in report["tasks"]
        if not list(runs.glob(f"{task['run_id']}/reports/*/attestation.json"))
    ]
    return [*found, *(f"{run} is not attested" for run in missing)]
