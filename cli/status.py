"""What `waypost status RUN` shows: read from the ledgers, changes nothing."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..state.errors import WaypostError
from ..state.ids import server_thread
from .batch_text import batch_lines, batch_overview
from .safe import one_line
from .seen import Seen, see
from .seen_batch import SeenBatch
from .summary import summary_lines, summary_record
from .view import choose_view


def show_one(run: str, *, runs: Path, json: bool) -> int:
    """One run in detail."""
    view = choose_view(json=json)
    try:
        seen = see(runs, run)
        if isinstance(seen, SeenBatch):
            return _show_batch(seen, json=json)
        driver = seen.driver
        if json:
            record = summary_record(seen.state, seen.run_dir)
            known_as = {"driver": driver, "server_thread": server_thread(seen.state.run_id)}
            print(jsonlib.dumps({**record, **known_as, "state": seen.state.model_dump(mode="json")}))
            return 0
        _print_detail(seen, driver)
        return 0
    except WaypostError as error:
        return view.failed(error)


def _print_detail(seen: Seen, driver: str) -> None:
    console = Console(highlight=False, soft_wrap=True)
    lines = [
        ("run", seen.state.run_id),
        ("driver", driver),
        ("in Studio", f"thread {server_thread(seen.state.run_id)}"),
    ]
    lines += summary_lines(seen.state, seen.run_dir)
    for label, text in lines:
        console.print(Text(f"{label:<11} {one_line(text)}".rstrip()))
    for move in seen.state.transitions:
        moved = f"{move.source} -> {move.target}  {move.node}/{move.route}: {one_line(move.reason)}"
        console.print(Text(f"{move.at:%H:%M:%S}    {moved}"))


def _show_batch(seen: SeenBatch, *, json: bool) -> int:
    driver = seen.driver
    if json:
        print(jsonlib.dumps({**batch_overview(seen.state, seen.folder), "driver": driver}))
        return 0
    console = Console(highlight=False, soft_wrap=True)
    for label, text in batch_lines(seen.state, seen.folder, driver):
        console.print(Text(f"{label:<11} {text}"))
    table = Table(box=None, pad_edge=False)
    for heading in ("task", "status", "run", "reason"):
        table.add_column(heading, no_wrap=heading != "reason")
    for task in seen.state.tasks:
        cells = (task.id, seen.state.status_of(task.id).value, task.run_id, seen.state.reason_of(task.id))
        table.add_row(*(Text(one_line(cell)) for cell in cells))
    console.print(table)
    return 0
