"""Making a batch, and finding it again: what it is to do is on the disk, whole, before its first task begins."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from .._version import __version__
from ..state.acceptance import Acceptance
from ..state.batch import BatchState, BatchTask, LeftOut
from ..state.errors import EvidenceError, InputError, RunExists
from ..state.guarding import Guarding
from ..state.ids import RunId, compose_run_id, run_id, task_id
from ..state.isolation import Isolation, MergePolicy
from ..state.pipeline import Limits
from ..state.task import Task
from .checks.workspace import read_baseline
from .isolate.begin import forget_branch
from .prepare import AcceptedTask, ask, claim_folder
from .recall import BATCH, recall_run

CONTRACTS = "contracts.json"
_STEM_MAX = 40
_TASKS = TypeAdapter(tuple[Task, ...])


@dataclass(frozen=True)
class Chosen:
    """A task that is to be run, and the tasks of the batch that it waits for."""

    task: Task
    waits_for: tuple[str, ...]


@dataclass(frozen=True)
class HowToRun:
    """What holds for every run of a batch, and for the batch."""

    task_file: Path
    workspace: Path
    runs: Path
    worker: str
    limits: Limits
    guarding: Guarding
    isolate: Isolation
    merge: MergePolicy
    max_parallel: int
    fail_fast: bool
    write_back: bool
    batch_id: str | None = None


def new_batch(
    how: HowToRun, chosen: Sequence[Chosen], left_out: Sequence[LeftOut], acceptance: Acceptance
) -> BatchState:
    """The first state of a batch; its folder is made and claimed, and holds all that a resume needs.

    Args:
        chosen: the tasks in an order in which they can be run one by one.

    Raises:
        InputError: the workspace or the runs folder cannot be used, or tasks would get in each other's way.
    """
    _refuse_quarrels(how, chosen)
    where, runs = how.workspace.absolute(), how.runs.absolute()
    baseline = read_baseline(where, runs_dir=runs)
    now = datetime.now(UTC)
    # Two batches of one second and one file must not come to share the runs of their tasks.
    token = secrets.token_hex(3)
    wanted = None if how.batch_id is None else run_id(how.batch_id)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", how.task_file.resolve().stem)[:_STEM_MAX].strip(".-")
    claimed = claim_folder(runs, wanted, compose_run_id(task_id(f"BATCH_{stem}"), now, baseline.commit))
    contracts = _TASKS.dump_json(tuple(one.task for one in chosen), indent=2) + b"\n"
    state = BatchState(
        batch_id=claimed,
        task_file=str(how.task_file.resolve()),
        workspace=str(where.resolve()),
        worker=how.worker,
        limits=how.limits,
        guarding=how.guarding,
        isolate=how.isolate,
        merge=how.merge,
        max_parallel=how.max_parallel,
        fail_fast=how.fail_fast,
        write_back=how.write_back,
        acceptance=acceptance,
        contracts_sha256=hashlib.sha256(contracts).hexdigest(),
        created_at=now,
        writer_version=__version__,
        tasks=tuple(
            BatchTask(
                id=one.task.id,
                title=one.task.title,
                run_id=run_id(f"{compose_run_id(one.task.id, now, baseline.commit)}-{token}"),
                waits_for=one.waits_for,
            )
            for one in chosen
        ),
        left_out=tuple(left_out),
    )
    ask(runs / claimed, {CONTRACTS: contracts, BATCH: state.model_dump_json(indent=2).encode() + b"\n"})
    return state


def contracts_of(state: BatchState, folder: Path) -> dict[str, AcceptedTask]:
    """Every task of the batch as it was accepted, by id.

    Raises:
        EvidenceError: the file that holds them is not the one that was written when the batch was made.
    """
    path = folder / CONTRACTS
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != state.contracts_sha256:
        raise EvidenceError(
            f"{path} is not what was accepted: nothing of it is run",
            facts={"accepted": state.contracts_sha256, "found": hashlib.sha256(data).hexdigest()},
            next_step="put the file back, or begin a new batch",
        )
    # Only the batch writes back: each write changes the file, and with it what was accepted.
    acceptance = state.acceptance.model_copy(update={"write_back": False})
    return {task.id: AcceptedTask(task, acceptance) for task in _TASKS.validate_json(data)}


def clear_half_made(state: BatchState, task: BatchTask, runs: Path) -> None:
    """Remove what a kill left of a run whose folder was claimed, but which has not begun. Only under the batch's lease.

    Raises:
        RunExists: the folder holds something that the making of a run does not leave.
    """
    folder = runs / task.run_id
    if state.isolate is Isolation.WORKTREE:
        forget_branch(Path(state.workspace), RunId(task.run_id))
    if not folder.exists():
        return
    strange = [name for name in os.listdir(folder) if not (name.startswith(".") and name.endswith(".tmp"))]
    if strange or recall_run(folder) is not None:
        raise RunExists(
            f"{folder} holds {', '.join(sorted(strange)[:5])}, but no run that could be resumed",
            next_step="look at it, move it away, and resume the batch",
        )
    shutil.rmtree(folder)


def _refuse_quarrels(how: HowToRun, chosen: Sequence[Chosen]) -> None:
    isolated = how.isolate is Isolation.WORKTREE
    if isolated and how.merge is MergePolicy.NONE:
        waiting = next((one for one in chosen if one.waits_for), None)
        if waiting is not None:
            raise InputError(
                f'task "{waiting.task.id}" waits for "{waiting.waits_for[0]}", whose result would stay on a branch',
                next_step="let results be brought to your branch (--merge ff), or choose tasks that wait for nothing",
            )
    if isolated or how.max_parallel == 1:
        return
    scoped = [one.task.id for one in chosen if _has_scope(one.task)]
    if scoped:
        raise InputError(
            "tasks that are worked on side by side in one checkout see each other's changes, "
            "and these declare an Allowed Scope that would not hold",
            facts={"tasks": ", ".join(scoped[:20]) + (", ..." if len(scoped) > 20 else "")},
            next_step="--isolate worktree gives each a checkout of its own, --max-parallel 1 runs one after the other",
        )


def _has_scope(task: Task) -> bool:
    return bool(task.allowed_paths) or any(step.allowed_paths for step in task.steps)
