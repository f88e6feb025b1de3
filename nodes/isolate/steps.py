"""The worktree of a step: ready before its worker starts, committed when its worker has ended."""

from __future__ import annotations

from pathlib import Path

from ...state.ids import RunId
from ...state.job import Job
from ...state.records import Attempt, AttemptOutcome
from ..context import Call
from ..workers.files import make_private_folder, write_private
from .names import step_branch, step_worktree
from .repository import Repository
from .worktree import CannotCommit, Worktree

PLACED = "worktree.json"


def worktree_of(workspace: str, run: RunId, run_dir: Path, step: str) -> Worktree:
    """The worktree of a step, which need not be there."""
    return Worktree(Repository.at(Path(workspace)), step_worktree(run_dir, step), step_branch(run, step))


def placed(job: Job, call: Call, folder: Path) -> Job:
    """The job with its worktree as its workspace.

    The worktree is put to where the attempt begins once, before anything is started: `worktree.json` in the folder of
    the attempt says that it was.
    """
    if job.place is None:
        return job
    tree = worktree_of(job.workspace, job.run_id, call.context.run_dir(job.run_id), job.step.id)
    if not (folder / PLACED).exists() and not call.draining():
        with tree.locked() as mine:
            if not job.place.keep or mine.admin() is None:
                _put_aside(mine.path, job)
                mine.place(job.place.start)
        make_private_folder(folder)
        write_private(folder / PLACED, job.place.model_dump_json(indent=2).encode() + b"\n", sync=True)
    return job.model_copy(update={"workspace": str(tree.path / job.folder)})


def left_by(job: Job, call: Call, attempt: Attempt | None) -> Attempt | None:
    """The attempt with the commit of what it left, whatever its outcome; a worker that goes on has left nothing yet."""
    if job.place is None or attempt is None or attempt.outcome is AttemptOutcome.RUNNING:
        return attempt
    if job.commit is not None:
        return attempt.model_copy(update={"commit": job.commit})
    tree = worktree_of(job.workspace, job.run_id, call.context.run_dir(job.run_id), job.step.id)
    try:
        with tree.locked() as mine:
            commit = mine.snapshot(job.place.start, _message(job, attempt), attempt.ended_at)
    except CannotCommit as error:
        return attempt.model_copy(update={"reason": "; ".join(filter(None, (attempt.reason, str(error))))})
    return attempt.model_copy(update={"commit": commit})


def _put_aside(path: Path, job: Job) -> None:
    """What could not be committed is kept: a folder that is no worktree any more gets another name."""
    aside = path.with_name(f"{path.name}.before-{job.order.number}")
    if job.place is not None and job.place.keep and path.exists() and not aside.exists():
        path.rename(aside)


def _message(job: Job, attempt: Attempt) -> str:
    return "\n".join(
        (
            f"{job.step.id}: {job.step.title}",
            "",
            f"Waypost-Run: {job.run_id}",
            f"Waypost-Step: {job.step.id}",
            f"Waypost-Attempt: {attempt.number} ({attempt.outcome})",
        )
    )
