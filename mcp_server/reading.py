"""What an agent reads: plans, runs as they stand, and the proof of what was done. Starts and changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..cli.audit import audit_of
from ..cli.batch_state import refuse_batch
from ..cli.plan import plan_lines, plan_records
from ..cli.seen import Seen, see
from ..cli.sources import SourceOptions, open_source
from ..cli.status_list import rows_of
from ..cli.summary import headline, summary_record
from ..nodes.audit import Found
from ..nodes.evidence.files import open_run_folder, pump
from ..nodes.evidence.manifest import ATTESTATION, MANIFEST
from ..nodes.evidence.write import AUDIT_SUMMARY, REPORT, VERIFICATION_LOG, report_folder
from ..state.errors import InputError
from ..state.ids import run_id
from ..state.pipeline import PipelineState

FILES = (REPORT, VERIFICATION_LOG, AUDIT_SUMMARY, ATTESTATION, MANIFEST)
RUNS_SHOWN = 50
TEXT_MAX = 100_000


def plan_of(path: Path, task: str | None, options: SourceOptions) -> dict[str, Any]:
    """What a task file asks for: as text for a reader, and as records."""
    source = open_source(path, options)
    tasks = [source.task(task)] if task is not None else list(source.tasks)
    *records, about = plan_records(source, tasks)
    lines = plan_lines(source, tasks, whole=task is not None)
    text = "\n".join(f"{label:<11} {text}".rstrip() for label, text in lines)
    about.pop("exit_code", None)
    return {**about, "tasks": [{k: v for k, v in one.items() if k != "event"} for one in records], "text": _cut(text)}


def runs_of(runs: Path) -> list[dict[str, Any]]:
    """The newest runs, each in one row."""
    return rows_of(runs)[:RUNS_SHOWN]


def status_of(run: str, runs: Path) -> dict[str, Any]:
    """Where a run stands, why, and what is needed."""
    seen = seen_of(run, runs)
    record = summary_record(seen.state, seen.run_dir)
    moves = [f"{move.source} -> {move.target} ({move.route}): {move.reason}" for move in seen.state.transitions[-5:]]
    return {**record, "driver": seen.driver, "last_moves": moves}


def evidence_of(run: str, runs: Path) -> dict[str, Any]:
    """What a run has proved: verdicts, an audit that believes nothing, the report, and where the rest is."""
    seen = seen_of(run, runs)
    state, run_dir = seen.state, seen.run_dir
    audit = audit_of(run, runs)
    findings = [f for f in audit.findings if f.found is not Found.OK]
    return {
        "run_id": state.run_id,
        "status": state.status.value,
        "reason": headline(state),
        "verdicts": [verdict.model_dump(mode="json") for verdict in state.verdicts],
        "verified": audit.ok,
        "findings": [{"found": f.found.value, "area": f.area, "subject": f.subject, "what": f.what} for f in findings],
        "files": {name: f"waypost://runs/{run}/{name}" for name in FILES if _there(state, run_dir, name)},
        "report": file_of(run, REPORT, runs) if _there(state, run_dir, REPORT) else "",
    }


def file_of(run: str, name: str, runs: Path) -> str:
    """The text of one file of the evidence, at most its first 100,000 characters, and how much is left out.

    Raises:
        InputError: there is no such run or file. EvidenceError: it is reached through a link.
    """
    seen = seen_of(run, runs)
    state, run_dir = seen.state, seen.run_dir
    if name not in FILES or state.task is None or not _there(state, run_dir, name):
        raise InputError(f"run {state.run_id} has no evidence {name[:60]!r}", facts={"files": ", ".join(FILES)})
    parts: list[bytes] = []
    with open_run_folder(run_dir) as folder, folder.open(f"{report_folder(state.task)}/{name}") as file:
        pump(file.stream, 4 * TEXT_MAX, parts.append)
        left = file.size - sum(map(len, parts))
    text = _cut(b"".join(parts).decode("utf-8", "replace"))
    return f"{text}\n... and {left} more bytes" if left > 0 else text


def seen_of(run: str, runs: Path) -> Seen:
    """A run as it stands. Raises InputError."""
    refuse_batch(runs / run_id(run))
    seen = see(runs, run)
    assert isinstance(seen, Seen)
    return seen


def _there(state: PipelineState, run_dir: Path, name: str) -> bool:
    return state.task is not None and (run_dir / report_folder(state.task) / name).is_file()


def _cut(text: str) -> str:
    if len(text) <= TEXT_MAX:
        return text
    return f"{text[:TEXT_MAX]}\n... {len(text) - TEXT_MAX} more characters"
