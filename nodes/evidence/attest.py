"""Closing the books of a run: the manifest over all its files, and the statement over the manifest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from .attestation import statement
from .files import RunFolder, open_run_folder
from .manifest import ATTESTATION, MANIFEST, SIGNED, LedgerMark, Manifest, list_files
from .staging import staging
from .write import REPORTS, report_folder


def manifest_of(state: PipelineState, run_dir: Path, ledger: LedgerMark) -> Manifest:
    """The manifest of a run as its files are now.

    Raises:
        EvidenceError: there is no task, the evidence of the state is missing, or a file is no regular file.
    """
    if state.task is None or not state.evidence:
        raise EvidenceError(
            f"run {state.run_id} is {state.status} and has left no evidence",
            next_step=f"waypost resume {state.run_id}",
        )
    with open_run_folder(run_dir) as run:
        _same_as_recorded(state, run)
        return Manifest(run=state.run_id, task=state.task.id, ledger=ledger, files=list_files(run, run_dir))


def attest(state: PipelineState, run_dir: Path, ledger: LedgerMark, envelope: bytes | None = None) -> Path:
    """Write `manifest.json` and `attestation.json` beside the reports; the same run gives the same bytes.

    Args:
        ledger: the end of the run's ledger, read after its last checkpoint.
        envelope: the signed form of the statement, if there is one.

    Returns:
        The folder they stand in.

    Raises:
        EvidenceError: as `manifest_of`; nothing was written then.
    """
    manifest = manifest_of(state, run_dir, ledger)
    names = {MANIFEST: manifest.encode(), ATTESTATION: statement_over(state, manifest)}
    if envelope is not None:
        names[SIGNED] = envelope
    with open_run_folder(run_dir) as run, run.make(REPORTS, manifest.task) as folder, staging(folder) as staged:
        for name, content in names.items():
            with staged.draft(name) as draft:
                draft.write(content)
                draft.end()
    return run_dir / REPORTS / manifest.task


def statement_over(state: PipelineState, manifest: Manifest) -> bytes:
    """The attestation of a run whose files are those of the manifest."""
    if state.task is None:
        raise EvidenceError(f"run {state.run_id} has no task")
    folder = report_folder(state.task) + "/"
    digests = {f.path.removeprefix(folder): f.sha256 for f in manifest.files if f.path.startswith(folder)}
    digests[MANIFEST] = _sha256(manifest.encode())
    return statement(state, state.task, digests=digests, ledger=(manifest.ledger.line, manifest.ledger.sha256))


def _same_as_recorded(state: PipelineState, run: RunFolder) -> None:
    for file in state.evidence:
        run.verify(file.path, file.sha256)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
