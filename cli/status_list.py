"""What `waypost status` shows of many runs: read from the ends of their ledgers, changes nothing."""

from __future__ import annotations

import json as jsonlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from ..checkpointing import peek
from ..nodes.recall import BATCH, REQUEST, recall_run
from ..state.batch import TaskStatus
from ..state.errors import WaypostError
from ..state.status import ENDS
from ..state.summary import CHANNELS, RunSummary
from .driver import told_driver
from .safe import one_line
from .seen_batch import SeenBatch, see_batch

_LEDGER = "ledger.jsonl"


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
    rows = [_row(runs.absolute(), name, files) for name, files in _folders(runs)]
    return sorted(rows, key=lambda row: str(row["created_at"] or ""), reverse=True)


def _folders(runs: Path) -> Iterator[tuple[str, set[str]]]:
    """The folders of runs, batches and other threads, by name, each with which of our files are there."""
    wanted = (_LEDGER, REQUEST, BATCH)
    try:
        names = sorted(entry.name for entry in os.scandir(runs) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return
    for name in names:
        files = {file for file in wanted if os.path.exists(f"{runs}/{name}/{file}")}
        if files:
            yield name, files


def _row(runs: Path, name: str, files: set[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"run_id": name, "task_id": None, "status": "UNREADABLE", "steps": "", "created_at": None}
    try:
        if BATCH in files:
            return {**row, **_batch_row(see_batch(runs / name))}
        found = peek(runs / name, CHANNELS)
        row["run_id"] = found.thread if found else name
        summary = RunSummary.of(found.values) if found else None
        if summary is None and REQUEST in files and (asked := recall_run(runs / name)) is not None:
            summary = RunSummary.of(asked.model_dump(mode="json"))
        if summary is None:
            return {**row, "status": "EMPTY", "driver": "nobody"}
    except WaypostError as error:
        return {**row, "error": error.what, "driver": "nobody"}
    except (LookupError, TypeError, AttributeError) as error:
        return {**row, "error": f"not the state of a run ({error!r})", "driver": "nobody"}
    writer, ended = found.writer if found else None, summary.status in ENDS
    return {
        **row,
        "task_id": summary.task_id,
        "status": summary.status,
        "steps": f"{summary.accepted}/{summary.steps}",
        "created_at": summary.created_at,
        "driver": told_driver(writer, ended=ended, waits_for=summary.waits_for),
        "waits_for": summary.waits_for,
    }


def _batch_row(seen: SeenBatch) -> dict[str, Any]:
    state = seen.state
    return {
        "run_id": state.batch_id,
        "status": state.outcome().value,
        "steps": f"{len(state.of_status(TaskStatus.DONE))}/{len(state.tasks)} tasks",
        "created_at": state.created_at.isoformat(),
        "driver": seen.driver,
        "waits_for": "a decision" if state.of_status(TaskStatus.BLOCKED) else None,
        "batch": True,
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    """Columns beside each other; not by a library for tables, which takes longer for them than all else together."""
    now = datetime.now(UTC)
    table = [("run", "status", "steps", "age", "driver"), *(_cells(row, now) for row in rows)]
    widths = [max(cell_len(row[column]) for row in table) for column in range(4)]
    for row in table:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=False))
        print("  ".join([*padded, row[-1]]).rstrip())


def _cells(row: dict[str, Any], now: datetime) -> tuple[str, ...]:
    created = datetime.fromisoformat(row["created_at"]) if row["created_at"] else None
    age = _age((now - created).total_seconds()) if created else ""
    cells = (row["run_id"], row["status"], row["steps"], age, row.get("error") or row["driver"])
    return tuple(one_line(str(cell)) for cell in cells)


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
