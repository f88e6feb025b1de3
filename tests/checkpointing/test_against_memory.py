"""The same random operations on LedgerSaver and InMemorySaver, and no difference between them.

Not compared, because it differs on purpose: the place of a checkpoint that was put again under its id among those of
other namespaces, and writes to what was deleted (refused here). The twin of the memory saver has what that lacks:
pruning, and a newest checkpoint that is the last one put, whatever the clock says.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule
from kit.dying import Died, dying_at
from kit.ledgers import FaultyDisk, config, forget_acknowledged, ledger_of, make_checkpoint
from kit.memory_twin import MemoryTwin
from waypost.checkpointing import LedgerSaver, fsck
from waypost.checkpointing.failpoints import FAILPOINTS
from waypost.state.errors import LedgerIOError, LedgerLost

THREADS = ["t", 7, "odd/thread ü"]
SPACES = ["", "sub:1", "keeps"]
CHANNELS = ["a", "b", "__error__", "__resume__"]
grown = st.integers(0, 40).map(lambda size: [f"{at}" * 60 for at in range(size)])
fixed = [None, 0, True, 1.5, "x", {"k": [1, {"d": None}]}, (1, 2), b"bytes", {1: 2}, "long " * 400]
values = st.sampled_from(fixed) | grown
POINTS = {"put": ("append", "mirror", "recover"), "write": ("append", "recover"), "delete": ("append", "delete")}
POINTS |= dict.fromkeys(("compact", "prune"), ("rewrite", "recover"))
DEATHS = [(verb, point) for verb, steps in POINTS.items() for point in FAILPOINTS if point.split(".")[1] in steps]


def in_order(checkpoint: Any) -> list[tuple[str, Any]]:
    """A checkpoint whose keys may come in any order."""
    return sorted(checkpoint.items())


class Savers(RuleBasedStateMachine):
    """Each rule does the same to both; each invariant compares what they show."""

    checkpoints = Bundle("checkpoints")

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp()) / "root"
        self.memory = MemoryTwin()
        self.number = self.deleted = 0
        self.clock = 5000
        self.known: set[tuple[str, str, str]] = set()
        self.versions: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.threads: set[str] = set()

    @initialize()
    def open(self) -> None:
        self.disk = FaultyDisk()
        self.saver = LedgerSaver(self.root, disk=self.disk, durability="process")

    def next_id(self) -> str:
        """An id as the clock gives it, unlike any other."""
        self.number += 1
        self.clock += 1
        return f"{self.clock:08d}-{self.number}"

    @precondition(lambda self: self.known)
    @rule(by=st.sampled_from([-300, -2, 300]))
    def step_the_clock(self, by: int) -> None:
        self.clock += by

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
        before: dict[str, Any] = {}
        if parent is not None:
            thread, ns = parent[0], parent[1]
            before = self.versions.get((str(thread), ns, parent[2]), {})
        versions = dict(before)
        new: dict[str, Any] = {}
        for channel in [*put, *sorted(gone - put.keys())]:
            new[channel] = versions[channel] = self.saver.get_next_version(versions.get(channel), None)
        made = make_checkpoint(put, versions, self.next_id())
        self.both("put", config(str(thread), ns, parent and parent[2]), made, about, new)
        self.known.add((str(thread), ns, made["id"]))
        self.versions[str(thread), ns, made["id"]] = versions
        self.threads.add(str(thread))
        return thread, ns, made["id"]

    @rule(target=checkpoints, at=checkpoints, texts=st.lists(st.text(max_size=3), min_size=1, max_size=4))
    def go_on(self, at: Any, texts: list[str]) -> Any:
        """Some checkpoints in a row, each with a log that grows."""
        made: list[Any] = []
        for text in texts:
            found = self.saver.get_tuple(config(str(at[0]), at[1], at[2]))
            log = found.checkpoint["channel_values"].get("log", []) if found else []
            at = self.put(at[0], at[1], {"log": [*log, text * 200]}, set(), {"step": 2}, at)
            made.append(at)
        return multiple(*made)

    @rule(at=checkpoints, writes=st.lists(st.tuples(st.sampled_from(CHANNELS), values), min_size=1, max_size=3))
    def write(self, at: Any, writes: list[Any]) -> None:
        for task, path in (("t1", ""), ("t2", "~p")):
            self.both("put_writes", config(str(at[0]), at[1], at[2]), writes, task, path)

    @precondition(lambda self: self.known)
    @rule(thread=st.sampled_from(THREADS), writes=st.lists(st.tuples(st.sampled_from(CHANNELS), values), min_size=1))
    def write_early(self, thread: Any, writes: list[Any]) -> None:
        self.both("put_writes", config(str(thread), "", f"never put {self.deleted}"), writes, "t1")

    @rule(at=checkpoints, put=st.dictionaries(st.sampled_from("abc"), values, max_size=2))
    def put_again(self, at: Any, put: dict[str, Any]) -> None:
        thread, ns, id = at
        if (str(thread), ns, id) not in self.known:
            return
        versions = self.versions[str(thread), ns, id]
        new = {channel: self.saver.get_next_version(versions.get(channel), None) for channel in put}
        self.versions[str(thread), ns, id] = new
        self.both("put", config(str(thread), ns), make_checkpoint(put, new, id), {"again": 1}, new)

    @precondition(lambda self: self.known)
    @rule()
    def reopen(self) -> None:
        self.saver.close()
        self.open()

    @rule(at=checkpoints, death=st.sampled_from(DEATHS), time=st.integers(1, 2), fresh=st.booleans())
    def die(self, at: Any, death: tuple[str, str], time: int, fresh: bool) -> None:
        """The process dies inside a call, perhaps: the call has happened as a whole or not at all."""
        thread, ns, id = str(at[0]), at[1], at[2]
        if (thread, ns, id) not in self.known:
            return
        verb, point = death
        if "recover" in point:
            self.tear(thread)
        if fresh or "recover" in point:
            self.open()
        task, made = f"dying {self.number}", make_checkpoint({"a": self.number}, {}, self.next_id())
        versions = self.versions[thread, ns, id]
        new = made["channel_versions"] = {"a": self.saver.get_next_version(versions.get("a"), None)}
        before, here = self.shown(self.saver, thread), config(thread, ns, id)
        calls: dict[str, Callable[[Any], Any]] = {
            "put": lambda saver: saver.put(here, made, {"step": 1}, new),
            "write": lambda saver: saver.put_writes(here, [("a", task)], task),
            "compact": lambda saver: saver is self.memory or saver.compact(thread),
            "prune": lambda saver: saver.prune(thread if saver is self.memory else [thread]),
            "delete": lambda saver: saver.delete_thread(thread),
        }
        died = False
        try:
            with dying_at(point, time):
                calls[verb](self.saver)
        except Died:
            died = True
            self.open()
        if not died or self.shown(self.saver, thread) != before:
            calls[verb](self.memory)
            self.deleted += verb == "delete"
            self.forget_what_is_gone(thread)

    @precondition(lambda self: self.known)
    @rule(thread=st.sampled_from(THREADS))
    def prune(self, thread: Any) -> None:
        self.saver.prune([thread])
        self.memory.prune(str(thread))
        self.forget_what_is_gone(str(thread))

    def forget_what_is_gone(self, thread: str) -> None:
        there = {(thread, found[0], found[1]) for found in self.shown(self.memory, thread)}
        self.known -= {key for key in self.known if key[0] == thread and key not in there}

    @precondition(lambda self: self.known)
    @rule()
    def crash(self) -> None:
        """The process is gone; of one thread a torn line is left behind."""
        for thread in sorted(self.threads)[:1]:
            self.tear(thread)
        self.open()

    def tear(self, thread: str) -> None:
        if ledger_of(self.root, thread).exists():
            with ledger_of(self.root, thread).open("ab") as file:
                file.write(b'{"number":99,"kind":"checkpoint","torn')
            forget_acknowledged(self.root, thread)

    @rule(at=checkpoints)
    def fail(self, at: Any) -> None:
        """The disk fails in the middle of a put; the thread is acquired again."""
        self.disk.fail = [("write", 0, 5)]
        with contextlib.suppress(LedgerIOError):
            self.saver.put(config(str(at[0]), at[1]), make_checkpoint({}, {}, "never acknowledged"), {}, {})
        self.disk.fail = []
        self.saver.acquire(str(at[0]))

    @precondition(lambda self: self.known)
    @rule(thread=st.sampled_from(THREADS))
    def compact(self, thread: Any) -> None:
        self.saver.compact(thread)

    @precondition(lambda self: self.known)
    @rule(thread=st.sampled_from(THREADS))
    def copy(self, thread: Any) -> None:
        """To another thread and, after the first was deleted, back again."""
        key = str(thread)
        expected = self.shown(self.saver, key)
        self.saver.copy_thread(key, "copy")
        assert self.shown(self.saver, "copy") == expected
        self.saver.delete_thread("copy")

    @precondition(lambda self: len(self.known) > 4)
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
            self.saver.put(config(thread, at[1], at[2]), make_checkpoint({}, {}, self.next_id()), {}, {})
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
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
