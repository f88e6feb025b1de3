"""The writes of a task wait for the checkpoint that follows them, where that saves a sync and only there."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from kit.ledgers import Talk, config, lines_of
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.arrivals import Rhythm

SYNC_S, SOON_S, LATE_S = 0.004, 0.001, 0.018


def step(rhythm: Rhythm, at: float, *, gap_s: float, ended: bool = False) -> float:
    """Writes come, and after a while their checkpoint; how long the writes were to wait."""
    wait_s = rhythm.writes_come(at)
    if ended:
        rhythm.writes_end(at)
    rhythm.checkpoint_comes(at + gap_s)
    rhythm.synced(SYNC_S)
    return wait_s


class TestRhythm:
    def test_nobody_waits_before_anything_is_known(self) -> None:
        assert Rhythm().writes_come(1.0) == 0

    def test_writes_wait_when_checkpoints_came_sooner_than_a_sync_takes(self) -> None:
        rhythm = Rhythm()
        waits = [step(rhythm, at, gap_s=SOON_S) for at in range(1, 6)]
        assert waits[0] == 0
        assert all(SOON_S < wait_s < SYNC_S for wait_s in waits[1:])

    def test_writes_do_not_wait_when_checkpoints_come_later_than_that(self) -> None:
        rhythm = Rhythm()
        assert not any(step(rhythm, at, gap_s=LATE_S) for at in range(1, 6))

    def test_writes_do_not_wait_for_a_caller_who_comes_only_after_they_returned(self) -> None:
        rhythm = Rhythm()
        assert not any(step(rhythm, at, gap_s=SOON_S, ended=True) for at in range(1, 6))

    def test_a_disk_without_syncs_is_never_waited_for(self) -> None:
        rhythm = Rhythm()
        for at in range(1, 6):
            assert rhythm.writes_come(at) == 0
            rhythm.checkpoint_comes(at + SOON_S)

    def test_a_shorter_time_is_believed_at_once(self) -> None:
        rhythm = Rhythm()
        waits = [step(rhythm, at, gap_s=gap_s) for at, gap_s in enumerate((LATE_S, SOON_S, SOON_S), 1)]
        assert waits[:2] == [0, 0]
        assert waits[2] == pytest.approx(2 * SOON_S)

    def test_waiting_stops_when_no_checkpoint_comes(self) -> None:
        rhythm = Rhythm()
        for at in range(1, 6):
            step(rhythm, at, gap_s=SOON_S)
        waits = 0
        while rhythm.writes_come(100.0 + waits):
            rhythm.in_vain()
            waits += 1
        assert 0 < waits < 5

    def test_no_wait_is_longer_than_20_ms(self) -> None:
        rhythm = Rhythm()
        for at in range(1, 20):
            rhythm.synced(1.0)
            assert rhythm.writes_come(at) <= 0.02
            rhythm.checkpoint_comes(at + 0.9)


def waiting_writer(saver: LedgerSaver, talk: Talk) -> threading.Thread:
    """A thread whose writes wait to be taken along."""
    at = config(talk.thread, id=talk.at)
    writer = threading.Thread(target=saver.put_writes, args=(at, [("c", 1)], "task"))
    writer.start()
    while not len(saver._pool.store(str(talk.thread))._arrivals):
        assert writer.is_alive()
    return writer


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rhythm, "writes_come", lambda self, now: 20.0)


@pytest.mark.usefixtures("patient")
class TestTakenAlong:
    def test_a_checkpoint_takes_the_writes_that_wait_for_it_along(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        talk.put(a=0)
        writer = waiting_writer(saver, talk)
        talk.put(a=1)
        writer.join(10)
        assert not writer.is_alive()
        assert [(line["kind"], line["acked"]) for line in lines_of(root)[2:]] == [("writes", 2), ("checkpoint", 2)]

    def test_writes_that_wait_hold_nothing_up(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        first = config("t", id=talk.put(a=0))
        writer = waiting_writer(saver, talk)
        assert talk.newest().checkpoint["channel_values"] == {"a": 0}
        assert [found.pending_writes for found in saver.list(config("t"))] == [[]]
        talk.put(a=1)
        writer.join(10)
        found = saver.get_tuple(first)
        assert found
        assert found.pending_writes == [("task", "c", 1)]

    def test_whoever_fails_for_a_group_fails_for_all_that_wait(self, saver: LedgerSaver) -> None:
        failed: list[BaseException] = []
        talk = Talk(saver)
        at = config("t", id=talk.put(a=0))

        def write() -> None:
            try:
                saver.put_writes(at, [("c", 1)], "task")
            except BaseException as error:
                failed.append(error)

        writer = threading.Thread(target=write)
        writer.start()
        while not len(saver._pool.store("t")._arrivals):
            pass
        saver.delete_thread("t")
        Talk(saver).put(a="new")
        writer.join(10)
        assert [type(error).__name__ for error in failed] == ["LedgerLost"]


def test_without_syncs_writes_do_not_wait(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rhythm, "writes_come", lambda self, now: 20.0)
    waited: list[float] = []
    monkeypatch.setattr(Rhythm, "in_vain", lambda self: waited.append(1))
    with LedgerSaver(root, durability="process") as saver:
        talk = Talk(saver)
        talk.put(a=0)
        talk.write(("c", 1))
    assert not waited
