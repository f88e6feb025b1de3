"""Simulated power cuts at every instant of a session: what was not synced may be gone, torn, or out of order."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from faults import crashes, disks
from faults.checks import verdict
from faults.disks import JOURNAL, NO_FOLDER_SYNC, STRICT, Call, Disk, Rules
from faults.model import Truth
from faults.nursery import Nursery
from faults.outcome import Outcome
from faults.scene import prepare
from faults.setting import Setting, fast_folder
from faults.subjects import SUBJECTS

TEXT_SIZES = (3, 700, 5000)
MOST_A_CALL = 12
SHORT_TAKES = 0.08
RULES = (STRICT, JOURNAL, NO_FOLDER_SYNC)
REMOVALS = ("prune", "compact", "delete")


def run(setting: Setting) -> list[Outcome]:
    """At least 6,000 different states of the disk, by three sets of rules."""
    setting.need_shim()
    with fast_folder(setting) as folder:
        return [_experiment(setting, name, folder) for name in setting.names]


def _experiment(setting: Setting, name: str, folder: Path) -> Outcome:
    outcome = Outcome(SUBJECTS[name].name)
    outcome.add("states", 0)
    for size in TEXT_SIZES[1:2] if setting.short else TEXT_SIZES:
        start = folder / f"{name}-{size}"
        truth = prepare(setting.nursery, name, start)
        calls, played = record(setting.nursery, name, start, RULES, size=size)
        outcome.add("calls", sum(call.kind != disks.MARK for call in calls))
        for disk in played:
            _cut_everywhere(setting, outcome, start, truth.copy(), calls, disk)
    return outcome


def record(
    nursery: Nursery, name: str, start: Path, rules: tuple[Rules, ...], **how: Any
) -> tuple[list[Call], list[Disk]]:
    """The calls of a session that starts from a folder, which stays as it is, and disks to play them on."""
    session, path = start.with_name("session"), start.with_name("record")
    shutil.rmtree(session, ignore_errors=True)
    path.unlink(missing_ok=True)
    shutil.copytree(start, session)
    played = [Disk(session, each) for each in rules]
    details = {"subject": name, "folder": str(session), "record": str(path), "options": {"mirror": False}}
    victim = nursery.start("disturbed", **{**details, "fault": {"mode": "count"}, **how})
    told = list(victim.tells())
    victim.wait()
    assert not [message for message in told if "broken" in message], told[-1]
    return disks.calls_in(path), played


def _cut_everywhere(
    setting: Setting, outcome: Outcome, start: Path, truth: Truth, calls: list[Call], disk: Disk
) -> None:
    """Cut the power before each call and after the last, and judge what is left in every way."""
    name = start.name.partition("-")[0]
    random = setting.random(f"{start.name} {disk.rules.name}")
    seen: set[bytes] = set()
    for number, call in enumerate([*calls, None]):
        at_call = call is None or call.kind != disks.MARK
        if at_call and not (setting.short and random.random() > SHORT_TAKES):
            for tree in crashes.trees(disk, random, MOST_A_CALL):
                if (mark := crashes.key(tree)) in seen:
                    continue
                seen.add(mark)
                outcome.add("states")
                problem = judge(name, start.with_name("cut"), truth.copy(), tree)
                if problem:
                    outcome.violate(problem, f"{start.name}, power cut before call {number}, {disk.rules.name}")
        if call is not None:
            if call.kind == disks.MARK:
                seen.clear()
                truth.take(_as_promised(json.loads(call.data), disk.rules))
            disk.play(call)


def judge(name: str, folder: Path, truth: Truth, tree: crashes.Tree) -> str:
    """What is wrong with what a power cut left."""
    shutil.rmtree(folder, ignore_errors=True)
    crashes.lay_out(tree, folder)
    return verdict(name, folder, truth, [], go_on=True)


def _as_promised(message: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """Where syncing a folder does nothing, what was removed may stand there again."""
    if not rules.folder_syncs and message.get("ok") in REMOVALS:
        return {"failed": "not promised"}
    return message
