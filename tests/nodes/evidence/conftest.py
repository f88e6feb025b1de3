"""A run with real files: states for evidence are built by saying what happened, one record at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from waypost.state.guarding import Before
from waypost.state.pipeline import Baseline, PipelineState
from waypost.state.plan import Coverage, Plan
from waypost.state.records import Attempt, AttemptKind, AttemptOutcome, Check, CheckKind, Outcome, Transition, Verdict
from waypost.state.status import Node, Route, Status
from waypost.state.task import Command, Criterion, Output, Source, Step, Task
from waypost.state.verified import VerifiedTree

START = datetime(2026, 2, 11, 13, 40, 56, tzinfo=UTC)
WORKSPACE = "/srv/work space/project"
COMMIT = "ac778e9" + "0" * 33


class Run:
    """A run folder and the records of one run of task DKT-003."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True)
        self.reports = folder / "reports" / "DKT-003"
        self.checks: list[Check] = []
        self.before: list[Check] = []
        self.attempts: list[Attempt] = []
        self.verdicts: list[Verdict] = []
        self.transitions: list[Transition] = []
        self.tree: VerifiedTree | None = None
        self.task = self.a_task()

    def a_task(self, **changes: Any) -> Task:
        step: dict[str, Any] = {
            "id": "S1",
            "title": "The state machine",
            "criteria": (Criterion(id="A1", text="Every allowed transition is taken", verified_by=("V1",)),),
            "verification": (Command(ref="V1", run="python -m pytest -q"),),
            "allowed_paths": ("src/**",),
        }
        whole: dict[str, Any] = {"id": "DKT-003", "title": "Implement orchestrator state machine"}
        whole["source"] = Source(path="tasks.md", sha256="1" * 64, line=3)
        for name, value in changes.items():
            (whole if name in {"title", "goal"} else step)[name] = value
        return Task(steps=(Step(**step),), **whole)

    def file(self, path: str, content: bytes) -> str:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def attempt(self, number: int = 1, **changes: Any) -> Attempt:
        folder = f"dispatch/S1/attempt-{number}"
        values: dict[str, Any] = {
            "step": "S1",
            "number": number,
            "kind": AttemptKind.CREATE if number == 1 else AttemptKind.REWORK,
            "worker": "shell",
            "outcome": AttemptOutcome.FINISHED,
            "folder": folder,
            "exit_code": 0,
            "started_at": START,
            "ended_at": START + timedelta(seconds=2.5),
            "stdout_sha256": self.file(f"{folder}/stdout.log", b"all tests passed, trust me\n"),
            "stderr_sha256": self.file(f"{folder}/stderr.log", b""),
        }
        self.file(f"{folder}/request.json", b"{}\n")
        self.attempts.append(Attempt(**(values | changes)))
        return self.attempts[-1]

    def check(self, ref: str = "V1", output: bytes | None = b"1 passed\n", **changes: Any) -> Check:
        number, step = changes.get("round", 1), changes.get("step", "S1")
        place = f"{step or 'task'}.{ref}{changes.pop('suffix', '')}"
        values: dict[str, Any] = {
            "id": f"{number}.{place}",
            "round": number,
            "step": step,
            "attempt": 1,
            "ref": ref,
            "kind": CheckKind.COMMAND,
            "run": "python -m pytest -q",
            "outcome": Outcome.PASSED,
            "reason": "exit code 0",
            "argv": ("python", "-m", "pytest", "-q"),
            "cwd": WORKSPACE,
            "exit_code": 0,
            "started_at": START + timedelta(seconds=3),
            "duration_s": 1.25,
        }
        if output is not None:
            values["log"] = f"checks/{number:04d}/{place}.log"
            values["log_sha256"] = self.file(values["log"], output)
        self.checks.append(Check(**(values | changes)))
        return self.checks[-1]

    def quiet(self, ref: str, kind: CheckKind, run: str, outcome: Outcome, reason: str, **changes: Any) -> Check:
        nothing: dict[str, Any] = {"argv": (), "cwd": "", "exit_code": None, "started_at": None, "duration_s": None}
        return self.check(ref, None, kind=kind, run=run, outcome=outcome, reason=reason, **nothing, **changes)

    def earlier(self, ref: str = "V1", output: bytes | None = b"1 failed\n", **changes: Any) -> Check:
        """A check before any work; it failed unless it is said to have ended otherwise."""
        failed = {"outcome": Outcome.FAILED, "exit_code": 1, "reason": "exit code 1"}
        self.before.append(self.check(ref, output, **{"attempt": None, **failed, **changes, "round": 0}))
        return self.checks.pop()

    def scope(self, *rows: tuple[str, str, bool], round: int = 1) -> Check:
        lines = [json.dumps({"change": change, "path": path, "allowed": allowed}) for change, path, allowed in rows]
        inside = all(allowed for _, _, allowed in rows)
        return self.check(
            "SCOPE",
            "".join(f"{line}\n" for line in lines).encode(),
            round=round,
            step=None,
            attempt=None,
            kind=CheckKind.SCOPE,
            run="changed files against the Allowed Scope",
            outcome=Outcome.PASSED if inside else Outcome.FAILED,
            reason="all inside" if inside else "some outside",
            argv=(),
            cwd="",
            exit_code=None,
            duration_s=None,
        )

    def verdict(self, criterion: str | None = "A1", outcome: Outcome = Outcome.PASSED, **changes: Any) -> Verdict:
        values: dict[str, Any] = {"step": "S1", "criterion": criterion, "outcome": outcome}
        values |= {"reason": "every check passed", "checks": tuple(check.id for check in self.checks)}
        self.verdicts.append(Verdict(**(values | changes)))
        return self.verdicts[-1]

    def move(self, source: Status, target: Status, node: Node, route: Route, reason: str) -> None:
        at = START + timedelta(seconds=len(self.transitions))
        self.transitions.append(Transition(source=source, target=target, node=node, route=route, reason=reason, at=at))

    def state(self, status: Status = Status.DONE, **changes: Any) -> PipelineState:
        contracts = (*((step.id, step) for step in self.task.steps), (None, self.task))
        coverage = tuple(
            Coverage(step=step, criterion=criterion.id, checks=criterion.verified_by)
            for step, contract in contracts
            for criterion in contract.criteria
        )
        values: dict[str, Any] = {
            "run_id": "DKT-003_20260211T134056Z_ac778e9",
            "task_file": "tasks.md",
            "workspace": WORKSPACE,
            "baseline": Baseline(commit=COMMIT),
            "tree": self.tree,
            "created_at": START,
            "status": status,
            "task": self.task,
            "plan": Plan(waves=(tuple(step.id for step in self.task.steps),), coverage=coverage),
            "attempts": tuple(self.attempts),
            "checks": tuple(self.checks),
            "before": Before(checks=tuple(self.before), at=START),
            "verdicts": tuple(self.verdicts),
            "transitions": tuple(self.transitions),
        }
        return PipelineState(**(values | changes))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run in which nothing has happened yet."""
    return Run(tmp_path / "run")


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[[], Run]:
    """As many runs as a test wants."""
    numbers = iter(range(1_000_000))
    return lambda: Run(tmp_path / f"run-{next(numbers)}")


@pytest.fixture
def done(run: Run) -> Run:
    """A run that did what was asked: one attempt, one passing command, one changed file."""
    run.attempt()
    run.check()
    run.scope(("modified", "src/machine.py", True))
    run.verdict()
    run.verdict(None)
    run.move(Status.PLANNING, Status.ANALYSIS, Node.EXTRACT, Route.EXTRACTED, "task DKT-003")
    run.move(Status.ANALYSIS, Status.FREEZE, Node.PLAN, Route.FROZEN, "1 step")
    run.move(Status.FREEZE, Status.EXECUTE, Node.DISPATCH, Route.DISPATCHED, "S1")
    run.move(Status.EXECUTE, Status.ACCEPT, Node.VERIFY, Route.CHECKED, "round 1")
    run.move(Status.ACCEPT, Status.DONE, Node.TRANSITION, Route.ACCEPTED_ALL, "every criterion passed")
    return run


@pytest.fixture
def mapped(run: Run) -> Run:
    """The run of examples like DKT-003: the baseline command does not exist, its equivalents do."""
    equivalents = ("python -m pytest tests/test_machine.py", "ruff check src | tee lint.txt")
    run.task = run.a_task(
        verification=(Command(ref="V1", run="make test-orchestrator", equivalents=equivalents),),
        outputs=(Output(ref="O1", path="docs/machine.md"),),
        criteria=(
            Criterion(id="A1", text="Every allowed transition is taken", verified_by=("V1",)),
            Criterion(id="A2", text="It is documented", verified_by=("O1",)),
        ),
    )
    run.attempt(exit_code=1)
    run.attempt(2)
    run.earlier("V1", b"collected 0 items\n", run=equivalents[0], suffix=".e1", stands_for="make test-orchestrator")
    run.earlier("O1", None, kind=CheckKind.OUTPUT, run="expected output docs/machine.md", argv=(), exit_code=None)
    why = 'make has no rule for "test-orchestrator"'
    for number, outcome in ((1, Outcome.FAILED), (2, Outcome.PASSED)):
        code = 0 if outcome is Outcome.PASSED else 1
        absent: dict[str, Any] = {"outcome": Outcome.UNVERIFIABLE, "exit_code": 2, "reason": why, "round": number}
        said = b"make: *** No rule to make target 'test-orchestrator'.  Stop.\n"
        baseline, words = "make test-orchestrator", ("make", "test-orchestrator")
        run.check("V1", said, kind=CheckKind.BASELINE, run=baseline, argv=words, **absent)
        result: dict[str, Any] = {"outcome": outcome, "exit_code": code, "reason": f"exit code {code}", "round": number}
        for place, text in enumerate(equivalents, 1):
            argv = ("bash", "-euo", "pipefail", "-c", text) if "|" in text else tuple(text.split())
            said = f"round {number}, equivalent {place}".encode()
            run.check("V1", said, suffix=f".e{place}", run=text, argv=argv, stands_for=baseline, **result)
        run.quiet("O1", CheckKind.OUTPUT, "expected output docs/machine.md", Outcome.PASSED, "120 bytes", round=number)
        run.scope(("modified", "src/machine.py", True), ("untracked", "docs/machine.md", True), round=number)
    run.verdict("A1")
    run.verdict("A2")
    run.verdict(None)
    patch = "checks/0002/change.patch"
    sha256 = run.file(patch, b"diff --git a/x b/x\n")
    run.tree = VerifiedTree(round=2, base=COMMIT, tree="7" * 40, patch=patch, patch_sha256=sha256)
    return run
