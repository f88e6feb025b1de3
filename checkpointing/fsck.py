"""The consistency check: everything a ledger holds is read, and every complaint is given with its line."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from ..state.errors import LedgerCorrupt, LedgerError
from .disk import Disk, PosixDisk
from .files import LEDGER, WATERMARK
from .ledger import Ledger
from .lines import SHAPELESS, Address, Data
from .names import folder_name
from .values import Packed, forms_of
from .view import View

Problem = tuple[int, str]


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
    report.problems += _check_values(ledger.view())
    report.problems.sort()
    return report


def _check_values(view: View) -> list[Problem]:
    problems: list[Problem] = []
    for number in range(1, view.index.lines + 1):
        try:
            line = view.line(number)
            for at, value in _values_of(line):
                if what := _complaint(view, Address(number, at), value):
                    problems.append((number, what))
        except LedgerCorrupt as damage:
            problems.append((number, damage.what))
    return problems


def _values_of(line: Data) -> list[tuple[str | int, Data]]:
    if line["kind"] == "checkpoint":
        return [*line["values"].items()]
    return [*enumerate(line["writes"])] if line["kind"] == "writes" else []


def _complaint(view: View, at: Address, value: Data) -> str:
    """What is wrong with a stored value; empty if nothing."""
    try:
        if len(forms := [*forms_of(value)]) != 1:
            return f"value {at.at!r} has the forms {forms}"
        if "empty" in value:
            return ""
        where = Address.of(value["same"]) if "same" in value else at
        found = view.texts.at(where)
    except SHAPELESS as error:
        return f"value {at.at!r} cannot be put together: {error!r}"
    expected = value.get("sha256")
    return "" if expected in (None, _hash(found)) else f"value {at.at!r} does not have the hash that it should have"


def _hash(packed: Packed) -> str:
    return hashlib.sha256(packed.form.encode() + b" " + packed.text).hexdigest()
