"""Which conversation an attempt goes on with, also where the attempt before it was lost and nobody recorded it."""

from __future__ import annotations

from pathlib import Path

from ..state.job import Job
from ..state.records import AttemptKind
from .workers import Worker
from .workers.asked import read_request


def with_session(job: Job, worker: Worker, attempts: Path) -> Job:
    """`job` with the newest conversation that an earlier attempt of its step left; unchanged where there is none.

    A lost worker leaves no record, but what it printed until then may name its conversation.

    Args:
        attempts: the folder of the step's attempts.
    """
    if job.order.kind is AttemptKind.CREATE or job.session is not None:
        return job
    for number in range(job.order.number - 1, 0, -1):
        folder = attempts / f"attempt-{number}"
        earlier = _asked(folder) if _has_output(folder) else None
        session = worker.report(earlier, folder, 1).session if earlier else None
        if session:
            return job.model_copy(update={"session": session})
    return job


def _has_output(folder: Path) -> bool:
    try:
        return (folder / "stdout.log").stat().st_size > 0
    except OSError:
        return False


def _asked(folder: Path) -> Job | None:
    """The job of an earlier attempt, as it was written before that was started."""
    try:
        return read_request(folder)
    except (OSError, ValueError, TypeError):
        return None
