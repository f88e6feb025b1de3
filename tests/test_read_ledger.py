"""The reader in examples/ knows only the standard library and the format's document, and says what LedgerSaver says."""

from __future__ import annotations

import ast
import base64
import enum
import hashlib
import importlib.util
import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kit.images import values_of
from kit.ledgers import Talk, config, forget_acknowledged, ledger_of, lines_of, make_checkpoint, reopened
from kit.talking import chat
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base import WRITES_IDX_MAP
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from pydantic import BaseModel
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.lines import seal

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "read_ledger.py"
BIG = "constant " * 200


class Mood(enum.Enum):
    GOOD = "good"


class Step(BaseModel):
    name: str
    done: bool = False
    mood: Mood = Mood.GOOD


class State(BaseModel):
    steps: tuple[Step, ...] = ()
    at: datetime = datetime(2026, 1, 2, tzinfo=UTC)


def pipeline(talk: Talk) -> None:
    """A state of models that changes a little at each step."""
    for done in range(8):
        steps = tuple(Step(name=f"S{n} {BIG}", done=n < done) for n in range(5))
        talk.put(state=State(steps=steps), status="EXECUTE", run=uuid.UUID(int=7))


def conversation(talk: Talk) -> None:
    """A list that grows by messages, beside a text that does not change."""
    messages: list[Any] = []
    for turn in range(20):
        messages = [
            *messages,
            HumanMessage(f"question {turn} {'q' * 300}", id=f"h{turn}"),
            AIMessage("a", id=f"a{turn}"),
        ]
        talk.put(messages=messages, constant=BIG, copy=BIG)


def plain_growth(talk: Talk) -> None:
    """Lists, maps and texts that grow, lose their head and change inside."""
    for n in range(20):
        window = [f"{item} {BIG}" for item in range(n, n + 9)]
        map = {"kept": BIG, "inner": {"n": n, "big": BIG}, str(n): n}
        talk.put(log=[BIG, *range(n)], map=map, text=BIG + "x" * n, window=window)
        talk.put(log=[{"n": n, "big": BIG}, *range(n)])


def early_writes(talk: Talk) -> None:
    """Writes that come before their checkpoint, and values that are stored in them."""
    first = talk.put(a=0)
    talk.saver.put_writes(config("t", "", "later"), [("a", BIG), (next(iter(WRITES_IDX_MAP)), "e")], "task")
    talk.write(("a", [BIG, BIG]))
    talk.put(id="later", a=BIG)
    assert first


def forks(talk: Talk) -> None:
    """Two branches, one of them left, and a namespace of its own."""
    talk.put(a=[BIG, 0], b="base")
    other = talk.branch()
    talk.put(a=[BIG, 0, 1])
    other.put(a=[BIG, 0, 2])
    talk.put(a=[BIG, 0, 1, 3])
    Talk(talk.saver, ns="child:1").put(a="not of the root")
    other.put(b="fork")


def collisions(talk: Talk) -> None:
    """One version of a channel with two values, as savers of others make on forks."""
    for id, value in (("1", "one"), ("2", "two")):
        made = make_checkpoint({"a": value}, {"a": 7}, id)
        talk.saver.put(config("t"), made, {"step": 0}, {"a": 7})


def odd_values(talk: Talk) -> None:
    """What JSON cannot say, keys that look like tags, channels that become empty."""
    keys = {1: "one", "$ext": 2}
    talk.put(nan=float("nan"), raw=b"\x00\xff", inner=[b"x", float("-inf")], keys=keys, out=1, none=None)
    talk.put(gone=["out"], tagged={"$bytes": "no tag"})


THREADS = [pipeline, conversation, plain_growth, early_writes, forks, collisions, odd_values]


class Reversed:
    """A cipher for tests."""

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        return "reversed", plaintext[::-1]

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        return ciphertext[::-1]


def make(root: Path, build: Callable[[Talk], None]) -> Path:
    with LedgerSaver(root) as saver:
        build(Talk(saver))
    return ledger_of(root)


def as_json(value: Any) -> Any:
    """What a person would write for a value of Python."""
    match value:
        case BaseModel():
            return {name: as_json(getattr(value, name)) for name in type(value).model_fields}
        case dict():
            return {str(key): as_json(item) for key, item in value.items()}
        case list() | tuple():
            return [as_json(item) for item in value]
        case enum.Enum():
            return value.value
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return value.isoformat()
        case uuid.UUID():
            return value.hex
        case float() if value != value or value in (float("inf"), float("-inf")):
            return "nan" if value != value else "inf" if value > 0 else "-inf"
        case _:
            return value


def read(path: Path) -> subprocess.CompletedProcess[str]:
    """In a process that finds no installed package."""
    return subprocess.run([sys.executable, "-I", "-S", SCRIPT, path], capture_output=True, text=True, timeout=60)


def shown(ran: subprocess.CompletedProcess[str]) -> Any:
    assert (ran.returncode, ran.stderr) == (0, "")
    return values_of(json.loads(ran.stdout[ran.stdout.index("\n{") :]))


@pytest.fixture(scope="module")
def reader() -> Any:
    spec = importlib.util.spec_from_file_location("read_ledger", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("build", THREADS, ids=lambda build: build.__name__)
class TestWhole:
    def test_the_newest_values_are_those_of_the_saver(self, tmp_path: Path, build: Any) -> None:
        found = reopened(make(tmp_path, build).parents[1]).get_tuple(config("t"))
        assert found
        assert shown(read(ledger_of(tmp_path))) == as_json(found.checkpoint["channel_values"])

    def test_every_checkpoint_has_the_values_that_the_saver_gives_it(
        self, tmp_path: Path, build: Any, reader: Any
    ) -> None:
        lines = reader.read(make(tmp_path, build))
        by_id = {(line["ns"], line["id"]): line for line in lines if line["kind"] == "checkpoint"}
        tuples = list(reopened(tmp_path).list(config("t", None)))
        assert len(tuples) == len(by_id)
        for found in tuples:
            at = found.config["configurable"]
            line = by_id[at["checkpoint_ns"], at["checkpoint_id"]]
            values = values_of(reader.state(lines, line))
            assert values == as_json(found.checkpoint["channel_values"])

    def test_checkpoints_are_printed_in_the_order_of_the_ledger(self, tmp_path: Path, build: Any) -> None:
        printed = read(make(tmp_path, build)).stdout
        ids = [line["id"] for line in lines_of(tmp_path) if line["kind"] == "checkpoint"]
        assert [line.split()[3].rstrip(",") for line in printed.splitlines() if line.startswith("line ")] == ids


def test_it_has_at_most_sixty_lines_of_code() -> None:
    source = SCRIPT.read_text()
    documented = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Module | ast.FunctionDef)]
    words = {n for node in documented for n in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)}
    code = [line for number, line in enumerate(source.splitlines(), 1) if line.strip() and number not in words]
    assert len(code) <= 60


def test_the_threads_above_hold_every_form_of_a_value(tmp_path: Path) -> None:
    forms: set[str] = set()
    for number, build in enumerate(THREADS):
        make(tmp_path / str(number), build)
        for line in lines_of(tmp_path / str(number)):
            for value in [*line.get("values", {}).values(), *line.get("writes", [])]:
                forms |= {"json", "msgpack", "base64", "same", "grown", "empty"} & value.keys()
                forms |= {f"edit {part}" for part in value.get("grown", {}).get("edit", {})}
    edits = {f"edit {part}" for part in ("keep", "add", "change", "skip", "drop", "set")}
    assert forms >= {"json", "msgpack", "base64", "same", "grown", *edits}


def test_a_pruned_thread_reads_the_same(tmp_path: Path) -> None:
    with LedgerSaver(tmp_path) as saver:
        graph = chat(saver)
        for turn in range(5):
            graph.invoke({"messages": [HumanMessage(f"{turn} {BIG}")], "turns": 0}, config("t"))
        before = shown(read(ledger_of(tmp_path)))
        saver.prune(["t"])
    assert shown(read(ledger_of(tmp_path))) == before


def test_an_empty_channel_is_not_shown(tmp_path: Path) -> None:
    with LedgerSaver(tmp_path) as saver:
        talk = Talk(saver)
        talk.put(a=1, b=2)
        talk.put(gone=["a"])
    assert shown(read(ledger_of(tmp_path))) == {"b": 2}


def test_of_an_encrypted_ledger_the_checkpoints_are_listed(tmp_path: Path) -> None:
    with LedgerSaver(tmp_path, serde=EncryptedSerializer(Reversed())) as saver:
        id = Talk(saver).put(a="secret")
    ran = read(ledger_of(tmp_path))
    assert (ran.returncode, ran.stdout) == (0, f"line 2: checkpoint {id}, parent None, namespace ''\n")


def damage(path: Path, edit: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(edit(path.read_bytes().splitlines(keepends=True))))


def small(root: Path) -> Path:
    """A ledger of six lines: open, four checkpoints, released lease."""
    with LedgerSaver(root) as saver:
        talk = Talk(saver)
        for value in range(4):
            talk.put(a=value)
    return ledger_of(root)


def refused_at(reader: Any, path: Path) -> int:
    """The line of the complaint."""
    with pytest.raises(SystemExit) as ended:
        reader.read(path)
    told = str(ended.value)
    assert told.startswith(f"{path}:")
    return int(told.removeprefix(f"{path}:").partition(":")[0])


class TestDamaged:
    def test_the_exit_code_is_1_and_the_line_is_named(self, tmp_path: Path) -> None:
        path = small(tmp_path)
        damage(path, lambda lines: [*lines[:2], lines[2].replace(b"checkpoint", b"checkpoinT"), *lines[3:]])
        ran = read(path)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert f"{path}:3: " in ran.stderr

    def test_a_flipped_bit_anywhere_in_acknowledged_lines_is_found(self, tmp_path: Path, reader: Any) -> None:
        path = small(tmp_path)
        whole = path.read_bytes()
        for at in range(0, len(whole), 5):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
            assert refused_at(reader, path) == whole[:at].count(b"\n") + 1

    def test_a_cut_anywhere_into_acknowledged_lines_is_found(self, tmp_path: Path, reader: Any) -> None:
        path = small(tmp_path)
        whole = path.read_bytes()
        for end in range(0, len(whole), 5):
            path.write_bytes(whole[:end])
            assert refused_at(reader, path) == whole[:end].count(b"\n") + 1

    @pytest.mark.parametrize("acknowledged", [True, False])
    @pytest.mark.parametrize(
        ("name", "edit", "line"),
        [
            ("missing", lambda lines: [*lines[:2], *lines[3:]], 3),
            ("repeated", lambda lines: [*lines[:3], *lines[2:]], 4),
            ("swapped", lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], 3),
            ("the newline but one lost", lambda lines: [*lines[:4], lines[4][:-1] + b"x", lines[5]], 5),
            ("first one missing", lambda lines: lines[1:], 1),
        ],
    )
    def test_an_edited_ledger_is_refused_where_the_saver_refuses_it(
        self, tmp_path: Path, reader: Any, name: str, edit: Any, line: int, acknowledged: bool
    ) -> None:
        path = small(tmp_path)
        damage(path, edit)
        if not acknowledged:
            forget_acknowledged(tmp_path)
        assert refused_at(reader, path) == line

    def test_a_line_that_was_edited_and_sealed_anew_is_found_by_the_next(self, tmp_path: Path, reader: Any) -> None:
        path = small(tmp_path)
        lines = path.read_bytes().splitlines(keepends=True)
        line = json.loads(lines[2]) | {"parent": "another"}
        del line["check"]
        path.write_bytes(b"".join([*lines[:2], seal(line), *lines[3:]]))
        assert refused_at(reader, path) == 4

    def test_a_torn_tail_is_left_out(self, tmp_path: Path, reader: Any) -> None:
        path = small(tmp_path)
        forget_acknowledged(tmp_path)
        whole = path.read_bytes()
        last = whole.rindex(b"\n", 0, -1) + 1
        for end in range(last, len(whole), 5):
            path.write_bytes(whole[:end])
            assert [line["number"] for line in reader.read(path)] == [1, 2, 3, 4, 5]

    def test_the_watermark_of_another_ledger_says_nothing(self, tmp_path: Path, reader: Any) -> None:
        path = small(tmp_path)
        mark = json.loads(path.with_name("watermark").read_bytes())
        other = {**mark, "line": 99, "genesis": hashlib.sha256(b"another").hexdigest()}
        del other["check"]
        path.with_name("watermark").write_bytes(seal(other))
        assert len(reader.read(path)) == 6

    def test_a_line_of_a_newer_version_is_refused(self, tmp_path: Path, reader: Any) -> None:
        path = small(tmp_path)
        lines = path.read_bytes().splitlines(keepends=True)
        newer = json.loads(lines[-1]) | {"number": 7, "kind": "riddle", "prev": hashlib.sha256(lines[-1]).hexdigest()}
        del newer["check"]
        path.write_bytes(b"".join([*lines, seal(newer)]))
        assert refused_at(reader, path) == 7
