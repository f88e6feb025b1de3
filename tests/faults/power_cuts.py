"""The power is really cut: a file system in a file is shut down under a writer, mounted again, and looked at."""

from __future__ import annotations

import shutil
import time
from random import Random

from faults.checks import verdict
from faults.model import Truth
from faults.mounts import Powered
from faults.outcome import Outcome, Skip
from faults.setting import Setting
from faults.subjects import SUBJECTS

KINDS = ("ext4", "xfs")
CUTS_A_THREAD = 10
LATEST_CUT_S = 0.25


def run(setting: Setting) -> list[Outcome]:
    """200 cuts of each file system under each saver."""
    outcomes: list[Outcome] = []
    skipped: list[str] = []
    for kind in KINDS:
        try:
            disk = Powered(setting.folder, kind)
            disk.mount()
            disk.unmount()
        except Skip as why:
            skipped.append(f"{kind}: {why}")
            continue
        outcomes += [_experiment(setting, disk, name) for name in setting.names]
    if not outcomes:
        raise Skip("; ".join(skipped))
    return outcomes


def _experiment(setting: Setting, disk: Powered, name: str) -> Outcome:
    outcome = Outcome(SUBJECTS[name].name)
    random = setting.random(f"cuts {disk.kind}")
    truth = Truth()
    try:
        for number in range(setting.size(200, 3)):
            if number % CUTS_A_THREAD == 0:
                truth = _fresh(disk, name)
            before = truth.acknowledged
            problem = _cut(setting, disk, name, truth, random, number)
            outcome.add(f"cuts on {disk.kind}")
            outcome.add("acknowledged", truth.acknowledged - before)
            if problem:
                outcome.violate(problem, f"cut {number} on {disk.kind}")
                truth = _fresh(disk, name)
    finally:
        disk.end()
    return outcome


def _fresh(disk: Powered, name: str) -> Truth:
    disk.mount()
    shutil.rmtree(disk.place / name, ignore_errors=True)
    (disk.place / name).mkdir()
    disk.unmount()
    return Truth()


def _cut(setting: Setting, disk: Powered, name: str, truth: Truth, random: Random, number: int) -> str:
    """One cut under a writer. What was told before it must be there; the call that was cut short may be."""
    disk.mount()
    folder = disk.place / name
    details = {"subject": name, "folder": str(folder), "thread": "t", "seed": f"{setting.seed}.{number}"}
    victim = setting.nursery.start("storm", **details)
    time.sleep(random.uniform(0, LATEST_CUT_S))
    told = victim.told()
    disk.cut()
    victim.kill()
    late = list(victim.tells())
    victim.wait()
    disk.unmount()
    disk.mount()
    try:
        for message in told:
            truth.take(message)
        truth.take_late(late)
        return verdict(name, folder, truth, [])
    finally:
        disk.unmount()
