"""One writer for each thread: who it is, how another takes over, and that an old one can write nothing more."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from kit.ledgers import (
    Talk,
    config,
    ledger_of,
    lines_of,
    reopened,
    run_python,
    values_of,
)
from kit.other_process import other_process
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.lines import seal
from waypost.checkpointing.writer import this_process
from waypost.state.errors import LedgerConflict, LedgerLost


class TestTwoProcesses:
    def test_the_second_is_refused_and_told_who_the_first_is(self, saver: LedgerSaver, root: Path) -> None:
        with other_process(root) as other:
            before = ledger_of(root).read_bytes()
            for attempt in (lambda: saver.acquire("t"), lambda: Talk(saver).put(a=1), lambda: saver.delete_thread("t")):
                with pytest.raises(LedgerConflict) as refused:
                    attempt()
                assert f"pid {other.process.pid}" in str(refused.value)
                assert f"boot {this_process().boot}" in str(refused.value)
            assert ledger_of(root).read_bytes() == before
            assert other.do("put") == "done"

    def test_the_second_may_read(self, saver: LedgerSaver, root: Path) -> None:
        with other_process(root) as other:
            assert values_of(saver) == [{"a": "other"}]
            other.do("put")
            assert values_of(saver) == [{"a": "other"}, {"a": "again"}]
            writer = saver.writer("t")
            assert writer
            assert (writer.pid, writer.alive, writer.released) == (other.process.pid, True, False)

    def test_a_dead_writer_is_followed_by_the_next_epoch(self, saver: LedgerSaver, root: Path) -> None:
        with other_process(root):
            pass
        writer = saver.writer("t")
        assert writer
        assert not writer.alive
        Talk(saver).put(a="mine")
        assert [(line["kind"], line["epoch"]) for line in lines_of(root)][-2:] == [("lease", 2), ("checkpoint", 2)]

    def test_a_released_thread_is_free_at_once_although_its_writer_lives(self, saver: LedgerSaver, root: Path) -> None:
        with other_process(root) as other:
            other.do("release")
            Talk(saver).put(a="mine")
            assert other.do("put") == "LedgerConflict"
            saver.release("t")
            assert other.do("put") == "done"
        assert [line["epoch"] for line in lines_of(root)] == [1, 1, 1, 2, 2, 2, 3, 3]

    def test_a_writer_that_was_overtaken_can_write_nothing_more(self, saver: LedgerSaver, root: Path) -> None:
        with other_process(root) as other:
            saver.acquire("t", takeover=True)
            Talk(saver).put(a="mine")
            before = ledger_of(root).read_bytes()
            assert [other.do("put"), other.do("put")] == ["LedgerLost", "LedgerLost"]
            assert ledger_of(root).read_bytes() == before

    def test_also_not_when_it_was_stopped_in_between(self, saver: LedgerSaver, root: Path) -> None:
        with other_process(root) as other:
            other.process.send_signal(signal.SIGSTOP)
            saver.acquire("t", takeover=True)
            before = ledger_of(root).read_bytes()
            other.process.send_signal(signal.SIGCONT)
            assert other.do("put") == "LedgerLost"
            assert ledger_of(root).read_bytes() == before

    @pytest.mark.parametrize(
        ("point", "then"),
        [
            ("takeover.before", "done"),
            ("append.before", "done"),
            ("append.after_write", "LedgerLost"),
            ("append.after_sync", "LedgerLost"),
            ("takeover.after", "LedgerLost"),
        ],
    )
    def test_who_dies_while_it_takes_over_has_taken_all_or_nothing(self, root: Path, point: str, then: str) -> None:
        take = (
            "import sys; from waypost.checkpointing import LedgerSaver;"
            "LedgerSaver(sys.argv[1]).acquire('t', takeover=True)"
        )
        with other_process(root) as other:
            assert run_python(take, root, failpoint=f"ledger.{point}").returncode == -signal.SIGKILL
            assert [other.do("put"), other.do("put")] == [then, then]
        with reopened(root) as after:
            Talk(after).put(a="goes on")

    def test_reading_does_not_win_a_lost_lease_back(self, root: Path) -> None:
        mine, thief = reopened(root), reopened(root)
        Talk(mine).put(a=1)
        Talk(thief).put(a=2)
        assert values_of(mine) == [{"a": 1}, {"a": 2}]
        with pytest.raises(LedgerLost):
            Talk(mine).put(a=3)
        mine.acquire("t")
        Talk(mine).put(a=3)
        assert values_of(mine) == [{"a": 1}, {"a": 2}, {"a": 3}]

    def test_a_lock_holder_that_does_not_move_is_named_and_not_waited_for(
        self, saver: LedgerSaver, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("waypost.checkpointing.lease._TRIES", 3)
        with other_process(root) as other:
            hold = "import fcntl,sys; f=open(sys.argv[1]); fcntl.flock(f,2); print('held',flush=True); input()"
            pipe = subprocess.PIPE
            command = [sys.executable, "-c", hold, str(ledger_of(root).with_name("lock"))]
            holder = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
            try:
                assert holder.stdout
                assert holder.stdout.readline() == "held\n"
                with pytest.raises(LedgerConflict, match="locked by a process that does not move") as refused:
                    saver.acquire("t", takeover=True)
                assert f"pid {other.process.pid}" in str(refused.value)
            finally:
                holder.communicate("\n")


class TestOneProcess:
    def test_all_savers_of_a_root_are_one_writer(self, root: Path) -> None:
        one, two = LedgerSaver(root), LedgerSaver(str(root) + "/../root")
        three = one.with_allowlist([("m", "N")])
        for number, saver in enumerate((one, two, three)):
            Talk(saver).put(a=number)
        assert values_of(two) == [{"a": 0}, {"a": 1}, {"a": 2}]
        assert {line["epoch"] for line in lines_of(root)} == {1}
        assert one.root == two.root == root

    def test_a_restart_under_the_same_pid_is_no_conflict(self, root: Path) -> None:
        Talk(reopened(root)).put(a=1)
        Talk(reopened(root)).put(a=2)
        assert [line["epoch"] for line in lines_of(root)] == [1, 1, 2, 2]

    def test_acquire_makes_the_thread_and_again_does_nothing(self, saver: LedgerSaver, root: Path) -> None:
        saver.acquire("t")
        saver.acquire("t")
        Talk(saver).put(a=1)
        assert [line["kind"] for line in lines_of(root)] == ["open", "checkpoint"]

    def test_release_and_close_of_what_is_not_held_do_nothing(self, saver: LedgerSaver, root: Path) -> None:
        saver.release("t")
        saver.close()
        Talk(saver).put(a=1)
        saver.close()
        saver.close()
        assert [line["kind"] for line in lines_of(root)] == ["open", "checkpoint", "lease"]

    def test_many_threads_write_one_thread_and_lose_nothing(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        at = talk.put(a=0)

        def work(task: int) -> None:
            for position in range(5):
                saver.put_writes(config("t", id=at), [(f"c{task}", position)], f"{task}-{position}")

        workers = [threading.Thread(target=work, args=(task,)) for task in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        writes = talk.newest().pending_writes or []
        assert len(writes) == 40
        assert len(reopened(root).get_tuple(config("t")).pending_writes) == 40  # pyright: ignore

    def test_what_arrives_together_is_acknowledged_together(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        at = talk.put(a=0)
        store = saver._pool.store("t")
        with store._commit:
            workers = [
                threading.Thread(target=saver.put_writes, args=(config("t", id=at), [("c", n)], f"{n}"))
                for n in range(3)
            ]
            for worker in workers:
                worker.start()
            while len(store._arrivals) < 3:
                pass
        for worker in workers:
            worker.join()
        assert [line["acked"] for line in lines_of(root)] == [0, 0, 2, 2, 2]

    def test_of_regular_writes_that_arrive_together_the_first_one_stays(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        at = config("t", id=talk.put(a=0))
        store = saver._pool.store("t")
        writers: list[threading.Thread] = []
        with store._commit:
            for number in range(3):
                writes = [("c", number), ("__error__", number)]
                writers.append(threading.Thread(target=saver.put_writes, args=(at, writes, "task")))
                writers[-1].start()
                while len(store._arrivals) <= number:
                    pass
        for writer in writers:
            writer.join()
        assert len(lines_of(root)) == 5
        for looking in (saver, reopened(root)):
            found = looking.get_tuple(at)
            assert found
            assert found.pending_writes == [("task", "__error__", 2), ("task", "c", 0)]

    def test_a_ledger_whose_last_line_is_not_ours_is_not_written(self, damaged_root: Path) -> None:
        saver = reopened(damaged_root)
        talk = Talk(saver)
        talk.put(a=1)
        raw = ledger_of(damaged_root).read_bytes()
        last = lines_of(damaged_root)[-1] | {"writer": "x" * len(this_process().name)}
        del last["check"]
        other = raw.splitlines(keepends=True)[0] + seal(last)
        assert len(other) == len(raw)
        ledger_of(damaged_root).write_bytes(other)
        with pytest.raises(LedgerLost):
            talk.put(a=2)
        assert ledger_of(damaged_root).read_bytes() == other
