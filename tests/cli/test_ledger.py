"""`waypost ledger show` and `diff` of any thread: what a person sees, what a script gets, what is never done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import termios
import zlib
from pathlib import Path
from typing import Any

import pytest
from kit.cli import command, environment, waypost_here
from kit.ledgers import Talk, config, forget_acknowledged, ledger_of, run_python
from kit.looking import ODD, ledger, refused, show, two_threads
from kit.talking import chat
from kit.threads import Item, Reversed, deltas, subgraphs
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.differences import changes

__all__ = ["two_threads"]


def deep(depth: int) -> Any:
    return [deep(depth - 1)] if depth else "end"


def repr_short(item: object) -> str:
    return repr(item)[:40]


class TestShow:
    def test_a_table_has_a_line_for_each_checkpoint_in_the_order_of_the_ledger(self, runs: Path) -> None:
        heading, columns, *rows = show(runs, "t").out.splitlines()
        assert heading == "thread t: 5 checkpoints"
        assert columns.split() == ["line", "step", "nodes", "source", "id", "time", "changed"]
        told = [(row.split()[1], row.split()[2], row.split()[-1]) for row in rows[1:]]
        assert told == [
            ("0", "__start__", "+log"),
            ("1", "start", "~log"),
            ("2", "work", "~log"),
            ("3", "ask", "+answer"),
        ]

    def test_json_says_the_same_and_all_channels(self, runs: Path) -> None:
        events = show(runs, "t", "--json").events
        assert [event["step"] for event in events] == [-1, 0, 1, 2, 3]
        assert [event["nodes"] for event in events] == [[], ["__start__"], ["start"], ["work"], ["ask"]]
        assert events[2]["changed"] == {"log": "changed", "branch:to:start": "emptied", "__pregel_tasks": "added"}
        assert [event["parent"] for event in events] == [None, *(event["id"] for event in events[:-1])]

    @pytest.mark.parametrize(
        "choice", [("--latest",), ("--step", "3"), ("--checkpoint", "{id}"), ("--checkpoint", "{short}")]
    )
    def test_a_chosen_checkpoint_is_shown_with_its_values_as_json(self, runs: Path, choice: tuple[str, ...]) -> None:
        id = show(runs, "t", "--json").events[-1]["id"]
        out = show(runs, "t", *(word.format(id=id, short=id[:19]) for word in choice)).out
        assert json.loads(out[out.index("{\n") :]) == {"log": ["start", "did 0", "did 1", "did 2"], "answer": "yes"}
        assert f"checkpoint  {id} (line " in out
        assert "nodes       ask" in out

    def test_the_step_before_the_first_can_be_chosen(self, runs: Path) -> None:
        assert show(runs, "t", "--step", "-1", "--json").events[0]["source"] == "input"

    def test_in_json_a_checkpoint_has_values_metadata_and_writes(self, runs: Path) -> None:
        (event,) = show(runs, "t", "--step", "2", "--writes", "--json").events
        assert event["values"]["log"] == ["start", "did 0", "did 1", "did 2"]
        assert event["metadata"]["source"] == "loop"
        assert [(write["channel"], write["value"]) for write in event["writes"]][-1] == ("answer", "yes")

    def test_with_writes_each_stands_below_its_checkpoint(self, runs: Path) -> None:
        rows = show(runs, "t", "--writes").out.splitlines()
        at = next(number for number, row in enumerate(rows) if row.split()[1:3] == ["1", "start"])
        below = rows[at + 1 : at + 7]
        assert [row.split(": ", 1)[1] for row in below if "log" in row] == [f'log = ["did {n}"]' for n in range(3)]

    def test_the_end_of_a_big_value_is_left_out_of_a_line(self, runs: Path) -> None:
        with LedgerSaver(runs) as saver:
            talk = Talk(saver, "big")
            talk.put(a=2)
            talk.write(("a", "y" * 5000))
        row = show(runs, "big", "--latest", "--writes").out.splitlines()[-1]
        assert len(row) < 200
        assert row.endswith("… (5002 characters)")

    def test_subgraphs_are_told_by_their_namespace(self, runs: Path) -> None:
        with LedgerSaver(runs / "sub") as saver:
            subgraphs(saver)
        _, columns, *rows = show(runs / "sub", "t").out.splitlines()
        assert columns.split()[-1] == "namespace"
        assert [row.split()[-1] for row in rows].count("sub") == 6
        assert show(runs / "sub", "t", "--step", "1", "--json").events[0]["ns"] == ""

    def test_a_channel_that_is_rebuilt_from_writes_counts_as_changed(self, runs: Path) -> None:
        with LedgerSaver(runs / "deltas") as saver:
            deltas(saver)
        assert {event["changed"].get("items") for event in show(runs / "deltas", "t", "--json").events} == {
            None,
            "added",
            "changed",
        }

    def test_of_an_encrypted_thread_the_keys_are_shown(self, runs: Path) -> None:
        with LedgerSaver(runs, serde=EncryptedSerializer(Reversed())) as saver:
            talk = Talk(saver, "sealed")
            id = talk.put(secret="hidden")
            talk.write(("secret", "hidden"))
        out = show(runs, "sealed", "--writes").out + show(runs, "sealed", "--latest", "--writes").out
        out += ledger(runs, "tail", "sealed").out
        assert id in out
        assert "encrypted (reversed): only the keys can be read" in out
        assert "<msgpack+reversed: " in out
        assert not [word for word in ("hidden", "secret") if word in out]


class TestChoosing:
    def test_a_step_of_two_branches_is_no_choice(self, runs: Path) -> None:
        refused(
            ledger(runs, "show", ODD, "--step", "0"), "2 times a checkpoint of step 0", "aa-2 (line 3); ab-2 (line 4)"
        )

    def test_nor_is_a_beginning_of_several_ids(self, runs: Path) -> None:
        refused(ledger(runs, "show", ODD, "--checkpoint", "aa"), "2 times a checkpoint aa", "aa-1", "aa-2")

    @pytest.mark.parametrize("choice", [("--step", "99"), ("--checkpoint", "zz"), ("--checkpoint", "\x1b")])
    def test_what_is_not_there_is_told(self, runs: Path, choice: tuple[str, str]) -> None:
        refused(ledger(runs, "show", "t", *choice), "run t has no checkpoint")

    def test_two_choices_are_wrong_usage(self, runs: Path) -> None:
        assert ledger(runs, "show", "t", "--latest", "--step", "1").code == 2

    @pytest.mark.parametrize("verb", [("show",), ("tail",), ("diff", "1")])
    def test_a_thread_that_is_not_there_is_told_with_those_that_are(self, runs: Path, verb: tuple[str, ...]) -> None:
        ran = ledger(runs, verb[0], "nobody", *verb[1:])
        refused(ran, "there is no run nobody in", "chat 1/ä\\x1b[31m\\n, t")

    @pytest.mark.parametrize("id", ["../runs/t", "x" * 600, "a\0b", "/etc", "..", ""])
    def test_no_id_leads_out_of_the_folder(self, runs: Path, id: str) -> None:
        assert ledger(runs, "show", id).code == 2

    def test_a_deleted_thread_is_not_there(self, runs: Path) -> None:
        with LedgerSaver(runs) as saver:
            saver.delete_thread("t")
        refused(ledger(runs, "show", "t"), "there is no run t")

    @pytest.mark.parametrize("verb", [("show",), ("tail",), ("diff", "1")])
    def test_damage_is_told_with_its_line_and_exit_code_2(self, runs: Path, verb: tuple[str, ...]) -> None:
        path = ledger_of(runs)
        path.write_bytes(path.read_bytes().replace(b"did 1", b"did X", 1))
        refused(ledger(runs, verb[0], "t", *verb[1:]), f"{path}:")
        assert ledger(runs, verb[0], "t", *verb[1:], "--json").result["exit_code"] == 2


class TestDiff:
    def test_what_came_what_changed_and_what_went(self, runs: Path) -> None:
        old, new, *rows = ledger(runs, "diff", ODD, "aa-2", "ab-2").out.splitlines()
        assert old.startswith("--- step 0  aa-2  ")
        assert new.startswith("+++ step 0  ab-2  ")
        assert rows == ["~ a: 2 -> 3", f'- big: "{"x" * 99}… (5002 characters)']

    def test_without_a_second_checkpoint_it_is_compared_with_the_newest(self, runs: Path) -> None:
        rows = ledger(runs, "diff", "t", "1").out.splitlines()[2:]
        assert rows == ['+ log[1]: "did 0"', '+ log[2]: "did 1"', '+ log[3]: "did 2"', '+ answer: "yes"']

    def test_a_step_before_the_first_is_no_option(self, runs: Path) -> None:
        assert ledger(runs, "diff", "t", "-1", "0").out.splitlines()[2:] == ["+ log: []"]

    def test_json_has_whole_values(self, runs: Path) -> None:
        assert ledger(runs, "diff", ODD, "aa-2", "ab-2", "--json").events == [
            {"change": "changed", "path": "a", "old": 2, "new": 3},
            {"change": "removed", "path": "big", "old": "x" * 5000},
        ]

    def test_a_checkpoint_does_not_differ_from_itself(self, runs: Path) -> None:
        assert ledger(runs, "diff", ODD, "aa-2", "aa-2", "--json").out == ""

    def test_models_are_compared_field_by_field(self, runs: Path) -> None:
        with LedgerSaver(runs) as saver:
            talk = Talk(saver, "m")
            talk.put(items=[Item(name="one"), Item(name="two")])
            talk.put(items=[Item(name="one"), Item(name="three")])
        assert ledger(runs, "diff", "m", "-1", "0").out.splitlines()[2:] == ['~ items[1].name: "two" -> "three"']

    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            ({"a": 1}, {"a": True}, [("changed", "a", 1, True)]),
            ({"a": 1}, {"a": 1.0}, [("changed", "a", 1, 1.0)]),
            ([1, 2, 3], [2, 3, 4], [("removed", "[0]", 1, None), ("added", "[2]", None, 4)]),
            ([1, 2, 3], [1, 9, 3], [("changed", "[1]", 2, 9)]),
            ([[1], [2]], [[1], [2, 3]], [("added", "[1][1]", None, 3)]),
            ({"a b": 1, "c": 2}, {"a b": 2, "c": 2}, [("changed", '["a b"]', 1, 2)]),
            ({"a": {"b": [1]}}, {"a": {"b": {"0": 1}}}, [("changed", "a.b", [1], {"0": 1})]),
            ({"a": None}, {}, [("removed", "a", None, None)]),
            ([*range(1000)], [*range(1, 1001)], [("removed", "[0]", 0, None), ("added", "[999]", None, 1000)]),
        ],
    )
    def test_the_places_that_differ(self, old: Any, new: Any, told: list[Any]) -> None:
        assert [tuple(change) for change in changes(old, new)] == told

    def test_long_lists_of_what_is_there_often_are_compared_by_position(self) -> None:
        told = [*changes([0, 1] * 1500, [1, 0] * 1500)]
        assert [change.path for change in told] == [f"[{at}]" for at in range(3000)]


class TestHarmless:
    COMMANDS = (("show", ODD), ("show", ODD, "--writes"), ("tail", ODD), ("diff", ODD, "aa-1", "aa-2"))

    @pytest.mark.parametrize("arguments", COMMANDS)
    def test_nothing_steers_the_terminal(self, runs: Path, arguments: tuple[str, ...]) -> None:
        out = ledger(runs, *arguments).out
        assert not [character for character in out if not character.isprintable() and character != "\n"]

    def test_nor_does_a_value_of_a_chosen_checkpoint(self, runs: Path) -> None:
        with LedgerSaver(runs) as saver:
            Talk(saver, "evil").put(**{"a\x1b": "\x1b[2J\u202e\x9b", "b": {"\x07": 1}})
        out = show(runs, "evil", "--latest").out
        assert not {"\x1b", "\u202e", "\x9b", "\x07"} & set(out)

    @pytest.mark.parametrize("json", [(), ("--json",)])
    def test_nothing_on_disk_changes(self, runs: Path, json: tuple[str, ...]) -> None:
        def pictures() -> dict[Path, Any]:
            return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in [runs, *runs.rglob("*")]}

        (ledger_of(runs).parent / "watermark").unlink()
        before = pictures()
        for arguments in self.COMMANDS:
            assert ledger(runs, *arguments, *json).code == 0
            assert ledger(runs, arguments[0], "t", *(["1"] if arguments[0] == "diff" else [])).code == 0
        assert pictures() == before

    def test_no_module_is_imported_to_show_its_objects(self, runs: Path, tmp_path: Path) -> None:
        (tmp_path / "theirs.py").write_text("from pydantic import BaseModel\nclass Mine(BaseModel):\n    x: int\n")
        script = (
            "import sys; from kit.ledgers import Talk; from theirs import Mine; from waypost import LedgerSaver\n"
            "Talk(LedgerSaver(sys.argv[1]), 'theirs').put(a=Mine(x=7))"
        )
        assert run_python(script, runs, path=[tmp_path]).returncode == 0
        assert show(runs, "theirs", "--latest", "--json").events[0]["values"] == {"a": {"x": 7}}
        assert "theirs" not in sys.modules

    @pytest.mark.parametrize(
        ("key", "forged"),
        [
            ("values", {"a": {"version": "1", "json": deep(800)}}),
            ("values", {"a": {"version": "1", "msgpack": deep(800)}}),
            ("values", {"a": {"version": "1", "base64": "no base64", "type": "msgpack"}}),
            ("values", {"a": {"version": "1", "same": {"line": 2, "at": "a"}}}),
            ("body", {"json": {"channel_versions": ["a"]}}),
            ("body", {"json": {"channel_versions": {"a": []}}}),
            ("body", {"nothing": 1}),
            ("metadata", {"json": {"step": deep(3), "counters_since_delta_snapshot": 5}}),
        ],
        ids=repr_short,
    )
    @pytest.mark.parametrize("verb", [("show",), ("show", "--latest"), ("tail",), ("diff", "forged", "forged")])
    def test_a_forged_ledger_is_shown_or_refused(
        self, runs: Path, key: str, forged: Any, verb: tuple[str, ...]
    ) -> None:
        with LedgerSaver(runs, mirror=False) as saver:
            Talk(saver, "evil").put(id="forged", a=1)
        lines = ledger_of(runs, "evil").read_bytes().splitlines(keepends=True)[:2]
        line = json.loads(lines[1]) | {key: forged}
        if key == "values":
            line["body"]["json"]["channel_versions"] = {"a": "1"}
        del line["check"]
        head = json.dumps(line, separators=(",", ":")).encode()[:-1]
        ledger_of(runs, "evil").write_bytes(lines[0] + head + b',"check":"%08x"}\n' % zlib.crc32(head))
        forget_acknowledged(runs, "evil")
        ran = ledger(runs, verb[0], "evil", *verb[1:])
        assert ran.code in (0, 2)
        assert (ran.err == "") is (ran.code == 0)

    def test_a_living_run_can_be_looked_at(self, runs: Path) -> None:
        with LedgerSaver(runs) as saver:
            chat(saver).invoke({"messages": [HumanMessage("hi")], "turns": 0}, config("living"))
            ran = subprocess.run(
                command("ledger", "show", "living", "--latest", "--json", "--runs", runs),
                env=environment(),
                capture_output=True,
                text=True,
                timeout=60,
            )
        assert (ran.returncode, ran.stderr) == (0, "")
        assert json.loads(ran.stdout)["values"]["turns"] == 1


@pytest.mark.parametrize("verb", ["show", "tail", "diff", "import", "export"])
def test_help_has_an_example(runs: Path, verb: str) -> None:
    assert f"\n  waypost ledger {verb} " in waypost_here("ledger", verb, "--help", cwd=runs).out


def test_on_a_terminal_a_row_that_is_too_long_is_cut_and_in_a_pipe_it_is_whole(runs: Path) -> None:
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (24, 60))
    arguments = command("ledger", "show", "t", "--runs", runs)
    without = {name: value for name, value in environment().items() if name not in ("COLUMNS", "LINES")}
    subprocess.run(arguments, stdout=slave, env=without, check=True, timeout=60)
    os.close(slave)
    seen = os.read(master, 65536).decode().splitlines()
    os.close(master)
    assert max(map(len, seen)) == 60
    assert seen[2].endswith("…")
    assert max(map(len, show(runs, "t").out.splitlines())) > 60
