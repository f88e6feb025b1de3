"""Writing a result back into the task file: only of a run that is DONE, and whose evidence is what it was."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..nodes.formats.foreign import Progress, open_tasks
from ..nodes.formats.foreign.write_back import Proved, Written, set_done
from ..nodes.workers.files import sha256_file
from ..state.batch import BatchState
from ..state.errors import EvidenceError, InputError
from ..state.pipeline import PipelineState
from ..state.status import Status


def write_back(state: PipelineState, run_dir: Path) -> Written:
    """Set the task of a run to done in its file.

    Raises:
        EvidenceError: the run is not DONE, or its evidence is missing or changed.
        TaskFileError: the file changed since its plan was accepted, or has no place for a status.
    """
    _refuse_unproved(state, run_dir)
    assert state.acceptance is not None
    assert state.task is not None
    accepted = state.acceptance
    source = open_tasks(Path(state.task_file), accepted.format, tag=accepted.tag, with_checks=False)
    task = source.task(state.task.id)
    path = Path(task.file).resolve()
    return set_done(source, [_proved(state, run_dir, path)], _accepted_sha256(accepted.files, path))


def write_back_batch(batch: BatchState, runs: list[tuple[PipelineState, Path]]) -> list[Written]:
    """Set all tasks of these runs to done, each file at once: a write changes the file, and what was accepted of it.

    Args:
        runs: the runs that are DONE, with their folders.

    Raises:
        EvidenceError, TaskFileError: as `write_back`, of the first run or file that is not as it has to be.
    """
    accepted = batch.acceptance
    source = open_tasks(Path(batch.task_file), accepted.format, tag=accepted.tag, with_checks=False)
    by_file: dict[Path, list[Proved]] = {}
    for state, run_dir in runs:
        _refuse_unproved(state, run_dir)
        assert state.task is not None
        task = source.task(state.task.id)
        if task.progress is not Progress.DONE:
            path = Path(task.file).resolve()
            by_file.setdefault(path, []).append(_proved(state, run_dir, path))
    return [
        set_done(source, proved, batch.written.get(str(path)) or _accepted_sha256(accepted.files, path))
        for path, proved in by_file.items()
    ]


def _refuse_unproved(state: PipelineState, run_dir: Path) -> None:
    acceptance = state.acceptance
    if state.status is not Status.DONE or acceptance is None or state.task is None or not state.evidence:
        raise EvidenceError(f"run {state.run_id} is not DONE with evidence: nothing is written back")
    for file in state.evidence:
        path = run_dir / file.path
        if not path.is_file() or sha256_file(path) != file.sha256:
            raise EvidenceError(f"{path} is not the evidence that the run left: nothing is written back")


def _proved(state: PipelineState, run_dir: Path, path: Path) -> Proved:
    assert state.task is not None
    report = os.path.relpath(run_dir / state.evidence[0].path, path.parent)
    return Proved(state.task.id, f"waypost run {state.run_id}: {report}")


def _accepted_sha256(files: Mapping[str, str], path: Path) -> str:
    expected = files.get(str(path))
    if expected is None:
        raise InputError(f"{path} was not there when the plan was accepted: nothing is written back")
    return expected
