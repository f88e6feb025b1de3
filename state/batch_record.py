"""A batch as plain JSON: the report for scripts, and the last record of a batch."""

from __future__ import annotations

from typing import Any

from .batch import BatchState, BatchTask, TaskStatus


def counts(state: BatchState) -> dict[str, int]:
    """How many tasks stand where; statuses that none has are left out."""
    found = {status.value: len(state.of_status(status)) for status in TaskStatus}
    return {status: number for status, number in found.items() if number}


def batch_record(state: BatchState) -> dict[str, Any]:
    """The report for scripts."""
    return {
        "batch_id": state.batch_id,
        "status": state.outcome().value,
        "counts": counts(state),
        "task_file": state.task_file,
        "workspace": state.workspace,
        "worker": state.worker,
        "created_at": state.created_at.isoformat(),
        "tasks": [_task_record(state, task) for task in state.tasks],
        "left_out": [one.model_dump() for one in state.left_out],
    }


def _task_record(state: BatchState, task: BatchTask) -> dict[str, Any]:
    end = state.ends.get(task.id)
    return {
        "id": task.id,
        "title": task.title,
        "run_id": task.run_id,
        "waits_for": list(task.waits_for),
        "status": state.status_of(task.id).value,
        "reason": state.reason_of(task.id),
        "started_at": end.started_at.isoformat() if end and end.started_at else None,
        "ended_at": end.ended_at.isoformat() if end and end.ended_at else None,
    }
