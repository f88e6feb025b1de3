"""The files for people: what they show, and that nothing depends on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kit.ledgers import Talk, config, ledger_of, make_checkpoint, reopened, values_of
from kit.waiting import wait_for
from langchain_core.messages import HumanMessage
from waypost.checkpointing import LedgerSaver


def state(root: Path) -> dict[str, Any]:
    LedgerSaver(root).write_mirrors("t")
    return json.loads((ledger_of(root).parent / "pipeline_state.json").read_text())


def snapshots(root: Path) -> list[str]:
    LedgerSaver(root).write_mirrors("t")
    return sorted(path.name for path in (ledger_of(root).parent / "snapshots").iterdir())


def snapshot(root: Path, name: str) -> dict[str, Any]:
    LedgerSaver(root).write_mirrors("t")
    return json.loads((ledger_of(root).parent / "snapshots" / name).read_text())


def step(saver: LedgerSaver, number: int, seen: dict[str, Any], source: str = "loop", **values: Any) -> None:
    """A checkpoint as Pregel puts it: what each node has seen decides which of them ran."""
    newest = saver.get_tuple(config("t"))
    parent = newest.config["configurable"].get("checkpoint_id") if newest else None
    versions = (newest.checkpoint["channel_versions"] if newest else {}) | dict.fromkeys(values, f"v{number}")
    held = (newest.checkpoint["channel_values"] if newest else {}) | values
    made = make_checkpoint(held, versions) | {"versions_seen": seen}
    new = dict.fromkeys(values, f"v{number}")
    saver.put(config("t", id=parent), made, {"source": source, "step": number}, new)


def test_the_newest_state_stands_beside_the_ledger_in_plain_json(saver: LedgerSaver, root: Path) -> None:
    talk = Talk(saver)
    talk.put(a=1, message=HumanMessage("hello", id="m"))
    id = talk.put(a=2)
    shown = state(root)
    head = saver.head("t")
    assert (shown["thread_id"], shown["checkpoint_id"], shown["step"]) == ("t", id, 0)
    assert shown["ledger"] == {"line": head.lines, "bytes": head.bytes, "sha256": head.sha256}
    assert shown["values"]["a"] == 2
    assert shown["values"]["message"]["content"] == "hello"
    assert "$ext" not in json.dumps(shown)


def test_it_is_indented_for_people(saver: LedgerSaver, root: Path) -> None:
    Talk(saver).put(a={"b": 1})
    saver.write_mirrors("t")
    assert '\n    "a": {\n      "b": 1\n    }' in (ledger_of(root).parent / "pipeline_state.json").read_text()


def test_a_channel_that_became_empty_is_not_shown(saver: LedgerSaver, root: Path) -> None:
    step(saver, 0, {}, a=1, b=2)
    newest = saver.get_tuple(config("t"))
    assert newest
    made = make_checkpoint({"b": 2}, newest.checkpoint["channel_versions"] | {"a": "9"})
    saver.put(newest.config, made, {"step": 1}, {"a": "9"})
    assert state(root)["values"] == {"b": 2}


def test_each_step_leaves_a_snapshot_named_by_step_and_nodes(saver: LedgerSaver, root: Path) -> None:
    step(saver, -1, {"__input__": {}}, "input", __start__={"x": 1})
    step(saver, 0, {"__start__": {"__start__": 1}}, x=1)
    step(saver, 1, {"__start__": {"__start__": 1}, "verify": {"x": 1}, "__interrupt__": {"x": 1}}, x=2)
    both = {"__start__": {"__start__": 1}, "verify": {"x": 1}, "a/b": {"x": 2}, "c": {"x": 2}}
    step(saver, 2, both, x=3)
    step(saver, 3, both, "update", x=4)
    assert snapshots(root) == [
        "0000-input.json",
        "0000-start.json",
        "0001-verify.json",
        "0002-a-b+c.json",
        "0003-update.json",
    ]


def test_a_snapshot_shows_only_what_changed(saver: LedgerSaver, root: Path) -> None:
    step(saver, 0, {}, big="x" * 5000, small=1)
    step(saver, 1, {"n": {"small": 1}}, small=2)
    shown = snapshot(root, "0001-n.json")
    assert shown["values"] == {"small": 2}
    assert shown["ledger"]["line"] == 3


def test_a_snapshot_of_a_grown_list_shows_what_is_new(saver: LedgerSaver, root: Path) -> None:
    items = ["x" * 400 for _ in range(5)]
    step(saver, 0, {}, a=items)
    step(saver, 1, {"n": {"a": 1}}, a=[*items, "new"])
    shown = snapshot(root, "0001-n.json")
    assert shown["values"] == {"a": {"kept": 5, "new": ["new"]}}
    assert state(root)["values"] == {"a": [*items, "new"]}


def test_a_snapshot_of_a_grown_dict_shows_what_is_new(saver: LedgerSaver, root: Path) -> None:
    items = {str(at): "x" * 400 for at in range(5)}
    step(saver, 0, {}, a=items)
    step(saver, 1, {"n": {"a": 1}}, a={**items, "n": "new"})
    shown = snapshot(root, "0001-n.json")
    assert shown["values"] == {"a": {"kept": 5, "new": {"n": "new"}}}
    assert state(root)["values"] == {"a": {**items, "n": "new"}}


def test_after_a_restart_the_state_is_whole(root: Path) -> None:
    with reopened(root) as saver:
        step(saver, 0, {"n": {"a": 0}}, a=1, b=[2])
    with reopened(root) as saver:
        step(saver, 1, {"n": {"a": 0}, "m": {"a": 1}}, a=3)
    assert state(root)["values"] == {"a": 3, "b": [2]}
    assert snapshots(root)[-1] == "0001-m.json"


def test_other_namespaces_are_not_shown(saver: LedgerSaver, root: Path) -> None:
    Talk(saver).put(a="root")
    Talk(saver, ns="sub").put(a="sub")
    assert state(root)["values"] == {"a": "root"}


def test_mirrors_follow_a_prune_and_show_nothing_that_is_gone(saver: LedgerSaver, root: Path) -> None:
    talk = Talk(saver)
    talk.put(a="old secret")
    talk.put(a="new")
    saver.prune(["t"])
    assert state(root)["values"] == {"a": "new"}
    texts = [path.read_text() for path in ledger_of(root).parent.rglob("*") if path.is_file()]
    assert not any("old secret" in text for text in texts)


def test_without_mirrors_there_is_only_the_ledger(root: Path) -> None:
    with LedgerSaver(root, mirror=False) as saver:
        Talk(saver).put(a=1)
    assert sorted(path.name for path in ledger_of(root).parent.iterdir()) == ["ledger.jsonl", "lock", "watermark"]


def test_nothing_is_ever_read_from_them(saver: LedgerSaver, root: Path) -> None:
    Talk(saver).put(a=1)
    (ledger_of(root).parent / "pipeline_state.json").write_text("{}")
    assert values_of(reopened(root)) == [{"a": 1}]


@pytest.mark.parametrize("step_number", [None, "x", 10**9])
def test_odd_metadata_does_no_harm(saver: LedgerSaver, step_number: Any) -> None:
    saver.put(config("t"), make_checkpoint({"a": 1}, {"a": "1"}), {"step": step_number}, {"a": "1"})
    assert values_of(saver) == [{"a": 1}]


def state_file(root: Path) -> Path:
    return ledger_of(root).parent / "pipeline_state.json"


def test_of_states_that_follow_each_other_at_once_the_last_one_is_shown_a_moment_later(
    saver: LedgerSaver, root: Path
) -> None:
    talk = Talk(saver)
    for number in range(20):
        talk.put(a=number)
    wait_for(state_file(root).exists)
    assert json.loads(state_file(root).read_text())["values"] == {"a": 19}


def in_another_process(root: Path, what: str) -> int:
    """The exit code of a process that has a `talk` on the ledger and does `what`."""
    imports = "import os, sys; from kit.ledgers import Talk; from waypost.checkpointing import LedgerSaver"
    program = f"{imports}; talk = Talk(LedgerSaver(sys.argv[1])); {what}"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.run([sys.executable, "-c", program, root], env=env, check=False).returncode


def test_what_a_killed_process_could_not_show_is_shown_when_it_is_asked_for(root: Path) -> None:
    assert in_another_process(root, "talk.put(a=1); os.kill(os.getpid(), 9)") == -9
    assert not state_file(root).exists()
    LedgerSaver(root, read_only=True).write_mirrors("t")
    assert not state_file(root).exists()
    LedgerSaver(root).write_mirrors("t")
    assert json.loads(state_file(root).read_text())["values"] == {"a": 1}


def test_of_a_damaged_ledger_nothing_is_shown_and_nothing_said(damaged_root: Path) -> None:
    with reopened(damaged_root) as saver:
        Talk(saver).put(a=1)
    state_file(damaged_root).unlink()
    ledger = ledger_of(damaged_root)
    ledger.write_bytes(ledger.read_bytes().replace(b'"a"', b'"b"', 1))
    reopened(damaged_root).write_mirrors("t")
    assert not state_file(damaged_root).exists()


def test_a_thread_that_is_not_there_is_not_made_to_show_it(root: Path) -> None:
    LedgerSaver(root).write_mirrors("none")
    assert not root.exists()


def test_a_state_that_waits_is_written_when_the_thread_is_released(root: Path) -> None:
    with reopened(root) as saver:
        talk = Talk(saver)
        talk.put(a=1)
        talk.put(a=2)
    assert json.loads(state_file(root).read_text())["values"] == {"a": 2}


def test_a_state_that_waits_is_written_when_the_process_ends(root: Path) -> None:
    assert in_another_process(root, "talk.put(a=1); talk.put(a=2)") == 0
    assert json.loads(state_file(root).read_text())["values"] == {"a": 2}


def test_a_state_that_waits_does_not_come_back_after_its_thread_was_deleted(saver: LedgerSaver, root: Path) -> None:
    talk = Talk(saver)
    talk.put(a=1)
    talk.put(a=2)
    saver.delete_thread("t")
    saver.write_mirrors("t")
    assert not list(root.glob("*/pipeline_state.json*"))
