"""What `waypost status` shows: read from the ledgers, changes nothing."""

from __future__ import annotations

import json as jsonlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..checkpointing import LedgerSaver
from ..nodes.batch import BATCH, is_batch
from ..nodes.context import RunContext
from ..nodes.prepare import REQUEST, recall_run
from ..state.errors import RunNotFound, WaypostError
from ..state.ids import run_id as checked_run_id
from ..state.ids import server_thread
from ..state.pipeline import PipelineState
from ..state.status import ENDS
from .batch_state import batch_row, show_batch
from .compose import compose, open_saver
from .drive import read_state
from .summary import summary_lines, summary_record, waits_for
from .view import choose_view


def show_all(*, runs: Path, json: bool) -> int:
    """One line per run, newest first. A run that cannot be read is shown as such, and the exit code is 1."""
    rows = rows_of(runs)
    if json:
        for row in rows:
            print(jsonlib.dumps(row))
    elif rows:
        _print_table(rows)
    else:
        print(f"no runs in {runs}")
    return 1 if any(row["status"] == "UNREADABLE" for row in rows) else 0


def rows_of(runs: Path) -> list[dict[str, Any]]:
    """A row for each run, newest first; one that cannot be read is UNREADABLE."""
    with open_saver(runs, read_only=True) as saver:
        asked = (path.parent.name for name in (REQUEST, BATCH) for path in runs.glob(f"*/{name}"))
        rows = [_row(saver, runs, thread) for thread in sorted({*saver.threads(), *asked})]
    return sorted(rows, key=lambda row: str(row["created_at"] or ""), reverse=True)


def show_one(run: str, *, runs: Path, json: bool) -> int:
    """One run in detail."""
    view = choose_view(json=json)
    try:
        thread = checked_run_id(run)
        context = RunContext(runs_dir=runs.absolute())
        with open_saver(runs, read_only=True) as saver:
            if is_batch(context.run_dir(thread)):
                return show_batch(saver, context.run_dir(thread), json=json)
            state = read_state(compose(saver, context), thread) or recall_run(context.run_dir(thread))
            if state is None:
                raise RunNotFound(f"there is no run {thread} in {runs}", next_step=f"waypost status --runs {runs}")
            driver = driver_of(saver, state)
        if json:
            record = summary_record(state, context.run_dir(thread))
            known_as = {"driver": driver, "server_thread": server_thread(thread)}
            print(jsonlib.dumps({**record, **known_as, "state": state.model_dump(mode="json")}))
            return 0
        _print_detail(state, context.run_dir(thread), driver)
        return 0
    except WaypostError as error:
        return view.failed(error)


def _row(saver: LedgerSaver, runs: Path, thread: str) -> dict[str, Any]:
    row: dict[str, Any] = {"run_id": thread, "task_id": None, "status": "UNREADABLE", "steps": "", "created_at": None}
    try:
        context = RunContext(runs_dir=runs.absolute())
        if is_batch(context.runs_dir / thread):
            return batch_row(saver, context.runs_dir / thread)
        state = read_state(compose(saver, context), thread) or recall_run(context.runs_dir / thread)
        if state is None:
            return {**row, "status": "EMPTY", "driver": "nobody"}
        total = len(state.task.steps) if state.task else 0
        return {
            "run_id": thread,
            "task_id": state.task_id,
            "status": state.status.value,
            "steps": f"{len(state.accepted)}/{total}",
            "created_at": state.created_at.isoformat() if state.created_at else None,
            "driver": driver_of(saver, state),
            "waits_for": waits_for(state),
        }
    except WaypostError as error:
        return {**row, "error": error.what, "driver": "nobody"}


def driver_of(saver: LedgerSaver, state: PipelineState) -> str:
    """Who drives the run now, as far as can be seen from here."""
    if state.status in ENDS:
        return "ended"
    writer = saver.writer(state.run_id)
    if writer is not None and writer.alive and not writer.released:
        return f"pid {writer.pid}"
    needed = waits_for(state)
    return f"waits for {needed}" if needed else "nobody: resume it"


def _print_table(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("run", "status", "steps", "age", "driver"):
        table.add_column(heading, no_wrap=heading in ("run", "status"))
    now = datetime.now(UTC)
    for row in rows:
        created = datetime.fromisoformat(row["created_at"]) if row["created_at"] else None
        age = _age((now - created).total_seconds()) if created else ""
        cells = (row["run_id"], row["status"], row["steps"], age, row.get("error") or row["driver"])
        table.add_row(*(Text(str(cell)) for cell in cells))
    Console(highlight=False, soft_wrap=True).print(table)


def _print_detail(state: PipelineState, run_dir: Path, driver: str) -> None:
    console = Console(highlight=False, soft_wrap=True)
    lines = [("run", state.run_id), ("driver", driver), ("in Studio", f"thread {server_thread(state.run_id)}")]
    lines += summary_lines(state, run_dir)
    for label, text in lines:
        console.print(Text(f"{label:<11} {text}".rstrip()))
    for move in state.transitions:
        console.print(
            Text(f"{move.at:%H:%M:%S}    {move.source} -> {move.target}  {move.node}/{move.route}: {move.reason}")
        )


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
