"""What a thread costs on disk: its information, not its square."""

from __future__ import annotations

import random
import string
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.ledgers import Talk, config, ledger_of, lines_of, reopened, values_of
from langchain_core.messages import HumanMessage
from waypost.checkpointing import LedgerSaver, image
from waypost.checkpointing.edits import apply_edit, edit_between, smaller_edit

BIG = "constant " * 1000


def noise(size: int, seed: int = 0) -> str:
    return "".join(random.Random(seed).choices(string.ascii_letters, k=size))


def stored(root: Path, channel: str) -> list[dict[str, Any]]:
    return [line["values"][channel] for line in lines_of(root) if channel in line.get("values", {})]


def form(value: dict[str, Any]) -> str:
    return next(name for name in ("json", "msgpack", "base64", "same", "grown", "empty") if name in value)


class TestIncremental:
    def test_a_line_holds_only_what_changed(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        talk.put(big=BIG, small=0)
        for value in range(20):
            talk.put(small=value)
        assert len(stored(root, "big")) == 1
        assert ledger_of(root).stat().st_size < 3 * len(BIG)
        assert values_of(saver)[-1] == {"big": BIG, "small": 19}

    def test_a_large_value_is_written_once_also_under_new_versions_by_writes_and_on_forks(
        self, saver: LedgerSaver, root: Path
    ) -> None:
        talk = Talk(saver)
        talk.put(a="start")
        fork = talk.branch()
        talk.write(("a", BIG))
        talk.put(a=BIG)
        talk.put(a="between")
        talk.put(a=BIG, b=BIG)
        fork.put(a=BIG)
        assert ledger_of(root).read_bytes().count(BIG.encode()) == 1
        for looking in (saver, reopened(root)):
            assert values_of(looking) == [
                {"a": "start"},
                {"a": BIG},
                {"a": "between"},
                {"a": BIG, "b": BIG},
                {"a": BIG},
            ]

    def test_it_is_written_once_also_after_a_restart(self, root: Path) -> None:
        with LedgerSaver(root) as saver:
            talk = Talk(saver)
            talk.put(a=BIG)
        with reopened(root) as again:
            talk.saver = again
            talk.put(a="x")
            talk.put(a=BIG)
        assert ledger_of(root).read_bytes().count(BIG.encode()) == 1


class TestGrown:
    def test_a_growing_list_is_stored_as_what_is_kept_and_what_is_new(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        items = [noise(300, at) for at in range(6)]
        for size in range(4, 7):
            talk.put(a=items[:size])
        last = stored(root, "a")[-1]["grown"]
        assert last["edit"] == {"keep": 5, "add": [items[5]]}
        assert last["from"] == {"line": 3, "at": "a"}
        assert values_of(saver) == [{"a": items[:size]} for size in range(4, 7)]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ({"k": noise(1200)}, {"k": noise(1200), "new": 1}),
            ({"k": noise(1200), "log": ["x" * 200]}, {"k": noise(1200), "log": ["x" * 200, "y"]}),
            ({"k": noise(1200), "gone": 1, "n": 1}, {"k": noise(1200), "n": 2}),
            (noise(2000), noise(2000) + " and more"),
            ([noise(100, at) for at in range(20)], [noise(100, at) for at in range(3, 21)]),
            ([noise(100, at) for at in range(20)], [noise(100, at) if at != 7 else "other" for at in range(20)]),
            ([HumanMessage(noise(1400), id="1")], [HumanMessage(noise(1400), id="1"), HumanMessage("b", id="2")]),
            ([{"id": 1, "text": noise(1200), "done": False}], [{"id": 1, "text": noise(1200), "done": True}]),
        ],
        ids=["map", "nested", "dropped", "text", "window", "changed", "messages", "deep"],
    )
    def test_other_ways_of_changing_little(self, saver: LedgerSaver, root: Path, before: Any, after: Any) -> None:
        talk = Talk(saver)
        talk.put(a=before)
        talk.put(a=after)
        assert [form(value) for value in stored(root, "a")][-1] == "grown"
        assert values_of(saver) == values_of(reopened(root)) == [{"a": before}, {"a": after}]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ([1] * 600, [True] * 600),
            ([0.0] * 600, [-0.0] * 600),
            ([1] * 600, [1.0] * 600),
            ({"a": 1, "b": noise(1200)}, {"b": noise(1200), "a": 1}),
            ([noise(1200)], [noise(1200, 1)]),
            (noise(2000), b"bytes" * 400),
        ],
        ids=["bool", "minus zero", "float", "order", "nothing kept", "bytes"],
    )
    def test_what_only_looks_alike_is_stored_in_full(
        self, saver: LedgerSaver, root: Path, before: Any, after: Any
    ) -> None:
        talk = Talk(saver)
        talk.put(a=before)
        talk.put(a=after)
        assert "grown" not in stored(root, "a")[-1]
        assert repr(values_of(saver)) == repr([{"a": before}, {"a": after}])

    def test_the_way_back_to_a_full_copy_is_short(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        items: list[str] = []
        for at in range(200):
            items.append(noise(120, at))
            talk.put(a=list(items))
        at_line = {line["number"]: line["values"]["a"] for line in lines_of(root) if "values" in line}
        longest = 0
        for value in at_line.values():
            steps = 0
            while "grown" in value:
                value = at_line[value["grown"]["from"]["line"]]
                steps += 1
            longest = max(longest, steps)
        assert 0 < longest <= 31 * 2
        assert values_of(reopened(root))[-1] == {"a": items}

    def test_a_long_chat_costs_a_small_multiple_of_what_was_said(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        messages: list[HumanMessage] = []
        for at in range(150):
            messages.append(HumanMessage(noise(500, at), id=str(at)))
            talk.put(messages=list(messages), constant=BIG)
        assert ledger_of(root).stat().st_size < 4 * 150 * 900
        assert values_of(reopened(root))[-1]["messages"] == messages

    def test_a_fork_that_grows_differently_keeps_its_own(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        base = [noise(300, at) for at in range(5)]
        talk.put(a=base)
        fork = talk.branch()
        talk.put(a=[*base, "left"])
        fork.put(a=[*base, "right"])
        talk.put(a=[*base, "left", "more"])
        expected = [base, [*base, "left"], [*base, "right"], [*base, "left", "more"]]
        assert [found["a"] for found in values_of(reopened(root))] == expected

    def test_values_of_one_name_in_two_namespaces_do_not_mix(self, saver: LedgerSaver) -> None:
        one, two = Talk(saver, ns=""), Talk(saver, ns="sub")
        for size in range(4, 8):
            one.put(a=[noise(300, at) for at in range(size)])
            two.put(a=[noise(300, at + 50) for at in range(size)])
        assert two.newest().checkpoint["channel_values"]["a"][0] == noise(300, 50)

    def test_one_value_can_be_read_without_the_others(self, saver: LedgerSaver, root: Path) -> None:
        talk = Talk(saver)
        ids = [talk.put(a=[noise(300, at) for at in range(size)]) for size in range(4, 40)]
        found = reopened(root).get_tuple(config("t", id=ids[20]))
        assert found
        assert len(found.checkpoint["channel_values"]["a"]) == 24


leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, -0.0, 1.0]) | st.text("ab", max_size=3)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=20,
)


@given(trees, trees)
def test_an_edit_gives_the_new_tree_or_is_seen_not_to(old: Any, new: Any) -> None:
    old_text, new_text = orjson.dumps(old), orjson.dumps(new)
    made = apply_edit(old, edit_between(old, new))
    assert made == new
    assert orjson.dumps(old) == old_text
    found = smaller_edit(old_text, new_text)
    if found is not None:
        assert orjson.dumps(apply_edit(orjson.loads(old_text), orjson.loads(orjson.dumps(found)))) == new_text


class TestGoingOn:
    """A list that grows is read only where it is new; what is stored is the same as if it were read anew."""

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (["a" * 2000], ["b"]),
            (["a" * 2000], [HumanMessage("b", id="1")]),
            ([HumanMessage("a" * 2000, id="0")], ["b"]),
            ([HumanMessage("a" * 2000, id="0")], [{"$ext": 1}]),
            ([{"$ext": "a" * 2000}], [HumanMessage("b", id="1")]),
            (["a" * 200] * 15, ["b"] * 3),
            (["a"] * 65_534, ["b"] * 3),
            (["a" * 2000], [float("inf"), b"bytes", {1: 2}]),
        ],
        ids=["json", "json then object", "object then json", "tag in clear", "tag before", "fix", "16 bit", "odd"],
    )
    def test_it_comes_back(self, saver: LedgerSaver, root: Path, old: list[Any], new: list[Any]) -> None:
        talk = Talk(saver)
        talk.put(a=list(old))
        talk.put(a=[*old, *new])
        talk.put(a=[*old, *new, "last"])
        expected = [{"a": old}, {"a": [*old, *new]}, {"a": [*old, *new, "last"]}]
        assert values_of(saver) == values_of(reopened(root)) == expected

    def test_only_what_is_new_is_read(self, saver: LedgerSaver, monkeypatch: pytest.MonkeyPatch) -> None:
        read: list[int] = []
        whole = image.unpack
        monkeypatch.setattr(image, "unpack", lambda data: [read.append(len(data)), whole(data)][1])
        talk = Talk(saver)
        items = [HumanMessage(noise(1000, at), id=str(at)) for at in range(20)]
        talk.put(a=items)
        read.clear()
        talk.put(a=[*items, "new"])
        assert max(read) < 1000
