"""Jobs for workers, and calls for nodes."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from waypost.nodes.context import Call, RunContext
from waypost.nodes.dispatch import dispatch
from waypost.nodes.workers import Environment, Worker, builtin_workers
from waypost.state.events import Event
from waypost.state.job import Job
from waypost.state.records import Attempt, AttemptKind, Order
from waypost.state.status import Status
from waypost.state.task import Action, ActionKind

from .states import RUN, make_step


def make_job(workspace: Path, *, bash: str | None = None, script: str | None = None, **fields: Any) -> Job:
    actions = []
    if bash is not None:
        actions.append(Action(kind=ActionKind.BASH, text=bash))
    if script is not None:
        actions.append(Action(kind=ActionKind.SCRIPTED, text=script))
    return Job(
        **{
            "run_id": RUN,
            "status": Status.FREEZE,
            "task_id": "T-1",
            "task_title": "A task",
            "task_goal": "g",
            "step": make_step(actions=tuple(actions)),
            "order": Order(step="S1", number=1, kind=AttemptKind.CREATE),
            "workspace": str(workspace),
            "worker": "shell" if script is None else "scripted",
            "timeout_s": 60.0,
            **fields,
        }
    )


class Recorded:
    """A call whose events are kept and whose drain can be set."""

    def __init__(self, runs_dir: Path, **context_fields: Any) -> None:
        self.events: list[Event] = []
        self.drain = threading.Event()
        self.workers: dict[str, Worker] = dict(builtin_workers())
        context = RunContext(runs_dir=runs_dir, drain=self.drain, workers=self.workers, **context_fields)
        self.call = Call(context=context, say=self.events.append, draining=self.drain.is_set)
        self.run_dir = context.run_dir(RUN)

    def use_worker(self, name: str, worker: Worker) -> None:
        self.workers[name] = worker

    def use_environment(self, environment: Environment) -> None:
        self.call = replace(self.call, context=replace(self.call.context, environment=environment))

    def kinds(self) -> list[str]:
        return [event["event"] for event in self.events]


def run_worker(workspace: Path, worker: Worker) -> Attempt:
    """One attempt of a worker, through dispatch and launcher; its run stands beside the workspace in `runs`."""
    recorded = Recorded(workspace.parent / "runs")
    recorded.use_worker("own", worker)
    return dispatch(make_job(workspace, worker="own"), recorded.call).update["attempts"][0]
