"""States built by hand, for tests of what is done with them."""

from __future__ import annotations

from typing import Any

from waypost.state.pipeline import Baseline, PipelineState
from waypost.state.plan import Coverage, Plan
from waypost.state.records import Attempt, AttemptKind, AttemptOutcome, Check, CheckKind, Order, Outcome
from waypost.state.status import Status
from waypost.state.task import Action, ActionKind, Command, Criterion, Source, Step, Task

RUN = "T-1_20260101T000000Z_0000000"


def make_step(name: str = "S1", *, command: str = "true", depends_on: tuple[str, ...] = (), **fields: Any) -> Step:
    return Step(
        **{
            "id": name,
            "title": f"Step {name}",
            "goal": "g",
            "actions": (Action(kind=ActionKind.BASH, text="true"),),
            "criteria": (Criterion(id="AC1", text="it works", verified_by=("V1",)),),
            "verification": (Command(ref="V1", run=command),),
            "depends_on": depends_on,
            **fields,
        }
    )


def make_task(*steps: Step, **fields: Any) -> Task:
    return Task(
        **{
            "id": "T-1",
            "title": "A task",
            "goal": "g",
            "steps": steps or (make_step(),),
            "source": Source(path="tasks.md", sha256="0" * 64),
            **fields,
        }
    )


def make_plan(task: Task) -> Plan:
    rows = [Coverage(step=s.id, criterion=c.id, checks=c.verified_by) for s in task.steps for c in s.criteria]
    rows += [Coverage(step=None, criterion=c.id, checks=c.verified_by) for c in task.criteria]
    return Plan(waves=(tuple(step.id for step in task.steps),), coverage=tuple(rows))


def make_attempt(step: str = "S1", number: int = 1, **fields: Any) -> Attempt:
    return Attempt(
        **{
            "step": step,
            "number": number,
            "kind": AttemptKind.CREATE,
            "worker": "shell",
            "outcome": AttemptOutcome.FINISHED,
            "folder": f"dispatch/{step}/attempt-{number}",
            "exit_code": 0,
            **fields,
        }
    )


def make_check(step: str | None = "S1", ref: str = "V1", outcome: Outcome = Outcome.PASSED, **fields: Any) -> Check:
    number = fields.pop("round", 1)
    return Check(
        **{
            "id": f"{number}.{step or 'task'}.{ref}{fields.pop('suffix', '')}",
            "round": number,
            "step": step,
            "attempt": 1,
            "ref": ref,
            "kind": CheckKind.COMMAND,
            "run": "true",
            "outcome": outcome,
            "reason": "exit code 0" if outcome is Outcome.PASSED else "exit code 1",
            **fields,
        }
    )


def make_state(task: Task | None = None, **fields: Any) -> PipelineState:
    task = task or make_task()
    return PipelineState(
        **{
            "run_id": RUN,
            "task_file": "/x/tasks.md",
            "workspace": "/x",
            "status": Status.ACCEPT,
            "task": task,
            "plan": make_plan(task),
            "baseline": Baseline(commit="0" * 40),
            "orders": tuple(Order(step=step.id, number=1, kind=AttemptKind.CREATE) for step in task.steps),
            "attempts": tuple(make_attempt(step.id) for step in task.steps),
            **fields,
        }
    )
