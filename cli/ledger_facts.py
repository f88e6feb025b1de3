"""What an audit needs to know of a ledger, read from its bytes and not from what a program remembers of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from langchain_core.runnables import RunnableConfig

from ..checkpointing import LedgerSaver, fsck
from ..nodes.audit import LedgerFacts
from ..nodes.evidence.manifest import LEDGER, LedgerMark
from ..state.errors import EvidenceError, LedgerError, RunNotFound, StateError
from ..state.pipeline import PipelineState
from ..state.records import Transition
from ..state.update import validate_state

_KIND = re.compile(rb'\{"number":[0-9]+,"kind":"([a-z]+)"')
_OF_HISTORY = frozenset({b"checkpoint", b"writes"})


@dataclass(frozen=True)
class Line:
    """One line: its kind, the offset behind it, and its SHA-256."""

    kind: bytes
    end: int
    sha256: str


def lines_of(ledger: Path) -> Iterator[Line]:
    """The complete lines of a ledger file, as they are."""
    end = 0
    with ledger.open("rb") as file:
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            end += len(raw)
            found = _KIND.match(raw)
            yield Line(found.group(1) if found else b"", end, hashlib.sha256(raw).hexdigest())


def mark_of(run_dir: Path) -> tuple[LedgerMark, int]:
    """The last line that belongs to the history of the run, and the offset behind it; leases come and go after it.

    Raises:
        EvidenceError: there is no such line.
    """
    last: tuple[LedgerMark, int] | None = None
    for number, line in enumerate(lines_of(run_dir / LEDGER), 1):
        if line.kind in _OF_HISTORY:
            last = LedgerMark(line=number, sha256=line.sha256), line.end
    if last is None:
        raise EvidenceError(f"{run_dir / LEDGER} holds no checkpoint")
    return last


def facts_of(saver: LedgerSaver, run_dir: Path, thread: str) -> LedgerFacts:
    """Read a ledger whole. Damage is a finding, not an error.

    Raises:
        RunNotFound: there is no ledger.
    """
    ledger = run_dir / LEDGER
    if not ledger.is_file():
        raise RunNotFound(f"there is no ledger in {run_dir}", next_step="give a run id, or a bundle")
    report = fsck(run_dir)
    hashes = [line.sha256 for line in lines_of(ledger)]

    def line_hash(number: int) -> str | None:
        return hashes[number - 1] if 0 < number <= len(hashes) else None

    state, problems = None, list(report.problems)
    history: list[tuple[Transition, ...]] = []
    if report.ok:
        try:
            state, history = _told(saver, thread)
        except (LedgerError, StateError) as error:
            problems.append((0, error.what))
    return LedgerFacts(problems, report.lines, line_hash, state, history)


def _told(saver: LedgerSaver, thread: str) -> tuple[PipelineState | None, list[tuple[Transition, ...]]]:
    """The newest state, and the transitions as each checkpoint knew them, from one walk through the checkpoints."""
    config: RunnableConfig = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
    state: PipelineState | None = None
    history: list[tuple[Transition, ...]] = []
    for place, found in enumerate(saver.list(config)):
        values = found.checkpoint["channel_values"]
        if not place and "run_id" in values:
            state = validate_state({name: values[name] for name in PipelineState.model_fields if name in values})
        history.append(tuple(cast("list[Any]", values.get("transitions", ()))))
    return state, history[::-1]


def attested_state(facts: LedgerFacts, run: str) -> PipelineState:
    """The state of a run whose ledger is whole.

    Raises:
        EvidenceError: the ledger is damaged, or holds no state.
    """
    if facts.problems:
        line, what = facts.problems[0]
        raise EvidenceError(
            f"the ledger of run {run} is damaged in line {line}: {what}", next_step="waypost fsck " + run
        )
    if facts.state is None:
        raise EvidenceError(f"run {run} has no state yet", next_step=f"waypost resume {run}")
    return facts.state
