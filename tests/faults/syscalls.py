"""Every call that changes a file is the last one, or is torn, shortened or refused, once and from then on."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults import shim
from faults.checks import verdict
from faults.model import Truth
from faults.outcome import Outcome
from faults.scene import prepare
from faults.setting import Setting, fast_folder
from faults.subjects import SUBJECTS


@dataclass(frozen=True)
class Disturbance:
    """What is done to a call."""

    name: str
    mode: str
    error: int = 0
    sticky: bool = False
    kinds: int = shim.EVERYTHING

    @property
    def fault(self) -> dict[str, Any]:
        return {"mode": self.mode, "error": self.error, "sticky": self.sticky, "kinds": self.kinds}


DISTURBANCES = (
    Disturbance("killed on entry", "kill"),
    Disturbance("torn, then killed", "torn"),
    Disturbance("short write", "short", kinds=shim.WRITES),
    Disturbance("short writes from then on", "short", sticky=True, kinds=shim.WRITES),
    Disturbance("EIO", "error", errno.EIO),
    Disturbance("EIO from then on", "error", errno.EIO, sticky=True),
    Disturbance("ENOSPC", "error", errno.ENOSPC),
    Disturbance("ENOSPC from then on", "error", errno.ENOSPC, sticky=True),
)
RETRIES = ("go on", "reopen")


def run(setting: Setting) -> list[Outcome]:
    """All disturbances at all calls of the session; the short form takes some of them."""
    setting.need_shim()
    with fast_folder(setting) as folder:
        return [_Bench(setting, name, folder).run() for name in setting.names]


class _Bench:
    def __init__(self, setting: Setting, name: str, folder: Path) -> None:
        self.setting = setting
        self.name = name
        self.outcome = Outcome(SUBJECTS[name].name)
        self.outcome.add("points", 0)
        self.template = folder / name
        self.truth = prepare(setting.nursery, name, self.template)

    def run(self) -> Outcome:
        points = [
            (disturbance, at, retry)
            for disturbance in DISTURBANCES
            for at in range(1, self.calls(disturbance.kinds) + 1)
            for retry in (RETRIES if disturbance.mode == "error" and self.name == "ledger" else RETRIES[:1])
        ]
        if self.setting.short:
            points = self.setting.random(self.name).sample(points, 60)
        for disturbance, at, retry in points:
            self.outcome.add("points")
            problem = self.point(disturbance, at, retry)
            if problem:
                self.outcome.violate(problem, f"{disturbance.name} at call {at}, {retry}")
        return self.outcome

    def calls(self, kinds: int) -> int:
        """How many calls of those kinds the undisturbed session makes."""
        told = self.session({"mode": "count", "kinds": kinds}, RETRIES[0])[0]
        (calls,) = [message["calls"] for message in told if "calls" in message]
        failed = [message for message in told if "failed" in message or "broken" in message]
        assert not failed, failed
        if kinds == shim.EVERYTHING and not self.outcome.counts["calls"]:
            self.outcome.add("calls", calls)
        return int(calls)

    def point(self, disturbance: Disturbance, at: int, retry: str) -> str:
        told, status, folder, truth = self.session({**disturbance.fault, "at": at}, retry)
        dead = disturbance.mode in ("kill", "torn")
        if dead != (status == 9):
            return f"the disturbance missed: wait status {status}"
        untyped = {message["failed"] for message in told if "failed" in message and not self._typed(message["failed"])}
        if untyped:
            return f"an error that is none of ours reached the caller: {sorted(untyped)[0]}"
        problem = verdict(self.name, folder, truth, told, go_on=True)
        self.outcome.add("acknowledged", truth.acknowledged)
        return problem

    def session(self, fault: dict[str, Any], retry: str) -> tuple[list[dict[str, Any]], int, Path, Truth]:
        """One run of the session from the same start."""
        folder = self.template.with_name(f"{self.template.name}-now")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.template, folder)
        victim = self.setting.nursery.start(
            "disturbed", subject=self.name, folder=str(folder), fault=fault, retry=retry
        )
        told = list(victim.tells())
        return told, victim.wait(), folder, self.truth.copy()

    def _typed(self, failure: str) -> bool:
        return self.name != "ledger" or failure.startswith("Ledger")
