"""What the shell is offered for an argument; must be quick, so only names of files are looked at."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from .names import RUNS_DIR

_KEPT = ("request.json", "batch_request.json", "ledger.jsonl")
_TASK_FILES = (".md", ".yaml", ".yml", ".json", ".jsonl", ".toml")
_AT_MOST = 200
_OF_THE_SHELL = frozenset(" \t\n!\"#$&'()*;<>?[\\]^`{|}~")


def run_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Runs, batches and other threads of the runs folder, newest first."""
    runs = Path(ctx.params.get("runs") or RUNS_DIR)
    found: list[tuple[int, str]] = []
    try:
        with os.scandir(runs) as entries:
            for entry in entries:
                if not entry.name.startswith(incomplete) or not _can_be_typed(entry.name):
                    continue
                if any((runs / entry.name / name).exists() for name in _KEPT):
                    found.append((entry.stat().st_mtime_ns, entry.name))
    except OSError:
        return []
    return [name for _, name in sorted(found, reverse=True)[:_AT_MOST]]


def _can_be_typed(name: str) -> bool:
    """Whether a shell takes the name as it stands: what it would do with any other is not offered."""
    return name.isprintable() and _OF_THE_SHELL.isdisjoint(name)


def task_files(incomplete: str) -> list[str]:
    """Files that can hold tasks, and the folders on the way to them."""
    folder, start = os.path.split(incomplete)
    try:
        entries = sorted(os.scandir(os.path.expanduser(folder) or "."), key=lambda entry: entry.name)
    except OSError:
        return []
    found: list[str] = []
    for entry in entries:
        hidden = entry.name.startswith(".") and not start.startswith(".")
        if entry.name.startswith(start) and not hidden and _can_be_typed(entry.name):
            if entry.is_dir():
                found.append(os.path.join(folder, entry.name) + "/")
            elif entry.name.endswith(_TASK_FILES):
                found.append(os.path.join(folder, entry.name))
    return found[:_AT_MOST]
