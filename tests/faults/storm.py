"""Processes that are killed at random instants lose nothing they were told is saved."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from faults.checks import verdict
from faults.model import Truth
from faults.nursery import Victim
from faults.outcome import Outcome
from faults.setting import Setting
from faults.subjects import SUBJECTS, state_in

KILLS_A_THREAD = 20
LATEST_KILL_S = 0.12
CROWD_SHARE = 5


def run(setting: Setting) -> list[Outcome]:
    """1,000 kills and 20,000 acknowledged changes; every fifth victim writes from four threads at once."""
    return [_storm(setting, name) for name in setting.names]


def _storm(setting: Setting, name: str) -> Outcome:
    outcome = Outcome(SUBJECTS[name].name)
    kills, changes = setting.size(1000, 30), setting.size(20_000, 200)
    random = setting.random("storm")
    folder, truth = _fresh(setting, name, 0), Truth()
    while outcome.counts["kills"] < kills or outcome.counts["acknowledged"] < changes:
        number = outcome.counts["kills"]
        if number % KILLS_A_THREAD == KILLS_A_THREAD - 1:
            shutil.rmtree(folder)
            folder, truth = _fresh(setting, name, number), Truth()
        job = "crowd" if number % CROWD_SHARE == CROWD_SHARE - 1 else "storm"
        seed = f"{setting.seed}.{number}"
        details = {"subject": name, "folder": str(folder), "thread": f"{job}-t", "seed": seed}
        victim = setting.nursery.start(job, **details)
        told = _kill_at(victim, random.uniform(0, LATEST_KILL_S))
        outcome.add("kills")
        where = f"kill {number}"
        if job == "crowd":
            _judge_crowd(outcome, name, folder, told, seed, where)
        else:
            before = truth.acknowledged
            problem = verdict(name, folder, truth, told)
            outcome.add("acknowledged", truth.acknowledged - before)
            if problem:
                outcome.violate(problem, where)
                shutil.rmtree(folder)
                folder, truth = _fresh(setting, name, number), Truth()
    return outcome


def _fresh(setting: Setting, name: str, number: int) -> Path:
    folder = setting.folder / f"storm-{name}-{number}"
    folder.mkdir()
    return folder


def _kill_at(victim: Victim, instant_s: float) -> list[dict[str, Any]]:
    """Kill a victim after that time; what it told until then."""
    time.sleep(instant_s)
    victim.kill()
    told = list(victim.tells())
    victim.wait()
    return told


def _judge_crowd(outcome: Outcome, name: str, folder: Path, told: list[dict[str, Any]], seed: str, where: str) -> None:
    """Of what several threads wrote: everything done is there, and nothing that was not tried."""
    tried = {message["trying"][3] for message in told if "trying" in message}
    done = {message["done"][3] for message in told if "done" in message}
    saver = SUBJECTS[name].open(folder)
    try:
        written = {task for item in state_in(saver, "crowd-t") for task, _ in item.writes}
    finally:
        SUBJECTS[name].close(saver)
    shown = {task for task in written if task.startswith(f"{seed}-")}
    outcome.add("acknowledged", len(done))
    if not done <= shown <= tried:
        outcome.violate(f"lost {sorted(done - shown)[:3]}, never written {sorted(shown - tried)[:3]}", where)
