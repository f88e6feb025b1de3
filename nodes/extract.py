"""The first stage: read the task file."""

from __future__ import annotations

from pathlib import Path

from ..state.errors import TaskFileError
from ..state.frozen import task_digest
from ..state.pipeline import PipelineState
from ..state.status import Route, Status
from .context import Call
from .formats import read_task_file
from .move import Move
from .secrets import without_secrets


def extract(state: PipelineState, call: Call) -> Move:
    """Read the task that the run is for. A file that cannot be read ends the run; it never raises for one.

    A task of a foreign file was read, shown and accepted before the run was made: it is taken as it was accepted.
    """
    try:
        accepted = state.task if state.acceptance is not None else None
        written = accepted or read_task_file(Path(state.task_file), state.task_id, call.context.kinds)
        task = without_secrets(written, call.context.environment.masker())
    except TaskFileError as error:
        return Move(Status.FAILED, Route.UNREADABLE, str(error))
    if state.frozen is not None and task_digest(task) != state.frozen.digest:
        why = f"{state.task_file} has changed since the run was made: it is not what {state.frozen.who} froze"
        return Move(Status.FAILED, Route.UNREADABLE, why)
    criteria = len(task.criteria) + sum(len(step.criteria) for step in task.steps)
    reason = f"task {task.id}: {len(task.steps)} step(s), {criteria} acceptance criteria"
    return Move(Status.ANALYSIS, Route.EXTRACTED, reason, {"task": task, "task_id": task.id})
