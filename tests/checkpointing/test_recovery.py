"""What is found on disk after a crash, and what is made of it. Idea of the table: hashicorp/raft-wal's filer tests."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from kit.ledgers import Talk, config, forget_acknowledged, ledger_of, lines_of, make_checkpoint, reopened, values_of
from waypost.checkpointing import LedgerSaver, fsck
from waypost.checkpointing.disk import PosixDisk
from waypost.checkpointing.ledger import Ledger
from waypost.checkpointing.lines import seal
from waypost.state.errors import LedgerCorrupt

VALUES = [{"a": 0}, {"a": 1}, {"a": 2}, {"a": 3}]
Bytes = list[bytes]


def make(root: Path, count: int = 4) -> Bytes:
    """A ledger of so many checkpoints between an open line and a released lease."""
    with LedgerSaver(root) as saver:
        talk = Talk(saver)
        for value in VALUES[:count]:
            talk.put(**value)
    return ledger_of(root).read_bytes().splitlines(keepends=True)


def cut(lines: Bytes, at: int) -> bytes:
    return b"".join(lines[:-1]) + lines[-1][:at]


def flip(line: bytes, at: int, bit: int = 0) -> bytes:
    return line[:at] + bytes([line[at] ^ (1 << bit)]) + line[at + 1 :]


def in_one_group(lines: Bytes, first: int) -> Bytes:
    """As if the lines from `first` on had been written by one unacknowledged write."""
    made = lines[: first - 1]
    for raw in lines[first - 1 :]:
        data = json.loads(raw) | {"acked": first - 1, "prev": hashlib.sha256(made[-1]).hexdigest()}
        del data["check"]
        made.append(seal(data))
    return made


@dataclass
class Case:
    """Damage to the bytes, and what a reader shows: so many of the values, or an error with this line."""

    name: str
    damage: Callable[[Bytes], bytes]
    shows: int | None = None
    corrupt_at: int | None = None
    acknowledged: bool = False


TABLE = [
    Case("clean", b"".join, shows=4, acknowledged=True),
    Case("no complete line", lambda lines: lines[0][:50], shows=0),
    Case("empty file", lambda lines: b"", shows=0),
    Case("torn last line", lambda lines: cut(lines, 40), shows=4),
    Case("torn last line, acknowledged", lambda lines: cut(lines, 40), corrupt_at=6, acknowledged=True),
    Case("last line missing, acknowledged", lambda lines: cut(lines, 0), corrupt_at=6, acknowledged=True),
    Case("two lines missing, acknowledged", lambda lines: b"".join(lines[:4]), corrupt_at=5, acknowledged=True),
    Case("only the newline is missing", lambda lines: b"".join(lines)[:-1], shows=4),
    Case("garbage behind the last line", lambda lines: b"".join(lines) + b"\0" * 5000, shows=4),
    Case("garbage with newlines behind it", lambda lines: b"".join(lines) + b"x\ny\r\n\0\n", shows=4),
    Case("garbage behind it, all acknowledged", lambda lines: b"".join(lines) + b"xyz", shows=4, acknowledged=True),
    Case("zeros in the last line", lambda lines: cut(lines, 30) + b"\0" * 200 + b"\n", shows=4),
    Case("zeros in the last line, acknowledged", lambda ls: cut(ls, 30) + b"\0" * 200, corrupt_at=6, acknowledged=True),
    Case("first line of a torn group lost", lambda ls: _lose(in_one_group(ls, 5), 4), shows=3),
    Case("first line of an acknowledged group lost", lambda ls: _lose(ls, 4), corrupt_at=5),
    Case("a line in the middle damaged", lambda lines: _lose(lines, 2), corrupt_at=3),
    Case("a line in the middle missing", lambda lines: b"".join(lines[:2] + lines[3:]), corrupt_at=3),
    Case("a line twice", lambda lines: b"".join([*lines[:3], lines[2], *lines[3:]]), corrupt_at=4),
    Case("the last line twice", lambda lines: b"".join([*lines, lines[-1]]), corrupt_at=7),
    Case("two lines swapped", lambda ls: b"".join([*ls[:2], ls[3], ls[2], *ls[4:]]), corrupt_at=3),
    Case("the last two lines swapped", lambda ls: b"".join([*ls[:4], ls[5], ls[4]]), corrupt_at=5),
    Case("the first line missing", lambda lines: b"".join(lines[1:]), corrupt_at=1),
    Case("a foreign line at the end", lambda lines: b"".join(lines) + seal({"number": 7}), corrupt_at=7),
    Case(
        "a line of another ledger in its place",
        lambda ls: b"".join([*ls[:2], _elsewhere(ls[2]), *ls[3:]]),
        corrupt_at=3,
    ),
    Case("the last line of another ledger", lambda ls: b"".join([*ls[:5], _elsewhere(ls[5])]), corrupt_at=6),
    Case("a line put in", lambda ls: b"".join([*ls[:2], b"{}\n", *ls[2:]]), corrupt_at=3),
    Case("an empty line put in", lambda ls: b"".join([*ls[:2], b"\n", *ls[2:]]), corrupt_at=3),
    Case("a newline lost in the middle", lambda ls: b"".join([*ls[:2], ls[2][:-1], *ls[3:]]), corrupt_at=3),
    Case("the last newline but one lost", lambda ls: b"".join([*ls[:4], ls[4][:-1] + b"x", ls[5]]), corrupt_at=5),
]


def _elsewhere(line: bytes) -> bytes:
    """The line as it would stand in a ledger with another past."""
    data = json.loads(line) | {"prev": "f" * 64}
    del data["check"]
    return seal(data)


def _lose(lines: Bytes, at: int) -> bytes:
    lines = list(lines)
    lines[at] = b"\0" * (len(lines[at]) - 1) + b"\n"
    return b"".join(lines)


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
class TestTable:
    @pytest.fixture(autouse=True)
    def damage(self, damaged_root: Path, case: Case) -> bytes:
        lines = make(damaged_root)
        found = case.damage(lines)
        ledger_of(damaged_root).write_bytes(found)
        if not case.acknowledged:
            forget_acknowledged(damaged_root)
        return found

    @pytest.mark.parametrize("read_only", [True, False])
    def test_a_reader_shows_what_is_intact_or_says_where_the_damage_is(
        self, damaged_root: Path, case: Case, damage: bytes, read_only: bool
    ) -> None:
        saver = reopened(damaged_root, read_only=read_only)
        if case.corrupt_at is None:
            assert values_of(saver) == VALUES[: case.shows]
        else:
            with pytest.raises(LedgerCorrupt, match=re.escape(f"{ledger_of(damaged_root)}:{case.corrupt_at}:")) as told:
                saver.get_tuple(config("t"))
            assert told.value.readable == case.corrupt_at - 1
        assert ledger_of(damaged_root).read_bytes() == damage

    def test_a_writer_goes_on_behind_it_or_refuses_and_changes_nothing(
        self, damaged_root: Path, case: Case, damage: bytes
    ) -> None:
        saver = reopened(damaged_root)
        if case.corrupt_at is not None:
            with pytest.raises(LedgerCorrupt):
                saver.put(config("t"), make_checkpoint({}, {}), {}, {})
            assert ledger_of(damaged_root).read_bytes() == damage
            return
        saver.put(config("t"), make_checkpoint({"a": 9}, {"a": "9"}), {}, {"a": "9"})
        assert values_of(saver) == [*VALUES[: case.shows], {"a": 9}]
        assert values_of(reopened(damaged_root)) == [*VALUES[: case.shows], {"a": 9}]
        assert fsck(damaged_root).ok

    def test_a_torn_tail_is_copied_aside_before_it_is_cut(self, damaged_root: Path, case: Case, damage: bytes) -> None:
        if case.corrupt_at is not None:
            return
        reopened(damaged_root).acquire("t")
        kept = ledger_of(damaged_root).read_bytes()
        intact = [line for line in kept.splitlines(keepends=True) if line in damage]
        torn = damage[len(b"".join(intact)) :]
        aside = [path.read_bytes() for path in damaged_root.rglob("*.torn")]
        assert aside == ([torn] if torn else [])

    def test_fsck_says_the_same(self, damaged_root: Path, case: Case) -> None:
        report = fsck(ledger_of(damaged_root))
        if case.corrupt_at is None:
            assert [what for line, what in report.problems if what != "there is no ledger"] == []
        else:
            assert report.problems[0][0] == case.corrupt_at


def test_a_cut_at_every_byte_of_the_last_line_loses_only_that_line(damaged_root: Path) -> None:
    lines = make(damaged_root)[:-1]
    for at in range(len(lines[-1])):
        ledger_of(damaged_root).write_bytes(cut(lines, at))
        forget_acknowledged(damaged_root)
        assert values_of(reopened(damaged_root, read_only=True)) == VALUES[:3], at
    saver = reopened(damaged_root)
    Talk(saver).put(a="next")
    assert values_of(saver) == [*VALUES[:3], {"a": "next"}]


def damage_seen(root: Path) -> int | None:
    """The line at which whoever reads the ledger is told of damage."""
    try:
        Ledger(PosixDisk(), ledger_of(root).parent, "t").refresh()
    except LedgerCorrupt as damage:
        return damage.line
    return None


def test_a_cut_at_any_byte_of_acknowledged_data_is_noticed(damaged_root: Path) -> None:
    whole = b"".join(make(damaged_root, 2))
    starts = [at + 1 for at, byte in enumerate(whole) if byte == 10]
    for at in range(len(whole)):
        ledger_of(damaged_root).write_bytes(whole[:at])
        expected = sum(start <= at for start in starts) + 1
        assert damage_seen(damaged_root) == expected


@pytest.mark.parametrize("acknowledged", [True, False])
def test_any_changed_byte_is_reported_with_its_line(damaged_root: Path, acknowledged: bool) -> None:
    lines = make(damaged_root, 2)
    whole = b"".join(lines)
    if not acknowledged:
        forget_acknowledged(damaged_root)
    line = 1
    for at, byte in enumerate(whole):
        changed = flip(whole, at, at % 8)
        ledger_of(damaged_root).write_bytes(changed)
        if line < len(lines) or acknowledged:
            assert damage_seen(damaged_root) == line, at
        line += byte == 10


def test_a_change_after_opening_is_noticed_when_the_line_is_read(damaged_root: Path) -> None:
    lines = make(damaged_root)
    saver = reopened(damaged_root, read_only=True)
    assert saver.get_tuple(config("t")) is not None
    lines[4] = flip(lines[4], 300)
    ledger_of(damaged_root).write_bytes(b"".join(lines))
    with pytest.raises(LedgerCorrupt) as told:
        saver.get_tuple(config("t"))
    assert told.value.line == 5


def test_a_ledger_that_is_gone_while_its_watermark_stands_is_damage(damaged_root: Path) -> None:
    make(damaged_root)
    ledger_of(damaged_root).unlink()
    with pytest.raises(LedgerCorrupt, match="is gone"):
        reopened(damaged_root).get_tuple(config("t"))


@pytest.mark.parametrize("junk", [b"", b"junk", b"{}\n", b"\0" * 400])
def test_a_broken_watermark_counts_as_nothing_acknowledged(damaged_root: Path, junk: bytes) -> None:
    make(damaged_root)
    (ledger_of(damaged_root).parent / "watermark").write_bytes(junk)
    with reopened(damaged_root) as saver:
        assert values_of(saver) == VALUES
        Talk(saver).put(a="next")
    assert fsck(damaged_root).ok


def test_the_watermark_of_another_ledger_counts_as_nothing(damaged_root: Path, tmp_path: Path) -> None:
    make(damaged_root)
    long = tmp_path / "long"
    with LedgerSaver(long) as saver:
        for value in range(9):
            Talk(saver).put(a=value)
    mark = (ledger_of(long).parent / "watermark").read_bytes()
    (ledger_of(damaged_root).parent / "watermark").write_bytes(mark)
    assert values_of(reopened(damaged_root)) == VALUES


def test_what_a_crash_left_of_a_rewrite_is_removed(root: Path) -> None:
    make(root)
    half = ledger_of(root).with_name("ledger.jsonl.new")
    half.write_bytes(b"half")
    with reopened(root) as saver:
        assert values_of(saver) == VALUES
        saver.acquire("t")
    assert not half.exists()


def test_a_reader_follows_a_writer_line_by_line(root: Path) -> None:
    with LedgerSaver(root) as saver:
        reader = reopened(root, read_only=True)
        talk = Talk(saver)
        for value in VALUES:
            talk.put(**value)
            found = reader.get_tuple(config("t"))
            assert found
            assert found.checkpoint["channel_values"] == value
        saver.prune(["t"])
        assert values_of(reader) == VALUES[-1:]
        saver.delete_thread("t")
        assert values_of(reader) == []


def test_a_read_only_saver_works_on_a_read_only_folder_and_writes_nothing(root: Path) -> None:
    make(root)
    with ledger_of(root).open("ab") as file:
        file.write(b'{"number":7,"torn')
    forget_acknowledged(root)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in root.rglob("*")}
    for path in root.rglob("*"):
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        reader = reopened(root, read_only=True)
        assert values_of(reader) == VALUES
        assert reader.head("t").lines == 6
        with pytest.raises(Exception, match="read-only"):
            reader.put(config("t"), make_checkpoint({}, {}), {}, {})
        assert before == {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in root.rglob("*")}
    finally:
        for path in root.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        reopened(root).acquire("t")


def test_head_names_file_lines_bytes_and_hash(saver: LedgerSaver, root: Path) -> None:
    Talk(saver).put(a=1)
    head = saver.head("t")
    raw = ledger_of(root).read_bytes()
    assert (head.path, head.lines, head.bytes) == (str(ledger_of(root)), 2, len(raw))
    assert head.sha256 == hashlib.sha256(raw.splitlines(keepends=True)[-1]).hexdigest()
    assert lines_of(root)[-1]["number"] == 2
