"""The same random operations on LedgerSaver and InMemorySaver, and no difference between them.

Not compared, because it differs on purpose: the place of a checkpoint that was put again under its id among those of
other namespaces, writes to what was deleted (refused here), and pruning (which the memory saver does not have).
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule
from kit.ledgers import FaultyDisk, config, forget_acknowledged, ledger_of, make_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from waypost.checkpointing import LedgerSaver, fsck
from waypost.state.errors import LedgerIOError, LedgerLost

THREADS = ["t", 7, "odd/thread ü"]
SPACES = ["", "sub:1", "keeps"]
CHANNELS = ["a", "b", "__error__", "__resume__"]
grown = st.integers(0, 40).map(lambda size: [f"{at}" * 60 for at in range(size)])
fixed = [None, 0, True, 1.5, "x", {"k": [1, {"d": None}]}, (1, 2), b"bytes", {1: 2}, "long " * 400]
values = st.sampled_from(fixed) | grown


def in_order(checkpoint: Any) -> list[tuple[str, Any]]:
    """A checkpoint whose keys may come in any order."""
    return sorted(checkpoint.items())


class Savers(RuleBasedStateMachine):
    """Each rule does the same to both; each invariant compares what they show."""

    checkpoints = Bundle("checkpoints")

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp()) / "root"
        self.memory: Any = InMemorySaver()
        self.number = self.deleted = 0
        self.known: set[tuple[str, str, str]] = set()
        self.threads: set[str] = set()

    @initialize()
    def open(self) -> None:
        self.disk = FaultyDisk()
        self.saver = LedgerSaver(self.root, disk=self.disk, durability="process", mirror=False)

    def next_id(self, back: bool) -> str:
        """An id as the clock gives it; `back` as after the clock was put back, still unlike any other."""
        self.number += 1
        return f"{(5000 - self.number) if back else (9000 + self.number):08d}"

    @rule(
        target=checkpoints,
        thread=st.sampled_from(THREADS),
        ns=st.sampled_from(SPACES),
        put=st.dictionaries(st.sampled_from("abc"), values, max_size=3),
        gone=st.sets(st.sampled_from("abc"), max_size=1),
        about=st.fixed_dictionaries({"step": st.integers(-1, 3), "run_id": st.sampled_from(["r1", "r2"])}),
        parent=st.none() | checkpoints,
    )
    def put(self, thread: Any, ns: str, put: dict[str, Any], gone: set[str], about: Any, parent: Any) -> Any:
        if parent is not None:
            thread, ns, _, before = parent
        else:
            before = {}
        versions = dict(before)
        new: dict[str, Any] = {}
        for channel in [*put, *sorted(gone - put.keys())]:
            new[channel] = versions[channel] = self.saver.get_next_version(versions.get(channel), None)
        made = make_checkpoint(put, versions, self.next_id(back=False))
        self.both("put", config(str(thread), ns, parent and parent[2]), made, about, new)
        self.known.add((str(thread), ns, made["id"]))
        self.threads.add(str(thread))
        return thread, ns, made["id"], versions

    @rule(at=checkpoints, writes=st.lists(st.tuples(st.sampled_from(CHANNELS), values), min_size=1, max_size=3))
    def write(self, at: Any, writes: list[Any]) -> None:
        for task, path in (("t1", ""), ("t2", "~p")):
            self.both("put_writes", config(str(at[0]), at[1], at[2]), writes, task, path)

    @rule(thread=st.sampled_from(THREADS), writes=st.lists(st.tuples(st.sampled_from(CHANNELS), values), min_size=1))
    def write_early(self, thread: Any, writes: list[Any]) -> None:
        self.both("put_writes", config(str(thread), "", f"never put {self.deleted}"), writes, "t1")

    @rule(at=checkpoints, put=st.dictionaries(st.sampled_from("abc"), values, max_size=2))
    def put_again(self, at: Any, put: dict[str, Any]) -> None:
        thread, ns, id, versions = at
        if (str(thread), ns, id) not in self.known:
            return
        new = {channel: self.saver.get_next_version(versions.get(channel), None) for channel in put}
        self.both("put", config(str(thread), ns), make_checkpoint(put, new, id), {"again": 1}, new)

    @rule()
    def reopen(self) -> None:
        self.saver.close()
        self.open()

    @rule()
    def crash(self) -> None:
        """The process is gone; of one thread a torn line is left behind."""
        for thread in sorted(self.threads)[:1]:
            if ledger_of(self.root, thread).exists():
                with ledger_of(self.root, thread).open("ab") as file:
                    file.write(b'{"number":99,"kind":"checkpoint","torn')
                forget_acknowledged(self.root, thread)
        self.open()

    @rule(at=checkpoints)
    def fail(self, at: Any) -> None:
        """The disk fails in the middle of a put; the thread is acquired again."""
        self.disk.fail = [("write", 0, 5)]
        with contextlib.suppress(LedgerIOError):
            self.saver.put(config(str(at[0]), at[1]), make_checkpoint({}, {}, "never acknowledged"), {}, {})
        self.disk.fail = []
        self.saver.acquire(str(at[0]))

    @rule(thread=st.sampled_from(THREADS))
    def compact(self, thread: Any) -> None:
        self.saver.compact(thread)

    @precondition(lambda self: self.threads)
    @rule(thread=st.sampled_from(THREADS))
    def copy(self, thread: Any) -> None:
        """To another thread and, after the first was deleted, back again."""
        key = str(thread)
        expected = self.shown(self.saver, key)
        self.saver.copy_thread(key, "copy")
        assert self.shown(self.saver, "copy") == expected
        self.saver.delete_thread("copy")

    @rule(at=checkpoints)
    def late(self, at: Any) -> None:
        """What comes after a deletion is refused, and the thread stays away."""
        thread = str(at[0])
        if (thread, at[1], at[2]) not in self.known:
            return
        self.saver.delete_thread(thread)
        self.memory.delete_thread(thread)
        self.deleted += 1
        with pytest.raises(LedgerLost):
            self.saver.put_writes(config(thread, at[1], at[2]), [("a", 1)], "late")
        with pytest.raises(LedgerLost):
            self.saver.put(config(thread, at[1], at[2]), make_checkpoint({}, {}, self.next_id(back=True)), {}, {})
        assert not ledger_of(self.root, thread).exists()
        self.known = {key for key in self.known if key[0] != thread}

    def both(self, verb: str, given: Any, *args: Any) -> None:
        """Do it to both, unless it belongs to what was deleted: then only a new start is common to both."""
        configurable = given["configurable"]
        key = (configurable["thread_id"], configurable["checkpoint_ns"], configurable.get("checkpoint_id"))
        if key[2] and key not in self.known and not key[2].startswith("never put"):
            del configurable["checkpoint_id"]
            if verb == "put_writes":
                return
        getattr(self.saver, verb)(given, *args)
        getattr(self.memory, verb)(given, *args)

    def shown(self, saver: Any, thread: str) -> list[Any]:
        """All that a saver shows of a thread, but for the thread's name."""
        found: list[Any] = []
        for ns in SPACES:
            for item in saver.list(config(thread, ns)):
                parent = item.parent_config and item.parent_config["configurable"]["checkpoint_id"]
                id = item.config["configurable"]["checkpoint_id"]
                found.append((ns, id, parent, in_order(item.checkpoint), item.metadata, item.pending_writes))
        return found

    @invariant()
    def they_show_the_same(self) -> None:
        for thread in map(str, THREADS):
            ours, theirs = self.shown(self.saver, thread), self.shown(self.memory, thread)
            assert repr(ours) == repr(theirs)
            for ns in SPACES:
                mine, other = self.saver.get_tuple(config(thread, ns)), self.memory.get_tuple(config(thread, ns))
                assert (mine is None) == (other is None)
                if mine is not None:
                    assert repr(in_order(mine.checkpoint)) == repr(in_order(other.checkpoint))
        for wanted in ({"step": 1}, {"run_id": "r1", "step": 0}):
            ours, theirs = (
                sorted(found.checkpoint["id"] for found in saver.list(None, filter=wanted))
                for saver in (self.saver, self.memory)
            )
            assert ours == theirs

    def teardown(self) -> None:
        self.saver.close()
        if self.root.exists():
            assert fsck(self.root).problems == []
        shutil.rmtree(self.root.parent)


TestSavers = Savers.TestCase
TestSavers.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
