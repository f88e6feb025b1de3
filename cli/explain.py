"""`waypost explain`: why a run is in the state it is in, in a few sentences, each from a record."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..nodes.workers.attempt import Stage
from ..state.batch import TaskStatus
from ..state.errors import WaypostError
from ..state.events import FailedCheck
from ..state.pipeline import PipelineState
from ..state.records import Outcome, Transition
from ..state.status import ENDS, Route, Status, edges_from
from .answers import from_here, runs_option
from .batch_text import next_commands, told_counts
from .routes import MEANINGS
from .safe import one_line
from .seen import Seen, see
from .seen_batch import SeenBatch
from .summary import failed_checks, next_steps, waits_for
from .view import CalmConsole, choose_view

_SHOWN = 5
_STAGES = {
    Stage.UNCLAIMED: "is ordered and not started",
    Stage.RUNNING: "is running",
    Stage.ENDED: "has ended, and nobody has looked at its result yet",
    Stage.LOST: "was started and is gone without a result",
}


@dataclass(frozen=True)
class Explanation:
    """Sentences for a person, the same facts for a script, and what can be typed next."""

    sentences: tuple[str, ...]
    facts: dict[str, Any]
    next: tuple[tuple[str, str], ...]


def explain(run: str, *, runs: Path, json: bool) -> int:
    """Say why a run, or a batch, is where it is. Reads only."""
    try:
        seen = see(runs, run)
        found = explained_batch(seen) if isinstance(seen, SeenBatch) else explained(seen)
    except WaypostError as error:
        return choose_view(json=json).failed(error)
    if json:
        told = {"why": list(found.sentences), "next": [command for command, _ in found.next]}
        print(jsonlib.dumps({**found.facts, **told}))
        return 0
    console = CalmConsole()
    for sentence in found.sentences:
        console.print(one_line(sentence))
    if found.next:
        console.print("\nNext:")
    for command, meaning in found.next:
        console.print(f"  {command}" + (f"  # {meaning}" if meaning else ""))
    return 0


def explained(seen: Seen) -> Explanation:
    """Why a run is where it is."""
    state = seen.state
    last = state.transitions[-1] if state.transitions else None
    failed = failed_checks(state, seen.run_dir) if state.status is not Status.DONE else []
    sentences = [_where(state, last), *_why(state, last), *_checks(state, failed), *_driver(seen), *_waits(seen)]
    facts: dict[str, Any] = {
        "run_id": state.run_id,
        "task_id": state.task_id,
        "status": state.status.value,
        "begun": seen.begun,
        "transition": last.model_dump(mode="json") if last else None,
        "allowed": [
            {"to": edge.target.value, "by": edge.node.value, "route": edge.route.value}
            for edge in edges_from(state.status)
        ],
        "failed": failed,
        "driver": {"pid": seen.writer.pid, "host": seen.writer.host} if seen.writer and seen.driven else None,
        "in_flight": [
            {"step": order.step, "attempt": order.number, "stage": stage.value} for order, _, stage in _flying(seen)
        ],
        "waits_for": waits_for(state),
    }
    run = f"{state.run_id}{runs_option(seen.run_dir.parent)}"
    if seen.driven and state.status not in ENDS:
        return Explanation(tuple(sentences), facts, ((f"waypost watch {run}", ""),))
    return Explanation(tuple(sentences), facts, tuple(next_steps(state, seen.run_dir)))


def _where(state: PipelineState, last: Transition | None) -> str:
    task = f"task {state.task_id}" + (f": {state.task.title}" if state.task else "")
    since = f" since {last.at:%Y-%m-%d %H:%M:%S} UTC" if last else ""
    return f"Run {state.run_id} ({task}) is {state.status}{since}."


def _why(state: PipelineState, last: Transition | None) -> Iterator[str]:
    if last is None:
        yield "No stage has moved it yet."
        return
    yield f'The stage "{last.node}" moved it there from {last.source} by the route "{last.route}": {last.reason}.'
    yield f"{MEANINGS[last.route]}{_limit(state, last)}."


def _limit(state: PipelineState, last: Transition) -> str:
    if last.route is Route.EXHAUSTED:
        return f" (--max-rework {state.limits.max_rework})"
    if last.route is Route.OVER_BUDGET and state.blocked is not None:
        return "".join(f"; {overrun}" for overrun in state.blocked.overruns)
    return ""


def _checks(state: PipelineState, failed: list[FailedCheck]) -> Iterator[str]:
    checks = [check for check in state.checks if check.round == state.round]
    if not checks:
        return
    passed = sum(check.outcome is Outcome.PASSED for check in checks)
    if state.status is Status.DONE:
        yield f"Round {state.round} looked at the final files: {passed} of {len(checks)} checks passed."
        return
    yield f"In the newest round of checks, number {state.round}, {passed} of {len(checks)} passed."
    for check in failed[:_SHOWN]:
        said = f': "{check["error"]}"' if check["error"] else ""
        log = f" ({from_here(Path(check['log']))})" if check["log"] else ""
        yield f"{check['step'] or 'Task'}: `{check['run']}` is {check['outcome']}, {check['reason']}{said}{log}."
    if len(failed) > _SHOWN:
        yield f"{len(failed) - _SHOWN} more did not pass."


def _driver(seen: Seen) -> Iterator[str]:
    writer, state = seen.writer, seen.state
    if seen.driven and writer is not None:
        yield f"Process {writer.pid} on {writer.host} drives it now."
        return
    if state.status in ENDS or state.status is Status.BLOCKED:
        return
    if not seen.begun:
        yield "It was asked for, but stopped before its first checkpoint: nothing has been started."
    elif writer is not None and not writer.released:
        yield f"Nobody drives it: process {writer.pid}, which did, is gone without having let go (it was killed)."
    else:
        yield "Nobody drives it: the process that did has stopped in good order."


def _waits(seen: Seen) -> Iterator[str]:
    state = seen.state
    for order, folder, stage in _flying(seen):
        yield f"{order.step} attempt {order.number} {_STAGES[stage]} ({from_here(folder)})."
    if state.status is Status.BLOCKED and state.blocked is not None:
        yield f"It waits for a person: {state.blocked.question}"
    elif state.status in ENDS:
        yield f"{state.status} is an end: nothing follows."


def _flying(seen: Seen) -> list[tuple[Any, Path, Stage]]:
    if seen.state.status in ENDS or seen.state.status is Status.BLOCKED:
        return []
    return [(order, folder.path, stage) for order, folder, stage in seen.attempts()]


def explained_batch(seen: SeenBatch) -> Explanation:
    """Why a batch is where it is: because of the tasks that are not done."""
    state = seen.state
    undone = [task for task in state.tasks if state.status_of(task.id) is not TaskStatus.DONE]
    sentences = [f"Batch {state.batch_id} is {state.outcome()}: {told_counts(state)}."]
    for task in undone[:_SHOWN]:
        sentences.append(f"{task.id} is {state.status_of(task.id)}: {state.reason_of(task.id)}.")
    if len(undone) > _SHOWN:
        sentences.append(f"{len(undone) - _SHOWN} more are not done.")
    if seen.driven and seen.writer is not None:
        sentences.append(f"Process {seen.writer.pid} on {seen.writer.host} drives it now.")
    elif state.outcome() is TaskStatus.INTERRUPTED:
        sentences.append("Nobody drives it: what is not done is gone on with when it is resumed.")
    facts: dict[str, Any] = {
        "batch_id": state.batch_id,
        "status": state.outcome().value,
        "driver": {"pid": seen.writer.pid, "host": seen.writer.host} if seen.writer and seen.driven else None,
        "tasks": [
            {"id": task.id, "run_id": task.run_id, "status": state.status_of(task.id), "why": state.reason_of(task.id)}
            for task in undone
        ],
    }
    option = runs_option(seen.folder.parent)
    commands = [f"waypost watch {state.batch_id}{option}"] if seen.driven else list(next_commands(state, seen.folder))
    blocked = [f"waypost explain {task.run_id}{option}" for task in state.of_status(TaskStatus.BLOCKED)[:_SHOWN]]
    return Explanation(tuple(sentences), facts, tuple((command, "") for command in [*blocked, *commands]))
