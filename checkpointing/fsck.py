"""The consistency check: everything a ledger holds is read, and every complaint is given with its line."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from ..state.errors import LedgerCorrupt, LedgerError
from .disk import Disk, PosixDisk
from .files import LEDGER, WATERMARK
from .ledger import Ledger
from .names import folder_name
from .whole import Problem, complaints


@dataclass
class FsckReport:
    """What was found. For a root: the sum over its threads, and each complaint begins with the thread's folder.

    Attributes:
        problems: (line, what), in the order of the lines; line 0 speaks of the whole.
        torn: bytes at the end that no acknowledged append explains; the next writer cuts them.
    """

    path: Path
    thread_id: str | None = None
    lines: int = 0
    torn: int = 0
    problems: list[Problem] = field(default_factory=list[Problem])

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong. A torn tail is normal after a crash."""
        return not self.problems


def fsck(path: str | Path, *, disk: Disk | None = None) -> FsckReport:
    """Check a ledger file, the folder of a thread, or a root with all its threads. Nothing is written.

    Checked are every line's checksum and chain, the watermark, every reference between values, every hash of a value.
    """
    path = Path(path)
    disk = disk or PosixDisk()
    folder = path.parent if path.is_file() else path
    if is_thread(folder) or not folder.is_dir():
        return _check_thread(folder, disk)
    total = FsckReport(path)
    for inner in sorted(folder.iterdir()):
        if is_thread(inner):
            found = _check_thread(inner, disk)
            total.lines += found.lines
            total.torn += found.torn
            total.problems += [(line, f"{inner.name}: {what}") for line, what in found.problems]
    return total


def is_thread(folder: Path) -> bool:
    """Whether a ledger stands in a folder, or stood there: a watermark alone means that it was lost."""
    return any(os.path.lexists(folder / name) for name in (LEDGER, WATERMARK))


def _check_thread(folder: Path, disk: Disk) -> FsckReport:
    report = FsckReport(folder / LEDGER)
    ledger = Ledger(disk, folder, None)
    try:
        report.torn = ledger.refresh()
    except LedgerCorrupt as damage:
        report.problems.append((damage.line, damage.what))
    except LedgerError as error:
        report.problems.append((0, error.what))
    index = ledger.index
    report.lines = index.lines
    if not index.lines:
        if not report.problems and (ledger.files is None or ledger.files.ledger is None):
            report.problems.append((0, "there is no ledger"))
        return report
    report.thread_id = index.thread
    if folder_name(index.thread) != folder.resolve().name:
        report.problems.append((1, f"thread {index.thread!r} does not belong into a folder of this name"))
    report.problems += complaints(ledger.view())
    report.problems.sort()
    return report
