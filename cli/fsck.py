"""What `waypost fsck` says of ledgers: one line each, and how much of a damaged one can still be read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checkpointing.files import LEDGER
from ..checkpointing.fsck import FsckReport, fsck, is_thread
from ..checkpointing.names import folder_name, thread_key
from ..checkpointing.salvage import new_runs_folder, readable_lines, salvage
from ..state.errors import InputError, InvalidId, LedgerError
from .ending import FAILED
from .ledger_text import answer, escaped, print_json


@dataclass
class Checked:
    """One ledger, what was found, and what was made of it."""

    report: FsckReport
    saved: Path | None = None
    not_saved: str = ""


def check(what: str | None, *, runs: Path, out: Path | None, json: bool) -> int:
    """Check one run, one ledger, or all under a folder: 0 all fine, 1 damage, 2 nothing to check."""

    def work() -> int:
        found = [Checked(_checked(folder)) for folder in _folders(what, runs)]
        damaged = [one for one in found if not one.report.ok]
        if out is not None and damaged:
            _save(damaged, out)
        for one in found:
            print_json(_record(one)) if json else print(_line(one))
        return FAILED if damaged else 0

    return answer(work, json=json)


def _folders(what: str | None, runs: Path) -> list[Path]:
    """The thread folders that are meant: a run by its id comes before a file or folder of that name."""
    if what is None:
        return _below(runs)
    run = _run_folder(what, runs)
    if run is not None and not is_thread(run):
        raise InputError(f"run {escaped(what)} has no ledger yet", next_step="there is nothing to check")
    if run is not None:
        return [run]
    path = Path(what)
    if os.path.isfile(what):
        if path.name != LEDGER:
            next_step = f"a ledger is called {LEDGER}: copy it to a folder of its own under that name"
            raise InputError(f"{escaped(what)} is no ledger by its name", next_step=next_step)
        return [path.absolute().parent]
    if not os.path.lexists(what):
        raise InputError(
            f"there is no run, file or folder {escaped(what)}", next_step="give the folder of the run with --runs"
        )
    return [path.absolute()] if is_thread(path) or path.is_symlink() else _below(path)


def _run_folder(what: str, runs: Path) -> Path | None:
    try:
        folder = runs.absolute() / folder_name(thread_key(what))
    except InvalidId:
        return None
    return folder if os.path.lexists(folder) else None


def _below(folder: Path) -> list[Path]:
    """The thread folders directly below one; a symbolic link among them is named, and not followed."""
    try:
        inner = sorted(folder.absolute().iterdir())
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror}", next_step="give a folder with --runs") from None
    found = [path for path in inner if is_thread(path)]
    if not found:
        raise InputError(f"there is no ledger in {folder}", next_step="give the folder that holds the runs")
    return found


def _checked(folder: Path) -> FsckReport:
    if folder.is_symlink():
        return FsckReport(folder / LEDGER, problems=[(0, "the folder is a symbolic link, which is not followed")])
    return fsck(folder)


def _save(damaged: list[Checked], out: Path) -> None:
    new_runs_folder(out)
    for one in damaged:
        try:
            one.saved = salvage(one.report, out)
        except LedgerError as error:
            one.not_saved = error.what
    if not any(one.saved for one in damaged):
        out.rmdir()


def _line(one: Checked) -> str:
    report = one.report
    if report.ok:
        torn = f", and {report.torn} torn bytes that the next writer sets aside" if report.torn else ""
        return f"ok       {escaped(report.thread_id or report.path.parent.name)}: {report.lines} lines{torn}"
    line, what = _problems(report)[0]
    where = f"{report.path}:{line}" if line else str(report.path)
    others = f" (and {len(report.problems) - 1} more)" if len(report.problems) > 1 else ""
    return f"damaged  {escaped(f'{where}: {what}{others}; {_readable(report)}{_saved(one)}')}"


def _problems(report: FsckReport) -> list[tuple[int, str]]:
    """What is wrong, without the place, which is told beside it."""
    return [(line, what.removeprefix(f"{report.path}:{line}: ")) for line, what in report.problems]


def _readable(report: FsckReport) -> str:
    lines = readable_lines(report)
    if lines == report.lines and lines and report.problems[0][0] == 1:
        return f"all {lines} lines can be read"
    return f"lines 1-{lines} can be read" if lines else "nothing can be read"


def _saved(one: Checked) -> str:
    if one.saved is not None:
        return f", saved in {one.saved}"
    return f", not saved: {one.not_saved}" if one.not_saved else ""


def _record(one: Checked) -> dict[str, Any]:
    report = one.report
    return {
        "ledger": str(report.path),
        "thread": report.thread_id,
        "ok": report.ok,
        "lines": report.lines,
        "readable": readable_lines(report),
        "torn": report.torn,
        "problems": [{"line": line, "what": what} for line, what in _problems(report)],
        "saved": None if one.saved is None else str(one.saved),
    }
