"""What stands on disk before a scripted session begins."""

from __future__ import annotations

from pathlib import Path

from kit.ledgers import forget_acknowledged, ledger_of

from faults.model import Truth
from faults.nursery import Nursery
from faults.sessions import BEFORE
from faults.subjects import SUBJECTS, Talk


def prepare(nursery: Nursery, subject: str, folder: Path) -> Truth:
    """Make what stands on disk before a session: torn, unacknowledged, and held by this process."""
    folder.mkdir()
    truth = Truth()
    victim = nursery.start("play", subject=subject, folder=str(folder), script=BEFORE[subject])
    for message in victim.tells():
        truth.take(message)
    victim.wait()
    assert not truth.broken, truth.broken
    if subject == "ledger":
        _damage(folder, truth)
    truth.acknowledged = 0
    return truth


def _damage(folder: Path, truth: Truth) -> None:
    root = folder / "root"
    with ledger_of(root, "torn").open("ab") as file:
        file.write(b'{"number":5,"kind":"checkpoint","time"' + b"x" * 3000)
    forget_acknowledged(root, "behind")
    (root / "long" / "notes.txt").write_text("not ours: the folder cannot be removed with its thread")
    saver = SUBJECTS["ledger"].open(folder)
    op, call = Talk(saver, "held").put("mine")
    truth.take({"try": op})
    call()
    truth.take({"ok": op[0]})
