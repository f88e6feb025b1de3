"""What `waypost doctor` shows: every worker, whether it can be used here, and what to do where it cannot."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ..nodes.config import load_config
from ..nodes.workers import Examined, Health, Worker
from ..state.errors import WaypostError, WorkerUnknown
from .configured import workers_of
from .safe import printable
from .view import choose_view

NEEDED = "shell"
_AT_A_TIME = 4


def examine_workers(name: str | None, *, workspace: Path, json: bool) -> int:
    """Show all workers, or one. Returns 1 where the one asked for, or else the shell worker, cannot be used."""
    view = choose_view(json=json)
    try:
        workers = workers_of(load_config(workspace.absolute()))
        if name is not None and name not in workers:
            known = ", ".join(sorted(workers))
            raise WorkerUnknown(f'there is no worker "{name}"', facts={"known": known})
    except WaypostError as error:
        return view.failed(error)
    asked = {name: workers[name]} if name is not None else workers
    found = examined(asked)
    if json:
        for health in found:
            print(jsonlib.dumps(health.model_dump(mode="json")))
    else:
        _print(found, detail=name is not None)
    return 0 if all(health.usable for health in found if health.name == (name or NEEDED)) else 1


def examined(workers: Mapping[str, Worker]) -> list[Health]:
    """What each worker says of itself, in the order given; side by side, because each may take seconds."""
    with ThreadPoolExecutor(max_workers=_AT_A_TIME) as pool:
        return list(pool.map(_examined, workers, workers.values()))


def _examined(name: str, worker: Worker) -> Health:
    if isinstance(worker, Examined):
        return worker.examine(name)
    return Health(name=name, usable=False, problem="it does not say what it needs")


def _print(found: list[Health], *, detail: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    rows = [
        (health.name, "yes" if health.usable else "no", health.version or "", health.problem or health.path or "")
        for health in found
    ]
    heading = ("worker", "usable", "version", "executable, or what is wrong")
    widths = [max(len(row[column]) for row in (heading, *rows)) for column in range(3)]
    console.print(Text(_line(heading, widths), style="bold"))
    for row, health in zip(rows, found, strict=True):
        console.print(Text(_line(row, widths), style="default" if health.usable else "yellow"))
        if health.next_step:
            console.print(Text(_line(("", "", "", f"next: {health.next_step}"), widths), style="dim"))
    if detail:
        for name, is_set in found[0].environment.items():
            console.print(Text(f"{name}  {'is set' if is_set else 'is not set'}"))


def _line(cells: tuple[str, str, str, str], widths: list[int]) -> str:
    padded = [f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=False)]
    return printable("  ".join([*padded, cells[3]]))
