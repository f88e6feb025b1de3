"""What a checkpointer owes LangGraph, where the public suites do not look."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from kit.ledgers import Talk, config, lines_of, make_checkpoint, reopened, values_of
from langgraph.checkpoint.memory import InMemorySaver
from waypost.checkpointing import LedgerSaver
from waypost.state.errors import InvalidId, LedgerError

UNKNOWN = "1f000000-0000-6000-8000-000000000000"


def writes_at(saver: LedgerSaver, id: str) -> list[tuple[str, str, Any]]:
    found = saver.get_tuple(config("t", id=id))
    assert found is not None
    return found.pending_writes or []


class TestPut:
    def test_the_parent_is_the_checkpoint_of_the_config_not_the_one_put_before(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        first = talk.put(a=1)
        fork = talk.branch()
        talk.put(a=2)
        fork.put(a=3)
        found = fork.newest()
        assert found.parent_config == config("t", id=first)
        assert found.checkpoint["channel_values"] == {"a": 3}

    def test_forks_that_bump_the_same_channel_keep_their_own_values(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        talk.put(a=0)
        fork = talk.branch()
        left, right = talk.put(a="left"), fork.put(a="right")
        for id, value in ((left, "left"), (right, "right")):
            found = saver.get_tuple(config("t", id=id))
            assert found
            assert found.checkpoint["channel_values"] == {"a": value}

    def test_everything_in_the_checkpoint_comes_back(self, saver: LedgerSaver) -> None:
        made = make_checkpoint({"a": 1}, {"a": "v1"}) | {
            "versions_seen": {"node": {"a": "v1"}, "__snapshot_bumps__": {"x": 3}},
            "updated_channels": ["a"],
            "pending_sends": [],
        }
        saver.put(config("t"), made, {"step": -1}, {"a": "v1"})
        found = saver.get_tuple(config("t"))
        assert found
        assert found.checkpoint == made
        assert type(found.metadata["step"]) is int

    @pytest.mark.parametrize("version", [1, 2.5, "00000000000000000000000000000003.0.123", "x"])
    def test_versions_made_by_others_are_accepted(self, saver: LedgerSaver, version: Any) -> None:
        saver.put(config("t"), make_checkpoint({"a": "A"}, {"a": version}), {}, {"a": version})
        assert values_of(saver) == [{"a": "A"}]

    def test_a_channel_without_a_value_is_empty(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        talk.put(a=1, b=2)
        made = make_checkpoint({"b": 2}, talk.versions | {"a": "9"})
        saver.put(config("t", id=talk.at), made, {}, {"a": "9"})
        assert values_of(saver) == [{"a": 1, "b": 2}, {"b": 2}]

    def test_no_new_versions_reach_all_values_by_the_old_ones(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        talk.put(a=1)
        talk.put()
        assert values_of(saver) == [{"a": 1}, {"a": 1}]

    def test_scalars_of_config_and_its_metadata_are_merged_into_the_metadata(self, saver: LedgerSaver) -> None:
        given = config("t", user="u\0x", n=3, flag=True, obj={"no": 1}, __secret="s", checkpoint_map={"": "x"})
        given["metadata"] = {"run_id": "r1", "list": [1]}
        saver.put(given, make_checkpoint({}, {}), {"source": "input", "step": -1, "note": "a\0b"}, {})
        found = saver.get_tuple(config("t"))
        assert found
        expected = {"source": "input", "step": -1, "note": "ab", "run_id": "r1", "user": "ux", "n": 3, "flag": True}
        assert found.metadata == expected

    def test_the_same_id_again_replaces_the_checkpoint_and_keeps_its_place(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        first = talk.put(a=1)
        second = talk.put(a=2)
        saver.put(config("t"), make_checkpoint({"a": 9}, {"a": "9"}, first), {"again": True}, {"a": "9"})
        assert [found.config["configurable"]["checkpoint_id"] for found in saver.list(config("t"))] == [second, first]
        assert values_of(saver) == [{"a": 9}, {"a": 2}]

    def test_the_returned_config_is_new_and_has_the_three_keys(self, saver: LedgerSaver) -> None:
        given = config("t", extra="x")
        returned = saver.put(given, made := make_checkpoint({}, {}), {}, {})
        assert returned == config("t", id=made["id"])
        found = saver.get_tuple(returned)
        assert found
        assert found.config == returned
        assert found.config["configurable"] is not returned["configurable"]

    def test_values_are_taken_as_they_are_when_put_is_called(self, saver: LedgerSaver) -> None:
        live = [1]
        talk = Talk(saver)
        talk.put(a=live)
        live.append(2)
        assert values_of(saver) == [{"a": [1]}]

    def test_what_is_handed_out_belongs_to_the_caller(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        big = {"x": list(range(600))}
        talk.put(a=big, b=big)
        first = talk.newest().checkpoint["channel_values"]
        first["a"]["x"].clear()
        assert first["b"] == big
        assert talk.newest().checkpoint["channel_values"] == {"a": big, "b": big}


class TestNewest:
    def test_the_newest_is_the_one_put_last_also_when_the_clock_went_back(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        talk.put(id="1f900000-0000-6000-8000-000000000000", a="before")
        later = talk.put(id="1f100000-0000-6000-8000-000000000000", a="after the step back")
        for looking in (saver, reopened(root)):
            found = looking.get_tuple(config("t"))
            assert found
            assert found.config == config("t", id=later)
            assert next(iter(looking.list(config("t")))).config == config("t", id=later)

    def test_namespaces_have_their_own(self, saver: LedgerSaver) -> None:
        root, sub = Talk(saver), Talk(saver, ns="node:1|x")
        root.put(a="root")
        sub.put(a="sub")
        assert root.newest().checkpoint["channel_values"] == {"a": "root"}
        assert sub.newest().checkpoint["channel_values"] == {"a": "sub"}

    def test_without_a_namespace_the_root_is_meant(self, saver: LedgerSaver) -> None:
        Talk(saver).put(a="root")
        Talk(saver, ns="sub").put(a="sub")
        found = saver.get_tuple(config("t", ns=None))
        assert found
        assert found.checkpoint["channel_values"] == {"a": "root"}

    def test_an_unknown_checkpoint_or_thread_is_none(self, saver: LedgerSaver) -> None:
        Talk(saver).put(a=1)
        assert saver.get_tuple(config("t", id=UNKNOWN)) is None
        assert saver.get_tuple(config("other")) is None


class TestWrites:
    def test_each_write_has_its_own_rule_special_ones_replace_regular_ones_stay(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        at = talk.put(a=1)
        talk.write(("a", "first"), ("__error__", "first"))
        talk.write(("a", "second"), ("__error__", "second"), ("b", "new position"))
        expected = [("task", "__error__", "second"), ("task", "a", "first"), ("task", "b", "new position")]
        assert writes_at(saver, at) == expected

    def test_writes_may_come_before_their_checkpoint(self, saver: LedgerSaver, root: Path) -> None:
        saver.put_writes(config("t", id=UNKNOWN), [("a", 1)], "task")
        assert saver.get_tuple(config("t", id=UNKNOWN)) is None
        assert list(saver.list(None)) == []
        saver.put(config("t"), make_checkpoint({}, {}, UNKNOWN), {}, {})
        assert writes_at(saver, UNKNOWN) == [("task", "a", 1)]
        assert writes_at(reopened(root), UNKNOWN) == [("task", "a", 1)]

    def test_writes_come_back_by_path_then_task_then_index(self, saver: LedgerSaver) -> None:
        at = (talk := Talk(saver)).put(a=1)
        talk.write(("c", 1), ("d", 2), task="z", path="~b")
        talk.write(("e", 3), task="y", path="~b")
        talk.write(("f", 4), task="x", path="~c")
        talk.write(("g", 5), ("__resume__", 6), task="w")
        order = [channel for _, channel, _ in writes_at(saver, at)]
        assert order == ["__resume__", "g", "e", "c", "d", "f"]

    def test_writes_are_not_shown_at_another_checkpoint(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        first = talk.put(a=1)
        talk.write(("a", 2))
        second = talk.put(a=2)
        assert (writes_at(saver, first), writes_at(saver, second)) == ([("task", "a", 2)], [])

    def test_writes_that_are_there_already_cost_no_line(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        talk.put(a=1)
        talk.write(("a", 1))
        before = len(lines_of(root))
        talk.write(("a", 2))
        assert len(lines_of(root)) == before

    @pytest.mark.parametrize("verb", ["put_writes", "aput_writes"])
    def test_the_path_parameter_has_the_name_that_pregel_looks_for(self, verb: str) -> None:
        assert "task_path" in inspect.signature(getattr(LedgerSaver, verb)).parameters

    def test_writes_need_a_checkpoint(self, saver: LedgerSaver) -> None:
        with pytest.raises(LedgerError, match="id of their checkpoint"):
            saver.put_writes(config("t"), [("a", 1)], "task")


class TestThreads:
    def test_an_int_is_the_thread_of_its_text(self, saver: LedgerSaver) -> None:
        Talk(saver, 7).put(a=1)
        found = saver.get_tuple(config("7"))
        assert found
        assert found.config["configurable"]["thread_id"] == "7"
        assert saver.get_tuple(config(7)) == found

    @pytest.mark.parametrize("bad", ["a\0b", "\ud800", "x" * 513, "ä" * 257])
    def test_ids_that_no_file_system_holds_are_refused(self, saver: LedgerSaver, root: Path, bad: str) -> None:
        with pytest.raises(InvalidId):
            saver.put(config(bad), make_checkpoint({}, {}), {}, {})
        with pytest.raises(InvalidId):
            saver.get_tuple(config(bad))
        assert not root.exists()

    def test_looking_at_nothing_makes_nothing(self, saver: LedgerSaver, root: Path) -> None:
        assert saver.get_tuple(config("t")) is None
        assert list(saver.list(config("t"))) == list(saver.list(None)) == list(saver.threads()) == []
        assert saver.writer("t") is None
        assert saver.head("t").lines == 0
        saver.delete_thread("t")
        saver.prune(["t"])
        saver.delete_for_runs(["r"])
        saver.copy_thread("t", "u")
        assert not root.exists()


class TestVersions:
    def test_versions_grow_and_differ(self, saver: LedgerSaver) -> None:
        seen: list[str] = []
        current = None
        for _ in range(12):
            current = saver.get_next_version(current, None)
            seen.append(current)
        assert seen == sorted(set(seen))
        assert saver.get_next_version(None, None) != saver.get_next_version(None, None)

    @pytest.mark.parametrize("other", [3, 3.0, "3", "00000000000000000000000000000003.0.5"])
    def test_a_version_after_one_of_another_saver(self, saver: LedgerSaver, other: Any) -> None:
        found = saver.get_next_version(other, None)
        assert int(found.split(".")[0]) == 4
        if isinstance(other, str) and len(other) > 1:
            assert found > other

    def test_it_goes_on_from_versions_of_the_memory_saver(self, saver: LedgerSaver) -> None:
        other = InMemorySaver().get_next_version(None, None)
        assert saver.get_next_version(other, None) > other


class TestList:
    def test_none_is_all_threads_and_no_namespace_is_all_of_them(self, saver: LedgerSaver) -> None:
        Talk(saver, "t").put(a=1)
        Talk(saver, "t", "sub").put(a=2)
        Talk(saver, "u").put(a=3)
        assert {found.checkpoint["channel_values"]["a"] for found in saver.list(None)} == {1, 2, 3}
        found = [found.checkpoint["channel_values"]["a"] for found in saver.list(config("t", ns=None))]
        assert found == [2, 1]
        assert [found.checkpoint["channel_values"]["a"] for found in saver.list(config("t"))] == [1]

    def test_with_an_id_it_is_that_one(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        first = talk.put(a=1)
        talk.put(a=2)
        assert [found.config for found in saver.list(config("t", id=first))] == [config("t", id=first)]

    @pytest.mark.parametrize(("limit", "expected"), [(0, []), (1, [2]), (2, [2, 1]), (9, [2, 1, 0]), (None, [2, 1, 0])])
    def test_limit(self, saver: LedgerSaver, limit: int | None, expected: list[int]) -> None:
        talk = Talk(saver)
        for value in range(3):
            talk.put(a=value)
        found = saver.list(config("t"), limit=limit)
        assert [item.checkpoint["channel_values"]["a"] for item in found] == expected

    def test_the_limit_counts_over_all_threads(self, saver: LedgerSaver) -> None:
        for thread in "abc":
            Talk(saver, thread).put(a=1)
        assert len(list(saver.list(None, limit=2))) == 2

    def test_before_is_strictly_smaller_and_without_id_it_is_ignored(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        ids = [talk.put(a=value) for value in range(3)]
        older = saver.list(config("t"), before=config("t", id=ids[2]), limit=1)
        assert [item.config["configurable"]["checkpoint_id"] for item in older] == [ids[1]]
        assert len(list(saver.list(config("t"), before=config("t")))) == 3

    FILTERS: list[dict[str, Any]] = [  # noqa: RUF012
        {"flag": 1},
        {"step": True},
        {"nested": {"b": 2, "a": 1}},
        {"nested": {"a": 1}},
        {"list": [1]},
        {"list": [1, 2]},
        {"nested": {"ä": "ü"}},
        {"a.b": 1},
        {"nested.a": 1},
        {"missing": None},
        {"a key": "x"},
        {"step": 1, "flag": True},
        {"step": 1, "flag": False},
        {},
    ]

    @pytest.mark.parametrize("wanted", FILTERS, ids=str)
    def test_filters_are_those_of_the_memory_saver(self, saver: LedgerSaver, wanted: dict[str, Any]) -> None:
        memory = InMemorySaver()
        metadata = [
            {"step": 1, "flag": True, "nested": {"a": 1, "b": 2}, "list": [1, 2], "a key": "x", "a.b": 1},
            {"step": 2, "flag": False, "nested": {"ä": "ü"}, "list": [2, 1], "none": None},
        ]
        for about in metadata:
            made = make_checkpoint({}, {})
            saver.put(config("t"), made, dict(about), {})
            memory.put(config("t"), made, dict(about), {})
        ours = [found.metadata for found in saver.list(config("t"), filter=wanted)]
        assert ours == [found.metadata for found in memory.list(config("t"), filter=wanted)]

    def test_it_may_be_abandoned_and_holds_no_lock(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        for value in range(3):
            talk.put(a=value)
        found = saver.list(config("t"))
        assert next(found).checkpoint["channel_values"] == {"a": 2}
        assert talk.newest().checkpoint["channel_values"] == {"a": 2}
        talk.put(a=3)
        assert next(found).checkpoint["channel_values"] == {"a": 1}

    def test_it_goes_on_with_the_old_ledger_when_the_thread_is_pruned_or_deleted(self, saver: LedgerSaver) -> None:
        talk = Talk(saver)
        for value in range(4):
            talk.put(a=value)
        found = saver.list(config("t"))
        assert next(found).checkpoint["channel_values"] == {"a": 3}
        saver.prune(["t"])
        assert next(found).checkpoint["channel_values"] == {"a": 2}
        saver.delete_thread("t")
        assert [item.checkpoint["channel_values"] for item in found] == [{"a": 1}, {"a": 0}]
        assert list(saver.list(config("t"))) == []
