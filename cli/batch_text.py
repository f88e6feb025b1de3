"""What is said of a batch in words, and what can be typed next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..state.batch import BatchState, TaskStatus
from ..state.batch_record import batch_record, counts
from .answers import from_here, runs_option

_SHOWN = 20


def batch_overview(state: BatchState, folder: Path) -> dict[str, Any]:
    """A batch for a script, with what can be typed next."""
    return {**batch_record(state), "next": list(next_commands(state, folder))}


def batch_lines(state: BatchState, folder: Path, driver: str) -> Iterator[tuple[str, str]]:
    """Label and text of each line of `waypost status BATCH` before its tasks."""
    yield "batch", state.batch_id
    yield "driver", driver
    yield "result", f"{state.outcome()} {told_counts(state)}"
    yield from (("next", command) for command in next_commands(state, folder))


def closing_lines(state: BatchState, folder: Path, reports: tuple[Path, ...]) -> Iterator[tuple[str, str]]:
    """Label and text of each line of the closing summary."""
    yield "", ""
    yield "result", f"{state.outcome()} {told_counts(state)}"
    undone = [task for task in state.tasks if state.status_of(task.id) is not TaskStatus.DONE]
    for task in undone[:_SHOWN]:
        yield task.id, f"{state.status_of(task.id)} {state.reason_of(task.id)}"
    if len(undone) > _SHOWN:
        yield "", f"and {len(undone) - _SHOWN} more: waypost status {state.batch_id}{runs_option(folder.parent)}"
    for path in reports:
        yield "report", from_here(path)
    for command in next_commands(state, folder):
        yield "next", command


def told_counts(state: BatchState) -> str:
    """`12 DONE, 1 FAILED of 14 tasks`."""
    return ", ".join(f"{number} {status}" for status, number in counts(state).items()) + f" of {len(state.tasks)} tasks"


def next_commands(state: BatchState, folder: Path) -> Iterator[str]:
    """What a person can type now."""
    option = runs_option(folder.parent)
    for task in state.of_status(TaskStatus.BLOCKED)[:_SHOWN]:
        yield f"waypost resume {task.run_id}{option}"
    if state.outcome() is TaskStatus.INTERRUPTED or state.of_status(TaskStatus.BLOCKED):
        yield f"waypost resume {state.batch_id}{option}"
