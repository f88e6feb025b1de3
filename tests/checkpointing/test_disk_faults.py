"""A disk that is full, that fails, or that writes only a part: nothing is acknowledged that is not safe."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Any

import pytest
from kit.ledgers import (
    IO_ERROR,
    NO_SPACE,
    FaultyDisk,
    Talk,
    config,
    forget_acknowledged,
    ledger_of,
    make_checkpoint,
    reopened,
    values_of,
)
from waypost.checkpointing import LedgerSaver, fsck
from waypost.checkpointing.disk import PosixDisk
from waypost.state.errors import LedgerError, LedgerIOError, LedgerNoSpace


class Recorder(PosixDisk):
    """Writes down what happens to the ledger, in order."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def write(self, fd: int, offset: int, data: bytes) -> None:
        name = Path(os.readlink(f"/proc/self/fd/{fd}")).name
        self.seen.append(f"write {name}")
        super().write(fd, offset, data)

    def sync(self, fd: int) -> None:
        self.seen.append("sync")
        super().sync(fd)

    def sync_folder(self, fd: int) -> None:
        self.seen.append("sync folder " + Path(os.readlink(f"/proc/self/fd/{fd}")).name)
        super().sync_folder(fd)

    def rename(self, folder: int, old: str, new: str) -> None:
        self.seen.append(f"rename {old}")
        super().rename(folder, old, new)

    def lock(self, fd: int, *, wait: bool = True) -> bool:
        self.seen.append("lock")
        return super().lock(fd, wait=wait)

    def unlock(self, fd: int) -> None:
        self.seen.append("unlock")
        super().unlock(fd)


class TestOrder:
    def test_a_put_is_lock_write_sync_watermark_unlock(self, root: Path) -> None:
        disk = Recorder()
        with LedgerSaver(root, disk=disk, mirror=False) as saver:
            talk = Talk(saver)
            talk.put(a=1)
            disk.seen.clear()
            talk.put(a=2)
            assert disk.seen == ["lock", "write ledger.jsonl", "sync", "write watermark", "unlock"]
            disk.seen.clear()
            talk.write(("a", 1))
            assert disk.seen == ["lock", "write ledger.jsonl", "sync", "write watermark", "unlock"]

    def test_the_first_put_is_acknowledged_when_its_names_are_on_disk_too(self, root: Path) -> None:
        root.mkdir()
        disk = Recorder()
        with LedgerSaver(root, disk=disk, mirror=False) as saver:
            Talk(saver).put(a=1)
            names = ["sync folder t", "sync folder root", f"sync folder {root.parent.name}"]
            assert disk.seen == ["lock", "write ledger.jsonl", "sync", *names, "write watermark", "unlock"]

    def test_names_that_a_saver_without_power_safety_made_are_synced_by_the_next_one(self, root: Path) -> None:
        disk = Recorder()
        quick = LedgerSaver(root, disk=disk, mirror=False, durability="process")
        safe = LedgerSaver(root, disk=disk, mirror=False)
        safe._pool = quick._pool
        talk = Talk(quick)
        talk.put(a=1)
        assert "sync folder t" not in disk.seen
        talk.saver = safe
        talk.put(a=2)
        assert disk.seen.index("sync folder t") < disk.seen.index("write watermark")
        quick.close()

    def test_where_the_names_are_not_on_disk_nothing_is_acknowledged(self, root: Path) -> None:
        with LedgerSaver(root, disk=FaultyDisk(("sync_folder", 1, IO_ERROR)), mirror=False) as saver:
            talk = Talk(saver)
            with pytest.raises(LedgerIOError):
                talk.put(a=1)
            with pytest.raises(LedgerIOError):
                talk.put(a=1)
            assert not (ledger_of(root).parent / "watermark").exists()
            saver.acquire("t")
            talk.put(a=2)
        assert values_of(reopened(root))[-1] == {"a": 2}

    def test_without_power_safety_nothing_is_synced(self, root: Path) -> None:
        disk = Recorder()
        with LedgerSaver(root, disk=disk, durability="process") as saver:
            talk = Talk(saver)
            talk.put(a=1)
            talk.put(a=2)
        assert not [call for call in disk.seen if call.startswith("sync")]
        assert values_of(reopened(root)) == [{"a": 1}, {"a": 2}]

    def test_a_new_thread_is_acknowledged_when_its_folders_are_on_disk(self, root: Path) -> None:
        disk = Recorder()
        LedgerSaver(root, disk=disk, mirror=False).acquire("t")
        assert {"sync folder t", "sync folder root"} <= set(disk.seen)
        assert disk.seen.index("write ledger.jsonl") < len(disk.seen) - disk.seen[::-1].index("sync folder t")

    def test_a_rewritten_ledger_is_on_disk_before_it_takes_the_place(self, root: Path) -> None:
        disk = Recorder()
        with LedgerSaver(root, disk=disk, mirror=False) as saver:
            talk = Talk(saver)
            talk.put(a=1)
            talk.put(a=2)
            disk.seen.clear()
            saver.prune(["t"])
        order = ["write ledger.jsonl.new", "sync", "rename ledger.jsonl.new", "sync", "sync folder t"]
        assert disk.seen[1:6] == order

    @pytest.mark.parametrize("verb", ["acquire", "get_tuple"])
    def test_before_anything_is_shown_what_is_past_the_watermark_is_written_again_and_synced(
        self, root: Path, verb: str
    ) -> None:
        with LedgerSaver(root, durability="process") as saver:
            Talk(saver).put(a=1)
        forget_acknowledged(root)
        disk = Recorder()
        again = LedgerSaver(root, disk=disk)
        again.acquire("t") if verb == "acquire" else again.get_tuple(config("t"))
        calls = disk.seen[: disk.seen.index("write watermark")]
        assert calls[:5] == ["lock", "write ledger.jsonl", "sync", "sync folder t", "sync folder root"]
        disk.seen.clear()
        assert again.get_tuple(config("t")) is not None
        assert disk.seen == []

    def test_each_thread_and_writer_pays_for_that_only_once(self, root: Path) -> None:
        with LedgerSaver(root) as saver:
            Talk(saver).put(a=1)
        disk = Recorder()
        assert LedgerSaver(root, disk=disk).get_tuple(config("t")) is not None
        assert disk.seen == []


class TestNoSpace:
    @pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG], ids=["disk", "quota", "file size"])
    def test_the_line_is_rolled_back_and_the_saver_stays_usable(self, root: Path, error: int) -> None:
        disk = FaultyDisk()
        with LedgerSaver(root, disk=disk, mirror=False) as saver:
            talk = Talk(saver)
            talk.put(a=1)
            before = ledger_of(root).read_bytes()
            disk.fail = [("write", 0, error)]
            for _ in range(2):
                with pytest.raises(LedgerNoSpace, match=os.strerror(error)):
                    talk.branch().put(a=2)
                assert ledger_of(root).read_bytes() == before
                assert values_of(saver) == [{"a": 1}]
            disk.fail = []
            talk.put(a=3)
            assert values_of(saver) == [{"a": 1}, {"a": 3}]

    def test_reading_needs_no_space(self, root: Path) -> None:
        with LedgerSaver(root) as saver:
            Talk(saver).put(a=1)
        full = LedgerSaver(root, disk=FaultyDisk(("write", 0, NO_SPACE)))
        assert values_of(full) == [{"a": 1}]

    def test_recovery_needs_no_space_for_a_torn_tail(self, root: Path) -> None:
        with LedgerSaver(root) as saver:
            Talk(saver).put(a=1)
        with ledger_of(root).open("ab") as file:
            file.write(b"torn" * 1000)
        disk = FaultyDisk(("make_folder", 0, NO_SPACE))
        with LedgerSaver(root, disk=disk) as saver:
            saver.acquire("t")

    def test_a_rewrite_without_room_leaves_the_ledger(self, root: Path) -> None:
        disk = FaultyDisk()
        with LedgerSaver(root, disk=disk, mirror=False) as saver:
            talk = Talk(saver)
            talk.put(a=1)
            talk.put(a=2)
            before = ledger_of(root).read_bytes()
            disk.fail = [("write", 0, NO_SPACE)]
            with pytest.raises(LedgerNoSpace):
                saver.prune(["t"])
            disk.fail = []
            assert ledger_of(root).read_bytes() == before
            assert not ledger_of(root).with_name("ledger.jsonl.new").exists()
            talk.put(a=3)


class TestFailure:
    @pytest.mark.parametrize("call", ["write", "sync"])
    def test_it_is_never_acknowledged_and_the_handle_is_dead_until_it_is_acquired_again(
        self, root: Path, call: str
    ) -> None:
        disk = FaultyDisk()
        saver = LedgerSaver(root, disk=disk, mirror=False)
        talk = Talk(saver)
        talk.put(a=1)
        disk.fail = [(call, 0, IO_ERROR)]
        with pytest.raises(LedgerIOError, match="Input/output error"):
            talk.branch().put(a=2)
        disk.fail = []
        disk.calls.clear()
        with pytest.raises(LedgerIOError):
            talk.branch().put(a=2)
        assert disk.calls == []
        assert values_of(saver) == [{"a": 1}]
        saver.acquire("t")
        talk.put(a=3)
        assert values_of(saver) == [{"a": 1}, {"a": 3}]

    def test_after_a_failed_sync_the_pages_are_written_again(self, root: Path) -> None:
        disk = FaultyDisk(("truncate", 0, IO_ERROR))
        saver = LedgerSaver(root, disk=disk, mirror=False)
        talk = Talk(saver)
        talk.put(a=1)
        acknowledged = ledger_of(root).stat().st_size
        disk.fail.append(("sync", 0, IO_ERROR))
        with pytest.raises(LedgerIOError):
            talk.branch().put(a=2)
        assert ledger_of(root).stat().st_size > acknowledged
        again = Written(acknowledged)
        shown = values_of(LedgerSaver(root, disk=again))
        assert shown == [{"a": 1}, {"a": 2}]
        assert again.covered

    def test_a_failing_sync_of_a_folder_is_an_error_and_is_made_up_for_by_the_next_open(self, root: Path) -> None:
        disk = FaultyDisk(("sync_folder", 0, IO_ERROR))
        with pytest.raises(LedgerError):
            LedgerSaver(root, disk=disk).acquire("t")
        recorder = Recorder()
        LedgerSaver(root, disk=recorder).acquire("t")
        assert "sync folder root" in recorder.seen

    def test_errors_of_watermark_and_mirrors_reach_nobody(self, root: Path) -> None:
        saver = LedgerSaver(root)
        talk = Talk(saver)
        talk.put(a=1)
        saver.write_mirrors("t")
        folder = ledger_of(root).parent
        for name in ("pipeline_state.json", "snapshots"):
            path = folder / name
            if path.is_dir():
                for inner in path.iterdir():
                    inner.unlink()
                path.rmdir()
                path.write_text("in the way")
            else:
                path.unlink()
                path.mkdir()
        talk.put(a=2)
        saver.write_mirrors("t")
        assert values_of(saver) == [{"a": 1}, {"a": 2}]
        (folder / "pipeline_state.json").rmdir()
        (folder / "snapshots").unlink()


class Written(PosixDisk):
    """Sees whether the bytes from some place on are written and then synced."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.dirty = self.covered = False

    def write(self, fd: int, offset: int, data: bytes) -> None:
        self.dirty |= offset <= self.start < offset + len(data)
        super().write(fd, offset, data)

    def sync(self, fd: int) -> None:
        self.covered |= self.dirty
        super().sync(fd)


class TestShortWrites:
    @pytest.mark.parametrize("size", [1, 7, 100])
    def test_everything_arrives(self, root: Path, size: int) -> None:
        with LedgerSaver(root, disk=FaultyDisk(short=size)) as saver:
            talk = Talk(saver)
            for value in range(3):
                talk.put(a=value)
            assert values_of(saver) == [{"a": 0}, {"a": 1}, {"a": 2}]

    def test_the_disk_goes_on_after_a_short_write(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = os.pwrite
        monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: whole(fd, data[:33], offset))
        with reopened(root) as saver:
            Talk(saver).put(a="x" * 500)
            assert values_of(saver) == [{"a": "x" * 500}]


def session(saver: LedgerSaver, told: list[Any]) -> None:
    """Puts, a prune and a deletion; what was acknowledged is told."""
    talk = Talk(saver)
    for value in range(3):
        talk.put(a=value)
        told.append(value)
    saver.release("t")
    talk.put(a="after release")
    told.append("after release")
    saver.prune(["t"])
    saver.put(config("u"), make_checkpoint({}, {}), {}, {})
    saver.delete_thread("u")


def count_calls(root: Path) -> dict[str, int]:
    disk = FaultyDisk()
    session(LedgerSaver(root, disk=disk), [])
    return {name: disk.calls.count(name) for name in FaultyDisk.CHANGING}


@pytest.mark.parametrize("error", [NO_SPACE, IO_ERROR], ids=["no space", "i/o error"])
@pytest.mark.parametrize("sticky", [False, True], ids=["once", "for ever"])
def test_an_error_of_any_call_loses_nothing_acknowledged(tmp_path: Path, error: int, sticky: bool) -> None:
    for name, times in count_calls(tmp_path / "counting").items():
        for time in range(1, times + 1):
            root = tmp_path / f"{name}-{time}"
            first = [(name, time, error)] if not sticky else [(name, later, error) for later in range(time, 200)]
            told: list[Any] = []
            with contextlib.suppress(LedgerError):
                session(LedgerSaver(root, disk=FaultyDisk(*first)), told)
            saver = reopened(root)
            shown = [value["a"] for value in values_of(saver)]
            if told:
                assert shown[: len(told)] == told or shown == told[-1:], (name, time)
            Talk(saver).put(a="goes on")
            assert values_of(saver)[-1] == {"a": "goes on"}
            assert fsck(root).problems == []
