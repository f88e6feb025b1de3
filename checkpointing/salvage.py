"""Saving what is intact of a damaged ledger into a new one. The original is only read."""

from __future__ import annotations

from pathlib import Path

from ..state.errors import InputError, LedgerError
from .aio import LedgerSaver
from .disk import Disk, PosixDisk
from .files import LEDGER, Files, telling
from .fsck import FsckReport, fsck
from .lines import unseal
from .names import folder_name


def readable_lines(report: FsckReport) -> int:
    """How many lines from the first on are intact, with every value in them.

    A ledger in a folder of another name is whole: that complaint about line 1 is not counted.
    """
    broken = [line for line, _ in report.problems if line > 1 or (line == 1 and not report.lines)]
    return min([report.lines, *(line - 1 for line in broken)])


def new_runs_folder(out: Path, disk: Disk | None = None) -> None:
    """Make the folder into which threads are saved.

    Raises:
        InputError: something stands there, or it cannot be made.
    """
    disk = disk or PosixDisk()
    try:
        made = disk.make_folder(out.absolute())
    except OSError as error:
        raise InputError(f"cannot make {out}: {error.strerror}", next_step="choose another folder") from None
    if not made:
        raise InputError(f"{out} exists already", next_step="choose a folder that does not exist: nothing is replaced")


def salvage(report: FsckReport, out: Path) -> Path:
    """Copy the intact lines of a ledger, byte for byte, to a thread folder under `out`, ready to be resumed there.

    Behind the copy stands a lease that is released, whoever wrote the original.

    Args:
        report: what `fsck` said of this one ledger.
        out: a runs folder made by `new_runs_folder`.

    Raises:
        LedgerError: there is nothing to save, the thread was deleted, or the original changed meanwhile.
    """
    lines, thread = readable_lines(report), report.thread_id
    if not lines or thread is None:
        raise LedgerError(f"{report.path}: not one line is intact, nothing can be saved")
    disk = PosixDisk()
    data = _first_lines(disk, report.path.parent, lines)
    if unseal(data[data.rfind(b"\n", 0, -1) + 1 :])["kind"] == "tombstone":
        raise LedgerError(f"{report.path}: thread {thread!r} was deleted in line {lines}")
    folder = out.absolute() / folder_name(thread)
    if not disk.make_folder(folder):
        raise LedgerError(f"{report.path}: another ledger of thread {thread!r} was saved in {folder} before")
    files = Files(disk, folder)
    try:
        with telling("write", folder / LEDGER):
            files.write_new(files.folder, LEDGER, data)
            files.sync_folders()
    finally:
        files.close()
    with LedgerSaver(out, mirror=False, disk=disk) as saver:
        saver.acquire(thread, takeover=True)
    if problems := fsck(folder).problems:
        raise LedgerError(f"{report.path} changed while it was read: the copy is damaged at line {problems[0][0]}")
    return folder


def _first_lines(disk: Disk, folder: Path, lines: int) -> bytes:
    try:
        files = Files(disk, folder)
        try:
            files.open_ledger(write=False)
            data = files.read(0, files.size())
        finally:
            files.close()
        end = 0
        for _ in range(lines):
            end = data.index(b"\n", end) + 1
    except (FileNotFoundError, ValueError):
        raise LedgerError(f"{folder / LEDGER} changed while it was read") from None
    return data[:end]
