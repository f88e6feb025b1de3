"""Writing a result back into the task file: only of a run that is DONE, and whose evidence is what it was."""

from __future__ import annotations

import os
from pathlib import Path

from ..nodes.formats.foreign import open_tasks
from ..nodes.formats.foreign.write_back import Proved, Written, set_done
from ..nodes.workers.files import sha256_file
from ..state.errors import EvidenceError, InputError
from ..state.pipeline import PipelineState
from ..state.status import Status


def write_back(state: PipelineState, run_dir: Path) -> Written:
    """Set the task of a run to done in its file.

    Raises:
        EvidenceError: the run is not DONE, or its evidence is missing or changed.
        TaskFileError: the file changed since its plan was accepted, or has no place for a status.
    """
    acceptance = state.acceptance
    if state.status is not Status.DONE or acceptance is None or state.task is None or not state.evidence:
        raise EvidenceError(f"run {state.run_id} is not DONE with evidence: nothing is written back")
    for file in state.evidence:
        path = run_dir / file.path
        if not path.is_file() or sha256_file(path) != file.sha256:
            raise EvidenceError(f"{path} is not the evidence that the run left: nothing is written back")
    source = open_tasks(Path(state.task_file), acceptance.format, tag=acceptance.tag, with_checks=False)
    task = source.task(state.task.id)
    path = Path(task.file).resolve()
    expected = acceptance.files.get(str(path))
    if expected is None:
        raise InputError(f"{path} was not there when the plan was accepted: nothing is written back")
    report = os.path.relpath(run_dir / state.evidence[0].path, path.parent)
    return set_done(source, [Proved(task.id, f"waypost run {state.run_id}: {report}")], expected)
