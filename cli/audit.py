"""`waypost audit`: a run or a bundle is looked at anew, and every finding is told."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from ..nodes.audit import Audit, Finding, Found, audit_log, audit_run, audit_source
from ..nodes.checks.kinds import installed_kinds
from ..nodes.evidence.bundle import read_bundle
from ..state.errors import EvidenceError, InputError
from ..state.ids import run_id as checked_run_id
from .batch_state import refuse_batch
from .compose import open_saver
from .ending import FAILED
from .ledger_facts import facts_of
from .ledger_text import answer, escaped, print_json

Opener = Callable[[bytes], bytes]
_MARK = {Found.OK: "ok", Found.WRONG: "WRONG", Found.NOT_CHECKED: "not checked"}


def audit(what: str, *, runs: Path, opener: Opener | None, repository: Path | None, json: bool) -> int:
    """Audit a run or a bundle.

    Args:
        repository: a checkout of the repository that was worked on; of a run, its workspace if not given.

    Returns:
        0 the run is DONE and everything that could be looked at is right, 1 something is wrong, 2 nothing to audit.
    """

    def work() -> int:
        if repository is not None and not repository.is_dir():
            raise InputError(f"{repository} is no folder", next_step="give a checkout: --repository DIR")
        found = _audit(what, runs, opener, repository)
        _tell_json(found) if json else _tell(found)
        return 0 if found.ok else FAILED

    return answer(work, json=json)


def audit_foreign_log(path: Path, *, json: bool) -> int:
    """Say of each entry of somebody else's verification log what it proves: 0 all passed, 1 not all of them."""

    def work() -> int:
        found = Audit(path.name, audit_log(path))
        _tell_json(found) if json else _tell(found)
        return 0 if found.ok else FAILED

    return answer(work, json=json)


def _audit(what: str, runs: Path, opener: Opener | None, repository: Path | None) -> Audit:
    if Path(what).is_file():
        return _audit_bundle(Path(what), opener, repository)
    return audit_of(what, runs, opener, repository)


def audit_of(what: str, runs: Path, opener: Opener | None = None, repository: Path | None = None) -> Audit:
    """All findings over a run in this folder. Raises InputError where there is none."""
    run = checked_run_id(what)
    run_dir = runs.absolute() / run
    refuse_batch(run_dir)
    with open_saver(runs, read_only=True) as saver:
        facts = facts_of(saver, run_dir, run)
    workspace = Path(facts.state.workspace) if facts.state else None
    found = audit_run(
        run,
        run_dir,
        facts,
        opener,
        repository or (workspace if workspace and workspace.is_dir() else None),
        installed_kinds(),
    )
    here = tuple(audit_source(facts.state)) if facts.state else ()
    return Audit(run, (*found.findings, *here))


def _audit_bundle(path: Path, opener: Opener | None, repository: Path | None) -> Audit:
    with tempfile.TemporaryDirectory(prefix="waypost-audit-") as name:
        try:
            run_dir = read_bundle(path, Path(name))
        except EvidenceError as error:
            return Audit(path.name, (Finding("bundle", path.name, Found.WRONG, error.render()),))
        with open_saver(Path(name), read_only=True) as saver:
            facts = facts_of(saver, run_dir, run_dir.name)
        return audit_run(run_dir.name, run_dir, facts, opener, repository, installed_kinds())


def _tell(found: Audit) -> None:
    for finding in found.findings:
        print(f"{_MARK[finding.found]:<11} {finding.area:<11} {escaped(finding.subject)}: {escaped(finding.what)}")
    counts = f"{len(found.wrong)} wrong, {len(found.not_checked)} not checked, {len(found.findings)} findings"
    print(f"\n{'VERIFIED' if found.ok else 'NOT VERIFIED'}  {escaped(found.run)}: {counts}")


def _tell_json(found: Audit) -> None:
    findings = [
        {"area": one.area, "subject": one.subject, "found": one.found.value, "what": one.what} for one in found.findings
    ]
    print_json({"run_id": found.run, "verified": found.ok, "findings": findings})
