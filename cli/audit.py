"""`waypost audit`: a run or a bundle is looked at anew, and every finding is told."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from ..nodes.audit import Audit, Finding, Found, audit_log, audit_run, audit_source
from ..nodes.evidence.bundle import read_bundle
from ..state.errors import EvidenceError
from ..state.ids import run_id as checked_run_id
from .batch_state import refuse_batch
from .compose import open_saver
from .ending import FAILED
from .ledger_facts import facts_of
from .ledger_text import answer, escaped, print_json

Opener = Callable[[bytes], bytes]
_MARK = {Found.OK: "ok", Found.WRONG: "WRONG", Found.NOT_CHECKED: "not checked"}


def audit(what: str, *, runs: Path, opener: Opener | None, json: bool) -> int:
    """0 the run is DONE and everything that could be looked at is right, 1 something is wrong, 2 nothing to audit."""

    def work() -> int:
        found = _audit(what, runs, opener)
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


def _audit(what: str, runs: Path, opener: Opener | None) -> Audit:
    if Path(what).is_file():
        return _audit_bundle(Path(what), opener)
    return audit_of(what, runs, opener)


def audit_of(what: str, runs: Path, opener: Opener | None = None) -> Audit:
    """All findings over a run in this folder. Raises InputError where there is none."""
    run = checked_run_id(what)
    run_dir = runs.absolute() / run
    refuse_batch(run_dir)
    with open_saver(runs, read_only=True) as saver:
        facts = facts_of(saver, run_dir, run)
    found = audit_run(run, run_dir, facts, opener)
    here = tuple(audit_source(facts.state)) if facts.state else ()
    return Audit(run, (*found.findings, *here))


def _audit_bundle(path: Path, opener: Opener | None) -> Audit:
    with tempfile.TemporaryDirectory(prefix="waypost-audit-") as name:
        try:
            run_dir = read_bundle(path, Path(name))
        except EvidenceError as error:
            return Audit(path.name, (Finding("bundle", path.name, Found.WRONG, error.render()),))
        with open_saver(Path(name), read_only=True) as saver:
            facts = facts_of(saver, run_dir, run_dir.name)
        return audit_run(run_dir.name, run_dir, facts, opener)


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
