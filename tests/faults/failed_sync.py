"""A sync fails, the process ends, the next one reads, the power is cut: what was shown must still be there.

After a failed sync the kernel takes the pages for clean: every process sees them, and they never reach the disk unless
they are written again. The record of the calls is played on a disk that behaves so.
"""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Any

from faults import crashes, disks, shim
from faults.disks import JOURNAL, STRICT, Disk
from faults.model import Impossible, Truth
from faults.outcome import Outcome
from faults.power_loss import judge
from faults.scene import prepare
from faults.sessions import THREADS
from faults.setting import Setting, fast_folder
from faults.subjects import SUBJECTS

RETRIES = ("stop", "go on", "reopen")
RULES = (STRICT, JOURNAL)
TREES = 6


def run(setting: Setting) -> list[Outcome]:
    """Every sync of the session fails once, with three ways to go on; then a reader, then a power cut."""
    setting.need_shim()
    with fast_folder(setting) as folder:
        return [_Bench(setting, name, folder).run() for name in setting.names]


class _Bench:
    def __init__(self, setting: Setting, name: str, folder: Path) -> None:
        self.setting = setting
        self.name = name
        self.start = folder / name
        self.outcome = Outcome(SUBJECTS[name].name)
        self.truth = prepare(setting.nursery, name, self.start)
        self.random = setting.random(name)

    def run(self) -> Outcome:
        points = [(at, retry) for at in range(1, self.syncs() + 1) for retry in RETRIES]
        for at, retry in self.random.sample(points, min(len(points), 12)) if self.setting.short else points:
            self.outcome.add("failed syncs")
            problems = self.point(at, retry)
            if problems:
                self.outcome.violate(problems[0], f"sync {at} failed, then {retry}")
        return self.outcome

    def syncs(self) -> int:
        """How many syncs the undisturbed session makes."""
        calls, _ = self.session({"mode": "count", "kinds": shim.SYNCS}, "go on", reader=False)
        return sum(call.kind == disks.SYNC for call in calls)

    def point(self, at: int, retry: str) -> list[str]:
        """One failing sync, and all that a power cut may leave afterwards, by each of the rules."""
        calls, played = self.session(
            {"mode": "error", "at": at, "error": errno.EIO, "kinds": shim.SYNCS}, retry, reader=True
        )
        problems: list[str] = []
        for disk in played:
            truth = self.truth.copy()
            try:
                self._play(calls, disk, truth)
            except Impossible as why:
                problems.append(f"{why} (before the power cut)")
                continue
            for tree in crashes.trees(disk, self.random, TREES):
                self.outcome.add("power cuts")
                problem = judge(self.name, self.start.with_name("cut"), truth.copy(), tree)
                problems += [f"{problem} ({disk.rules.name})"] if problem else []
        return problems

    def _play(self, calls: list[disks.Call], disk: Disk, truth: Truth) -> None:
        for call in calls:
            if call.kind == disks.MARK:
                truth.take(json.loads(call.data))
            disk.play(call)

    def session(self, fault: dict[str, Any], retry: str, *, reader: bool) -> tuple[list[disks.Call], list[Disk]]:
        """The calls of the session, and of a process that then reads everything and goes on with nothing."""
        session, path = self.start.with_name("session"), self.start.with_name("record")
        shutil.rmtree(session, ignore_errors=True)
        path.unlink(missing_ok=True)
        shutil.copytree(self.start, session)
        played = [Disk(session, rules) for rules in RULES]
        common = {"subject": self.name, "folder": str(session), "record": str(path)}
        jobs: list[dict[str, Any]] = [{**common, "fault": fault, "retry": retry, "options": {"mirror": False}}]
        if reader:
            jobs.append({**common, "fault": {"mode": "count"}, "script": [(thread, "show") for thread in THREADS]})
        for details in jobs:
            victim = self.setting.nursery.start("disturbed", **details)
            broken = [message for message in victim.tells() if "broken" in message]
            assert not broken, broken
            victim.wait()
        return disks.calls_in(path), played
