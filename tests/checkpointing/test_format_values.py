"""Section 3 of docs/ledger-format.md, looked at without our own reader: how values are stored and referred to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.ledgers import Talk, config, ledger_of, lines_of
from kit.threads import Reversed
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from waypost.checkpointing import LedgerSaver

FORMS = ("json", "msgpack", "base64")
BIG = "big " * 400


def stored(root: Path) -> Iterator[tuple[int, Any, dict[str, Any]]]:
    """Line, place and VALUE of all that is stored."""
    for line in lines_of(root):
        for at, value in line.get("values", {}).items():
            yield line["number"], at, value
        for at, value in enumerate(line.get("writes", [])):
            yield line["number"], at, value


def at(root: Path, address: dict[str, Any]) -> dict[str, Any]:
    line = lines_of(root)[address["line"] - 1]
    return line["values" if line["kind"] == "checkpoint" else "writes"][address["at"]]


@pytest.mark.parametrize(("text", "hashed"), [("x" * 1021, False), ("x" * 1022, True), ("ä" * 510, False)])
def test_a_value_has_its_hash_if_its_json_text_has_1024_bytes(
    saver: LedgerSaver, root: Path, text: str, hashed: bool
) -> None:
    Talk(saver).put(a=text)
    value = lines_of(root)[1]["values"]["a"]
    compact = json.dumps(text, ensure_ascii=False).encode()
    assert (len(compact) >= 1024) is hashed
    assert value.get("sha256") == (hashlib.sha256(b"json " + compact).hexdigest() if hashed else None)


@pytest.fixture
def busy(saver: LedgerSaver, root: Path) -> Iterator[Talk]:
    """A thread with values that stay, grow, come again in writes and on a fork; looked at again at the end."""
    talk = Talk(saver)
    items = [f"{number} {BIG}"[:300] for number in range(60)]
    for number in range(40):
        items.append(f"{number} {BIG}"[:300])
        talk.put(a=list(items), b=BIG, c={"inner": list(items)})
        talk.write(("a", BIG), ("c", {"inner": [*items, "x"]}))
        if number % 9 == 0:
            talk.branch().put(a=[*items, "fork"], d=list(items))
    yield talk
    assert len(list(stored(root))) > 50


def check_references(root: Path) -> None:
    for number, _, value in stored(root):
        assert sum(form in value for form in (*FORMS, "same", "grown", "empty")) == 1
        if "same" in value:
            assert value["same"]["line"] <= number
            assert "same" not in at(root, value["same"])
        if "grown" in value:
            assert value["grown"]["from"]["line"] < number


class TestReferences:
    def test_they_lead_back_and_same_never_to_another_same(self, busy: Talk, root: Path) -> None:
        check_references(root)

    def test_also_in_a_compacted_ledger(self, busy: Talk, root: Path) -> None:
        busy.saver.put(config("t"), busy.newest().checkpoint, {}, {})
        busy.saver.compact("t")
        check_references(root)

    def test_and_where_a_run_was_taken_out(self, busy: Talk, root: Path) -> None:
        for number in range(10):
            busy.put(metadata={"run_id": f"r{number}"}, a=[*busy.values["a"], f"{number}{BIG}"], e=BIG)
        busy.saver.delete_for_runs(["r0", "r4", "r5"])
        check_references(root)

    def test_a_change_starts_from_number_n_less_the_largest_power_of_32_that_divides_it(
        self, busy: Talk, root: Path
    ) -> None:
        grown = [value["grown"] for _, where, value in stored(root) if where == "a" and "grown" in value]
        assert max(change["nth"] for change in grown) > 32
        for change in grown:
            stride = 32 if change["nth"] % 32 == 0 else 1
            origin = at(root, change["from"])
            assert origin.get("grown", {"nth": 0})["nth"] == change["nth"] - stride


def test_a_value_of_1024_bytes_grows_if_that_saves_half(saver: LedgerSaver, root: Path) -> None:
    talk = Talk(saver)
    talk.put(a=["x" * 1200], b=["z" * 1200], c=["x" * 900])
    talk.put(a=["x" * 1200, "y" * 800], b=["z" * 1200, "y" * 1800], c=["x" * 900, "y"])
    second = lines_of(root)[2]["values"]
    assert [("grown" in second[name]) for name in "abc"] == [True, False, False]


def test_in_a_sealed_ledger_the_key_of_a_value_is_a_hash_of_namespace_channel_and_version(root: Path) -> None:
    with LedgerSaver(root, serde=EncryptedSerializer(Reversed())) as saver:
        talk = Talk(saver, ns="child:1")
        talk.put(a=1)
        version = talk.versions["a"]
    text = "\0".join(["child:1", "a", json.dumps(version)]).encode()
    (name,) = lines_of(root)[1]["values"]
    assert name == hashlib.sha256(text).hexdigest()[:32]
    assert lines_of(root)[1]["values"][name]["version"] is None
    assert b"+reversed" in ledger_of(root).read_bytes()
