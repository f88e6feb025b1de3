"""One check of a kind, done in a workspace and a run folder of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from waypost.nodes.checks.bench import WorkBench
from waypost.nodes.checks.kinds import BUILTIN, Kind
from waypost.nodes.checks.kinds.bounded import Bounded
from waypost.nodes.checks.looking import judge_again, look_and_judge
from waypost.nodes.evidence.files import open_run_folder
from waypost.nodes.workers import Environment
from waypost.nodes.workers.launcher.masking import Masker
from waypost.state.records import Check, CheckKind, Outcome
from waypost.state.task import Probe


@dataclass
class Place:
    """A workspace and the folder of a run; `secret` is hidden in all that is kept."""

    workspace: Path
    run_dir: Path
    secret: bytes = b"hunter2-hunter2"

    def check(self, kind: str | Kind, *subject: str, timeout_s: float = 20.0, **args: str) -> Check:
        """What such a check says about the workspace as it is."""
        found = BUILTIN[kind] if isinstance(kind, str) else kind
        self.probe = Probe(ref="V1", kind=found.name, subject=subject, args=args)
        blank = Check(
            id="1.S1.V1", round=1, step="S1", attempt=1, ref="V1", kind=CheckKind.PROBE, probe=found.name,
            run="a check", outcome=Outcome.UNVERIFIABLE, reason="",
        )  # fmt: skip
        bench = WorkBench(
            workspace=self.workspace,
            folder=self.run_dir / "checks" / "0001",
            name="S1.V1",
            timeout_s=timeout_s,
            output_limit_bytes=1 << 20,
            env=Environment().variables(),
            masker=Masker([self.secret]),
            stop=lambda: False,
        )
        return look_and_judge(found, self.probe, bench, blank, self.run_dir)

    def says(self, *arguments: Any, **args: Any) -> tuple[str, str]:
        """Outcome and reason, which are the same when they are worked out again from what was kept."""
        check = self.check(*arguments, **args)
        if check.outcome is Outcome.PASSED:
            with open_run_folder(self.run_dir) as folder, Bounded() as bounded:
                kind = BUILTIN[check.probe]
                again = judge_again(kind, self.probe, check, folder, bounded)
            assert (again.outcome, again.reason) == (check.outcome, check.reason)
        return check.outcome.value, check.reason

    def kept(self) -> bytes:
        """Everything that was kept, as one."""
        return b"".join(path.read_bytes() for path in sorted((self.run_dir / "checks").rglob("*.*")))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    workspace, run_dir = tmp_path / "workspace", tmp_path / "run"
    workspace.mkdir()
    run_dir.mkdir()
    return Place(workspace, run_dir)
