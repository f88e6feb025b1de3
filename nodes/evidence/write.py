"""Writing the evidence of a run: everything in it comes from the state and from files the state names."""

from __future__ import annotations

from pathlib import Path

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from ...state.records import EvidenceFile
from .files import open_run_folder
from .log_writer import write_verification_log
from .render import render
from .staging import Staging, staging
from .view import Artifact, build_view

REPORTS = "reports"
VERIFICATION_LOG = "verification.log"
AUDIT_SUMMARY = "audit-summary.md"
REPORT = "report.md"


def write_evidence(state: PipelineState, run_dir: Path) -> tuple[EvidenceFile, ...]:
    """Write `reports/<TASK_ID>/` with report.md, verification.log and audit-summary.md.

    The three appear together at the end: until then the files of an earlier call stay as they are.

    Args:
        state: the run as it stands after its newest move.
        run_dir: the folder of the run; the paths in the state are relative to it.

    Returns:
        The files, relative to `run_dir`, with their hashes.

    Raises:
        EvidenceError: there is no task, a file that a record names is missing or changed, the folder is reached
            through a link, or the disk refused. Nothing was replaced then.
    """
    task = state.task
    if task is None:
        raise EvidenceError(f"run {state.run_id} has no task to report on")
    with open_run_folder(run_dir) as run, run.make(REPORTS, task.id) as folder, staging(folder) as staged:
        with staged.draft(VERIFICATION_LOG) as log:
            write_verification_log(log, state, task, run)
            written = [Artifact(VERIFICATION_LOG, log.sync(), False)]
        view = build_view(state, task, run)
        for name in (AUDIT_SUMMARY, REPORT):
            written.append(_write(staged, name, render(f"{name}.j2", view, tuple(written))))
    folder_path = f"{REPORTS}/{task.id}"
    return tuple(EvidenceFile(path=f"{folder_path}/{file.path}", sha256=file.sha256) for file in reversed(written))


def _write(staged: Staging, name: str, content: bytes) -> Artifact:
    with staged.draft(name) as draft:
        draft.write(content)
        return Artifact(name, draft.sync(), False)
