"""Writing the evidence of a run: everything in it comes from the state and from files the state names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from ...state.records import EvidenceFile
from ...state.task import Task
from .files import RunFile, RunFolder, open_run_folder
from .log_writer import write_verification_log
from .render import render
from .staging import Sink, staging
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
    task = _task(state)
    with open_run_folder(run_dir) as run, run.make(REPORTS, task.id) as folder, staging(folder) as staged:
        return _compose(state, task, run, staged.draft)


def evidence_again(state: PipelineState, run_dir: Path) -> tuple[EvidenceFile, ...]:
    """What `write_evidence` would write now, by path and hash. Nothing is written.

    Raises:
        EvidenceError: as `write_evidence`.
    """
    with open_run_folder(run_dir) as run:
        return _compose(state, _task(state), run, lambda _name: nullcontext(_OnlyHashed()))


def is_as_written(state: PipelineState, run: RunFolder) -> bool:
    """Whether the evidence in the folder is, byte for byte, what `write_evidence` would write now.

    Raises:
        EvidenceError: as `write_evidence`, or the evidence cannot be read.
    """
    folder = report_folder(_task(state))
    with ExitStack() as opened:

        def beside(name: str) -> AbstractContextManager[Sink]:
            path = f"{folder}/{name}"
            return nullcontext(_Compared(opened.enter_context(run.open(path)), run.sha256(path) or ""))

        try:
            _compose(state, _task(state), run, beside)
        except _Differs:
            return False
    return True


def report_folder(task: Task) -> str:
    """The folder of a task's reports, relative to the run's."""
    return f"{REPORTS}/{task.id}"


def _task(state: PipelineState) -> Task:
    if state.task is None:
        raise EvidenceError(f"run {state.run_id} has no task to report on")
    return state.task


def _compose(
    state: PipelineState, task: Task, run: RunFolder, draft: Callable[[str], AbstractContextManager[Sink]]
) -> tuple[EvidenceFile, ...]:
    with draft(VERIFICATION_LOG) as log:
        write_verification_log(log, state, task, run)
        written = [Artifact(VERIFICATION_LOG, log.end(), False)]
    view = build_view(state, task, run)
    for name in (AUDIT_SUMMARY, REPORT):
        content = render(f"{name}.j2", view, tuple(written))
        with draft(name) as file:
            file.write(content)
            written.append(Artifact(name, file.end(), False))
    folder = report_folder(task)
    return tuple(EvidenceFile(path=f"{folder}/{file.path}", sha256=file.sha256) for file in reversed(written))


class _Differs(Exception):
    pass


class _Compared:
    """A file that is there already, and has to be the one that is being written."""

    def __init__(self, file: RunFile, sha256: str) -> None:
        self._file = file
        self._sha256 = sha256

    def write(self, data: bytes) -> None:
        if self._file.stream.read(len(data)) != data:
            raise _Differs

    def end(self) -> str:
        if self._file.stream.read(1):
            raise _Differs
        return self._sha256


class _OnlyHashed:
    """A file that nobody keeps."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._digest.update(data)

    def end(self) -> str:
        return self._digest.hexdigest()
