"""What the experiments have found in LedgerSaver, one small test each."""

from __future__ import annotations

from pathlib import Path

from kit.ledgers import Talk
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.disk import PosixDisk


class Recorder(PosixDisk):
    """Writes down in which order names go and folders are synced."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def remove(self, folder: int, name: str) -> None:
        self.seen.append(f"remove {name}")
        super().remove(folder, name)

    def sync_folder(self, fd: int) -> None:
        self.seen.append("sync folder")
        super().sync_folder(fd)


def test_a_deletion_puts_the_end_of_the_watermark_on_disk_before_the_ledger_goes(tmp_path: Path) -> None:
    """Else a power cut may leave the watermark alone, and the thread would pass for damaged."""
    disk = Recorder()
    with LedgerSaver(tmp_path / "root", disk=disk) as saver:
        Talk(saver).put(a=1)
        disk.seen.clear()
        saver.delete_thread("t")
    watermark, ledger = disk.seen.index("remove watermark"), disk.seen.index("remove ledger.jsonl")
    assert "sync folder" in disk.seen[watermark:ledger]
