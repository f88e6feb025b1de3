"""Deleting, pruning, copying: what goes is gone, and what stays still works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kit.ledgers import Talk, config, ledger_of, lines_of, make_checkpoint, reopened, values_of
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.transplant import Move
from waypost.state.errors import LedgerError, LedgerLost

BIG = "big value " * 500


def tuples(saver: LedgerSaver, thread: str = "t", ns: str | None = None) -> list[CheckpointTuple]:
    return list(saver.list(config(thread, ns)))


def on_disk(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())


class TestDelete:
    def test_the_bytes_are_gone_and_so_is_the_folder(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        talk.put(a="secret")
        talk.write(("a", "secret"))
        (ledger_of(root).parent / "quarantine").mkdir()
        (ledger_of(root).parent / "quarantine" / "line2.torn").write_text("secret")
        saver.delete_thread("t")
        assert not ledger_of(root).parent.exists()
        assert on_disk(root) == b""

    def test_late_puts_and_writes_do_not_bring_it_back(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        talk.put(a=1)
        saver.delete_thread("t")
        for _ in range(2):
            with pytest.raises(LedgerLost, match="was deleted"):
                talk.write(("a", 2))
            with pytest.raises(LedgerLost, match="was deleted"):
                talk.branch().put(a=2)
        assert not ledger_of(root).exists()
        assert saver.get_tuple(config("t")) is None

    def test_nor_do_those_of_its_subgraphs_and_of_what_was_refused(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        called_from = talk.put(a=1)
        saver.delete_thread("t")
        with pytest.raises(LedgerLost):
            Talk(saver, ns="node:1").put(metadata={"parents": {"": called_from}}, a=1)
        refused = make_checkpoint({}, {})
        with pytest.raises(LedgerLost):
            saver.put(config("t", id=called_from), refused, {}, {})
        with pytest.raises(LedgerLost):
            saver.put_writes(config("t", id=refused["id"]), [("a", 1)], "task")
        assert not ledger_of(root).exists()

    def test_a_new_run_under_the_same_id_is_a_new_thread(self, saver: LedgerSaver) -> None:
        Talk(saver).put(a="old")
        saver.delete_thread("t")
        again = Talk(saver)
        first = make_checkpoint({}, {})
        saver.put_writes(config("t", id=first["id"]), [("a", "early")], "task")
        saver.put(config("t"), first, {}, {})
        again.at = first["id"]
        again.put(a="new")
        assert values_of(saver) == [{}, {"a": "new"}]

    def test_other_threads_stay(self, saver: LedgerSaver) -> None:
        Talk(saver, "t").put(a=1)
        Talk(saver, "u").put(a=2)
        saver.delete_thread("t")
        assert [found.checkpoint["channel_values"] for found in saver.list(None)] == [{"a": 2}]


class TestDeleteForRuns:
    def test_what_a_run_left_is_gone_and_what_others_took_from_it_stays(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        talk.put(metadata={"run_id": "one"}, a=BIG, b="secret of one")
        talk.write(("w", "secret write of one"))
        talk.put(metadata={"run_id": "two"}, b="from two")
        talk.write(("w", "write of two"))
        saver.delete_for_runs(["one"])
        (left,) = tuples(saver)
        assert left.checkpoint["channel_values"] == {"a": BIG, "b": "from two"}
        assert left.parent_config is None
        assert left.pending_writes == [("task", "w", "write of two")]
        assert b"secret" not in on_disk(root)
        assert [found.checkpoint for found in tuples(reopened(root))] == [left.checkpoint]

    def test_a_run_that_goes_on_afterwards_is_refused(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        talk.put(metadata={"run_id": "one"}, a=1)
        talk.put(metadata={"run_id": "two"}, a=2)
        saver.delete_for_runs(["two"])
        with pytest.raises(LedgerLost):
            talk.branch().put(metadata={"run_id": "two"}, a=3)
        assert values_of(saver) == [{"a": 1}]

    def test_threads_without_the_run_are_not_touched(self, saver: LedgerSaver, root: Path) -> None:
        Talk(saver, "t").put(metadata={"run_id": "one"}, a=1)
        Talk(saver, "u").put(metadata={"run_id": "two"}, a=1)
        before = ledger_of(root, "u").read_bytes()
        saver.delete_for_runs(["one"])
        assert ledger_of(root, "u").read_bytes() == before
        assert tuples(saver, "t") == []


class TestPrune:
    def test_the_newest_of_each_namespace_stays_with_writes_and_without_parent(
        self, saver: LedgerSaver, root: Path
    ) -> None:
        talks = [Talk(saver), Talk(saver, ns="keeps"), Talk(saver, ns="call:1")]
        for talk in talks:
            talk.put(a=BIG, b=f"old{talk.ns}")
            talk.put(b=f"new{talk.ns}")
            talk.write(("w", f"write{talk.ns}"), path="~p")
        saver.prune(["t"], strategy="keep_latest")
        for looking in (saver, reopened(root)):
            for talk in talks:
                (left,) = tuples(looking, ns=talk.ns)
                assert left.checkpoint["channel_values"] == {"a": BIG, "b": f"new{talk.ns}"}
                assert left.parent_config is None
                assert left.pending_writes == [("task", "w", f"write{talk.ns}")]
        assert b'"old' not in on_disk(root)
        talks[0].put(b="goes on")
        assert values_of(saver)[-1] == {"a": BIG, "b": "goes on"}

    def test_a_subgraph_call_goes_with_the_checkpoint_it_was_called_from(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        first = talk.put(a=1)
        Talk(saver, ns="old:1").put(metadata={"parents": {"": first}}, a=1)
        Talk(saver, ns="old:1|inner:2").put(metadata={"parents": {"": first}}, a=1)
        second = talk.put(a=2)
        Talk(saver, ns="new:2").put(metadata={"parents": {"": second}}, a=1)
        Talk(saver, ns="kept").put(metadata={"parents": {"": first}}, a=1)
        saver.prune(["t"])
        left = {found.config["configurable"]["checkpoint_ns"] for found in tuples(saver)}
        assert left == {"", "new:2", "kept"}

    def test_what_a_delta_channel_is_rebuilt_from_stays(self, saver: LedgerSaver, root: Path) -> None:
        counters: dict[str, Any] = {"counters_since_delta_snapshot": {"d": (1, 1)}}
        talk = Talk(saver)
        talk.put(a=0)
        talk.put(d=_DeltaSnapshot(["seed"]), a=1)
        for number in range(3):
            talk.write(("d", f"delta {number}"))
            talk.put(metadata=counters, gone=["d"], a=number)
        before = saver.get_delta_channel_history(config=config("t"), channels=["d"])
        assert [value for _, _, value in before["d"]["writes"]] == ["delta 0", "delta 1", "delta 2"]
        saver.prune(["t"])
        assert saver.get_delta_channel_history(config=config("t"), channels=["d"]) == before
        assert len(tuples(saver)) == 4
        again = reopened(root).get_delta_channel_history(config=config("t"), channels=["d"])
        assert again == before

    def test_writes_that_came_before_their_checkpoint_stay(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        talk.put(a=1)
        talk.put(a=2)
        early = make_checkpoint({}, {})
        saver.put_writes(config("t", id=early["id"]), [("w", 1)], "task")
        saver.prune(["t"])
        saver.put(config("t", id=talk.at), early, {}, {})
        assert talk.newest().pending_writes == [("task", "w", 1)]

    @pytest.mark.parametrize("strategy", ["delete", "delete_all"])
    def test_deleting_strategies(self, saver: LedgerSaver, root: Path, strategy: str) -> None:
        Talk(saver).put(a=1)
        saver.prune(["t"], strategy=strategy)
        assert not ledger_of(root).exists()

    def test_bad_arguments_are_refused(self, saver: LedgerSaver) -> None:
        with pytest.raises(ValueError, match="keep_some"):
            saver.prune(["t"], strategy="keep_some")
        with pytest.raises(TypeError, match="sequence"):
            saver.prune("t")

    def test_a_pruned_ledger_says_what_it_follows(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        talk.put(a=1)
        talk.put(a=2)
        head = saver.head("t")
        saver.prune(["t"])
        first = lines_of(root)[0]
        assert first["follows"] == {"line": head.lines, "sha256": head.sha256, "reason": "prune"}
        assert first["epoch"] == 2

    def test_a_writer_of_the_old_file_is_lost(self, root: Path) -> None:
        old, new = reopened(root), reopened(root)
        talk = Talk(old)
        talk.put(a=1)
        talk.put(a=2)
        new.prune(["t"])
        with pytest.raises(LedgerLost):
            talk.put(a=3)
        assert values_of(new) == [{"a": 2}]

    def test_nothing_to_prune_writes_nothing(self, saver: LedgerSaver, root: Path) -> None:
        Talk(saver).put(a=1)
        before = ledger_of(root).read_bytes()
        saver.prune(["t", "unknown"])
        assert ledger_of(root).read_bytes() == before


class TestRewriting:
    @pytest.mark.parametrize("verb", ["prune", "compact"])
    def test_a_value_that_grew_from_one_that_now_stands_in_its_own_line_is_kept(
        self, saver: LedgerSaver, root: Path, verb: str
    ) -> None:
        items = [f"{number}" * 60 for number in range(14)]
        Talk(saver).put(c=items)
        Talk(saver).put(b=items, c=[*items, "more"])
        saver.prune(["t"]) if verb == "prune" else saver.compact("t")
        assert values_of(reopened(root))[-1] == {"b": items, "c": [*items, "more"]}

    def test_a_new_ledger_that_cannot_be_read_does_not_take_the_place(
        self, saver: LedgerSaver, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        talk = Talk(saver)
        talk.put(inherited=BIG)
        talk.put(a=1)
        before = ledger_of(root).read_bytes()
        monkeypatch.setattr(Move, "full", lambda move, old, new: {"same": {"line": 99, "at": "a"}})
        with pytest.raises(LedgerError, match=r"was not rewritten: line 2 of the new ledger: .*refers to a value"):
            saver.prune(["t"])
        assert ledger_of(root).read_bytes() == before
        talk.put(a="goes on")
        assert values_of(saver)[-1] == {"a": "goes on", "inherited": BIG}


class TestCompact:
    def test_everything_stays_and_references_still_lead_home(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        items: list[str] = []
        for number in range(30):
            items.append(f"{number}" * 100)
            talk.put(a=list(items), b=BIG)
            talk.write(("a", BIG), ("__error__", number))
            talk.write(("__error__", "again"))
            if number % 10 == 0:
                saver.release("t")
                talk.branch().put(c=number)
        saver.put(config("t"), make_checkpoint({"a": "replaced"}, {"a": "x"}, talk.at), {}, {"a": "x"})
        before = tuples(saver)
        size = ledger_of(root).stat().st_size
        saver.compact("t")
        assert ledger_of(root).stat().st_size < size
        assert [found._replace(config={}) for found in tuples(saver)] == [it._replace(config={}) for it in before]
        assert tuples(reopened(root)) == tuples(saver)
        talk.put(a=[*items, "more"])
        assert values_of(saver)[-1]["a"] == [*items, "more"]


class TestCopy:
    def test_ids_parents_writes_paths_and_namespaces_are_the_same(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        items = ["x" * 300]
        for number in range(9):
            items.append(f"{number}" * 300)
            talk.put(metadata={"run_id": "r"}, a=list(items), b=BIG)
            talk.write(("a", BIG), task="t2", path="~b")
            talk.write(("a", 1), task="t1", path="~c")
        talk.branch().put(a="fork")
        Talk(saver, ns="sub:1").put(a="sub")
        saver.copy_thread("t", "copy")
        assert seen(saver, "copy") == seen(saver, "t") == seen(reopened(root), "copy")
        assert ledger_of(root, "copy").stat().st_size < 1.1 * ledger_of(root).stat().st_size

    def test_the_copy_lives_on_its_own(self, saver: LedgerSaver) -> None:
        Talk(saver).put(a=1)
        saver.copy_thread("t", "copy")
        saver.delete_thread("t")
        copy = Talk(saver, "copy")
        copy.at = copy.newest().config["configurable"]["checkpoint_id"]
        copy.put(a=2)
        assert values_of(saver, "copy") == [{"a": 1}, {"a": 2}]

    def test_onto_a_thread_that_is_there_both_histories_stay(self, saver: LedgerSaver) -> None:
        Talk(saver, "t").put(a="copied")
        Talk(saver, "u").put(a="own")
        saver.copy_thread("t", "u")
        assert values_of(saver, "u") == [{"a": "own"}, {"a": "copied"}]

    def test_back_onto_a_deleted_thread(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        talk.put(a=1)
        saver.copy_thread("t", "copy")
        saver.delete_thread("t")
        saver.copy_thread("copy", "t")
        talk.put(a=2)
        assert values_of(saver) == [{"a": 1}, {"a": 2}]

    def test_onto_itself_nothing_happens(self, saver: LedgerSaver, root: Path) -> None:
        Talk(saver).put(a=1)
        before = ledger_of(root).read_bytes()
        saver.copy_thread("t", "t")
        assert ledger_of(root).read_bytes() == before


def seen(saver: LedgerSaver, thread: str) -> list[Any]:
    """All about a thread but its name."""
    found: list[Any] = []
    for item in saver.list(config(thread, None)):
        ids = [
            {key: value for key, value in about["configurable"].items() if key != "thread_id"} if about else None
            for about in (item.config, item.parent_config)
        ]
        found.append((ids, item.checkpoint, item.metadata, item.pending_writes))
    return found
