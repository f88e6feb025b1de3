"""What counts as a living writer, and what forks, children, late writes and many threads may not do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from kit.ledgers import (
    Talk,
    config,
    environment_for,
    ledger_of,
    lines_of,
    reopened,
    run_python,
    values_of,
)
from kit.other_process import other_process
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.lines import seal
from waypost.state.errors import LedgerConflict, LedgerCorrupt, LedgerLost

UNSHARED = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


class TestAnotherHost:
    @pytest.mark.parametrize(
        ("by", "alive"),
        [
            ({"boot": "another boot"}, False),
            ({"boot": "another boot", "host": "another host"}, True),
            ({"pid": 2**22 + 1, "host": "another container"}, True),
            ({"pid": 2**22 + 1, "pids": "pid:[1]"}, True),
            ({"boot": "another boot", "pids": "pid:[1]"}, False),
            ({"started": 1}, False),
            ({"pid": 2**22 + 1}, False),
            ({"pid": 1}, False),
            ({}, True),
        ],
        ids=[
            "rebooted",
            "another host",
            "another container",
            "another pid namespace",
            "rebooted in another pid namespace",
            "pid reused",
            "no such pid",
            "another start",
            "this process",
        ],
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

    @pytest.mark.parametrize(
        "by",
        [{"pid": "\0"}, {"pid": "self"}, {"pid": True}, {"pid": -1}, {"started": "1"}, {"host": 1}, {"boot": None}],
    )
    def test_what_names_no_process_is_damage(self, damaged_root: Path, by: dict[str, object]) -> None:
        Talk(reopened(damaged_root)).put(a=1)
        first = lines_of(damaged_root)[0]
        first["by"] |= by
        del first["check"]
        ledger_of(damaged_root).write_bytes(seal(first))
        (ledger_of(damaged_root).parent / "watermark").unlink()
        with pytest.raises(LedgerCorrupt, match="does not hold what a line of kind open holds"):
            reopened(damaged_root).writer("t")

    def test_a_writer_in_another_pid_namespace_of_this_host_is_not_taken_for_dead(self, root: Path) -> None:
        """As two containers that share the name of the host: each sees its own pids only."""
        if subprocess.run([*UNSHARED, "true"], capture_output=True).returncode:
            pytest.skip("this machine lets us make no pid namespace")
        with other_process(root, inside=UNSHARED), reopened(root) as saver:
            with pytest.raises(LedgerConflict):
                saver.acquire("t")
            saver.acquire("t", takeover=True)


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


@pytest.mark.parametrize("release", [True, False])
@pytest.mark.parametrize("again", [True, False])
def test_a_late_put_does_not_bring_back_what_another_process_deleted(root: Path, release: bool, again: bool) -> None:
    with other_process(root) as other:
        if release:
            other.do("release")
        with LedgerSaver(root) as saver:
            saver.acquire("t", takeover=True)
            saver.delete_thread("t")
            if again:
                Talk(saver).put(a="new")
                saver.release("t")
            assert [other.do("put"), other.do("put")] == ["LedgerLost", "LedgerLost"]
            assert ledger_of(root).exists() is again
            assert values_of(saver) == ([{"a": "new"}] if again else [])


def descriptors(saver: LedgerSaver, talks: list[Talk]) -> int:
    """How many are open when nothing is being written for people any more."""
    for talk in talks:
        saver.write_mirrors(talk.thread)
    return len(list(Path("/proc/self/fd").iterdir()))


class TestManyThreads:
    def test_a_process_with_many_threads_does_not_keep_them_all_open(
        self, saver: LedgerSaver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("waypost.checkpointing.pool.MAX_OPEN", 4)
        talks = [Talk(saver, thread) for thread in range(12)]
        for talk in talks:
            talk.put(a=0)
        open_before = descriptors(saver, talks)
        for _ in range(2):
            for talk in talks:
                talk.put(a=1)
        assert descriptors(saver, talks) <= open_before
        assert {found.metadata["step"] for found in saver.list(None)} == {-1, 0, 1}
        assert {writer.epoch for talk in talks if (writer := saver.writer(talk.thread))} == {1}

    def test_a_thread_at_rest_is_still_fenced(
        self, saver: LedgerSaver, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("waypost.checkpointing.pool.MAX_OPEN", 1)
        talk = Talk(saver)
        talk.put(a=1)
        Talk(saver, "other").put(a=1)
        Talk(reopened(root)).put(a="thief")
        before = ledger_of(root).read_bytes()
        with pytest.raises(LedgerLost):
            talk.put(a=2)
        assert ledger_of(root).read_bytes() == before

    def test_a_listing_goes_on_when_its_thread_is_put_to_rest(
        self, saver: LedgerSaver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("waypost.checkpointing.pool.MAX_OPEN", 1)
        talk = Talk(saver)
        for value in range(3):
            talk.put(a=value)
        found = saver.list(config("t"))
        assert next(found).checkpoint["channel_values"] == {"a": 2}
        Talk(saver, "other").put(a=1)
        assert [item.checkpoint["channel_values"] for item in found] == [{"a": 1}, {"a": 0}]
