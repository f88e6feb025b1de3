"""`waypost attest` and `bundle`: closing the books of a run, and packing them for a stranger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..nodes.evidence.attest import attest, manifest_of, statement_over
from ..nodes.evidence.bundle import write_bundle
from ..nodes.evidence.manifest import LEDGER, MANIFEST, decode_manifest
from ..nodes.evidence.write import report_folder
from ..state.errors import EvidenceError
from ..state.ids import run_id as checked_run_id
from ..state.pipeline import PipelineState
from .batch_state import refuse_batch
from .compose import open_saver
from .ledger_facts import attested_state, facts_of, mark_of
from .ledger_text import answer, print_json

Sign = Callable[[bytes], bytes]


def close_books(state: PipelineState, run_dir: Path, sign: Sign | None) -> Path:
    """Write manifest and attestation of a run that has stopped, and return their folder.

    Args:
        sign: gives the signed envelope around a statement; None to leave it unsigned.

    Raises:
        EvidenceError: as `attest`.
    """
    mark, _end = mark_of(run_dir)
    envelope = sign(statement_over(state, manifest_of(state, run_dir, mark))) if sign else None
    return attest(state, run_dir, mark, envelope)


def attest_run(run: str, *, runs: Path, sign: Sign | None, json: bool) -> int:
    """Attest a run that has stopped, again or for the first time."""

    def work() -> int:
        run_dir = runs.absolute() / checked_run_id(run)
        refuse_batch(run_dir)
        folder = close_books(_state(runs, run_dir, run), run_dir, sign)
        print_json({"run_id": run, "folder": str(folder)}) if json else print(f"attested   {folder}")
        return 0

    return answer(work, json=json)


def bundle_run(run: str, *, runs: Path, out: Path | None, json: bool) -> int:
    """Pack an attested run into one file."""

    def work() -> int:
        run_dir = runs.absolute() / checked_run_id(run)
        refuse_batch(run_dir)
        state = _state(runs, run_dir, run)
        assert state.task is not None
        attested = run_dir / report_folder(state.task) / MANIFEST
        if not attested.is_file():
            raise EvidenceError(f"run {run} is not attested", next_step=f"waypost attest {run}")
        manifest = decode_manifest(attested.read_bytes())
        mark, end = mark_of(run_dir)
        if mark != manifest.ledger:
            raise EvidenceError(f"run {run} went on after it was attested", next_step=f"waypost attest {run}")
        with (run_dir / LEDGER).open("rb") as file:
            ledger = file.read(end)
        target = out or Path(f"{run}.tar.gz")
        digest = write_bundle(run_dir, manifest, ledger, target)
        files = len(manifest.files)
        if json:
            print_json({"run_id": run, "bundle": str(target), "files": files, "archive_sha256": digest})
        else:
            print(f"bundle     {target}: {files} files and the ledger; check it with: waypost audit {target}")
        return 0

    return answer(work, json=json)


def _state(runs: Path, run_dir: Path, run: str) -> PipelineState:
    with open_saver(runs, read_only=True) as saver:
        return attested_state(facts_of(saver, run_dir, run), run)
