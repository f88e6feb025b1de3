"""One writer for each thread: who it is, how another takes over, and that an old one can write nothing more."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kit.ledgers import (
    Talk,
    config,
    environment_for,
    ledger_of,
    lines_of,
    make_checkpoint,
    reopened,
    run_python,
    values_of,
)
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.lines import seal
from waypost.checkpointing.writer import this_process
from waypost.state.errors import LedgerConflict, LedgerLost

OTHER = """
import sys
from kit.ledgers import Talk
from waypost.checkpointing import LedgerSaver
saver = LedgerSaver(sys.argv[1])
talk = Talk(saver)
talk.put(a="other")
for command in sys.stdin:
    try:
        if command == "put\\n":
            talk.put(a="again")
        if command == "release\\n":
            saver.release("t")
        print("done", flush=True)
    except Exception as error:
        print(type(error).__name__, flush=True)
"""


class Other:
    """Another process that has written thread `t` and obeys."""

    def __init__(self, root: Path) -> None:
        command = [sys.executable, "-c", OTHER, str(root)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment_for())
        self.do("nothing")

    def do(self, command: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        print(command, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().strip()


@contextmanager
def other_process(root: Path) -> Iterator[Other]:
    other = Other(root)
    try:
        yield other
    finally:
        other.process.kill()
        other.process.communicate()


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
            while len(store._waiting) < 3:
                pass
        for worker in workers:
            worker.join()
        assert [line["acked"] for line in lines_of(root)] == [0, 1, 2, 2, 2]


class TestAnotherHost:
    @pytest.mark.parametrize(
        ("by", "alive"),
        [
            ({"boot": "another boot"}, False),
            ({"boot": "another boot", "host": "another host"}, True),
            ({"started": 1}, False),
            ({"pid": 2**22 + 1}, False),
            ({"pid": 1}, False),
            ({}, True),
        ],
        ids=["rebooted", "another host", "pid reused", "no such pid", "another start", "this process"],
    )
    def test_who_is_alive(self, damaged_root: Path, by: dict[str, object], alive: bool) -> None:
        Talk(saver := reopened(damaged_root)).put(a=1)
        del saver
        first = lines_of(damaged_root)[0]
        first["by"] |= by
        del first["check"]
        ledger_of(damaged_root).write_bytes(seal(first))
        (ledger_of(damaged_root).parent / "watermark").unlink()
        found = reopened(damaged_root).writer("t")
        assert found
        assert found.alive is alive
        refused = alive and by != {}
        try:
            Talk(reopened(damaged_root)).put(a=1)
        except LedgerConflict:
            assert refused
        else:
            assert not refused


FORK = """
import os, sys
from kit.ledgers import Talk
from waypost.checkpointing import LedgerSaver
saver = LedgerSaver(sys.argv[1])
talk = Talk(saver)
talk.put(a="parent")
child = os.fork()
if child == 0:
    try:
        talk.put(a="child")
    except Exception as error:
        print(type(error).__name__, f"pid {os.getppid()}" in str(error), flush=True)
    os._exit(0)
os.waitpid(child, 0)
talk.put(a="parent again")
print("parent done")
"""


def test_a_forked_child_is_another_writer(root: Path) -> None:
    ran = run_python(FORK, root)
    assert ran.stdout == "LedgerConflict True\nparent done\n", ran.stderr
    assert values_of(LedgerSaver(root)) == [{"a": "parent"}, {"a": "parent again"}]


STUCK = """
import os, signal, sys
from kit.ledgers import Talk
from waypost.checkpointing import LedgerSaver
saver = LedgerSaver(sys.argv[1])
Talk(saver).put(a="parent")
files = saver._pool.store("t")._ledger.opened
files.disk.lock(files._lock)
if os.fork() == 0:
    print("child", flush=True)
    os.close(1)
    sys.stdin.read()
    os._exit(0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_child_of_a_killed_writer_does_not_keep_its_lock(saver: LedgerSaver, root: Path) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", STUCK, str(root)]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment_for())
    try:
        assert process.stdout
        assert process.stdout.read() == "child\n"
        process.wait()
        Talk(saver).put(a="mine")
        assert values_of(saver) == [{"a": "parent"}, {"a": "mine"}]
    finally:
        process.communicate()


def test_put_after_delete_by_another_process_does_not_bring_the_thread_back(root: Path) -> None:
    with other_process(root) as other:
        other.do("release")
        with LedgerSaver(root) as saver:
            saver.delete_thread("t")
        assert not ledger_of(root).exists()
        made = make_checkpoint({}, {})
        assert other.do("put") in ("LedgerLost", "done")
        assert made
