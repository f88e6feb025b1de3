"""The audit of one run, from what its ledger says and what stands in its folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from ...state.records import Transition
from ..checks.kinds import BUILTIN, Kinds
from ..evidence.files import open_to_audit
from ..workers.files import sha256_file
from .attested import LineHash, Opener, audit_attestation
from .decided import audit_decisions
from .documents import audit_documents
from .files import audit_files
from .finding import Audit, Finding, not_checked, ok, wrong
from .kinds import audit_frozen, audit_kinds
from .records import audit_records
from .scope import audit_scope
from .tests_again import audit_tests
from .tree import audit_tree


@dataclass(frozen=True)
class LedgerFacts:
    """What somebody who can read ledgers found in the one of the run.

    Attributes:
        problems: complaints of the consistency check, with their line.
        lines: how many lines it has.
        line_hash: the SHA-256 of a line by its number.
        state: the newest state, None where it cannot be read.
        history: the transitions as each checkpoint knew them, oldest first.
    """

    problems: Sequence[tuple[int, str]]
    lines: int
    line_hash: LineHash
    state: PipelineState | None
    history: Sequence[Sequence[Transition]]


def audit_run(
    run_id: str,
    run_dir: Path,
    ledger: LedgerFacts,
    opener: Opener | None = None,
    repository: Path | None = None,
    kinds: Kinds = BUILTIN,
) -> Audit:
    """Look at everything, and say of each thing how it was found. Nothing is written.

    Args:
        kinds: the kinds of check whose verdicts can be worked out again.
        opener: gives the payload of a signed envelope if its signature is right; None where there is no key.
        repository: a checkout of the repository that was worked on, which is only read; None where it is not at hand.
    """
    return Audit(run_id, tuple(_findings(run_dir, ledger, opener, repository, kinds)))


def _findings(
    run_dir: Path, ledger: LedgerFacts, opener: Opener | None, repository: Path | None, kinds: Kinds
) -> Iterator[Finding]:
    for line, what in ledger.problems:
        yield wrong("ledger", f"line {line}" if line else "file", what)
    state = ledger.state
    if state is None:
        yield wrong("ledger", "state", "no state of a run can be read from it")
        return
    if not ledger.problems:
        yield ok("ledger", "chain", f"{ledger.lines} lines, each follows from the one before it")
    yield from audit_records(state, ledger.history)
    yield from audit_frozen(state)
    yield from audit_decisions(state, opener)
    try:
        with open_to_audit(run_dir) as run:
            yield from audit_files(state, run)
            yield from audit_kinds(state, run, kinds)
            yield from audit_tests(state, run, kinds)
            yield from audit_scope(state, run)
            yield from audit_tree(state, run, run_dir, repository)
            yield from audit_documents(state, run, run_dir)
            yield from audit_attestation(state, run_dir, run, ledger.line_hash, opener)
    except EvidenceError as error:
        yield wrong("files", "folder", error.what)


def audit_source(state: PipelineState) -> Iterator[Finding]:
    """The task file as it is on this machine. People go on editing it, so another content is no fault of the run.

    Only for runs of this machine: the path in a bundle is a stranger's.
    """
    if state.task is None:
        return
    path = Path(state.task_file)
    if not path.is_file():
        yield not_checked("source", state.task_file, "is not here any more")
        return
    if sha256_file(path) == state.task.source.sha256:
        yield ok("source", state.task_file, "is the file that was run")
    else:
        yield not_checked("source", state.task_file, "has changed since the run")
