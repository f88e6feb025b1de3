"""The consistency check: what it looks at, and that it says where."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from kit.ledgers import Talk, ledger_of
from waypost.checkpointing import LedgerSaver, fsck
from waypost.checkpointing.lines import seal

ITEMS = [f"{at}" * 400 for at in range(5)]


def make(root: Path) -> None:
    """Line 2 holds a list in full, line 3 what it grew by, line 4 a reference to it."""
    with LedgerSaver(root, mirror=False) as saver:
        talk = Talk(saver)
        talk.put(a=ITEMS[:4])
        talk.put(a=ITEMS)
        talk.put(b=ITEMS)


def forge(root: Path, number: int, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a line, and make all checksums and the chain right again."""
    before = b""
    made: list[bytes] = []
    for at, raw in enumerate(ledger_of(root).read_bytes().splitlines(keepends=True), start=1):
        data = orjson.loads(raw)
        del data["check"]
        if at == number:
            change(data)
        data["prev"] = hashlib.sha256(before).hexdigest() if before else data["prev"]
        before = seal(data)
        made.append(before)
    ledger_of(root).write_bytes(b"".join(made))
    (ledger_of(root).parent / "watermark").unlink()


@pytest.mark.parametrize("part", ["", "t", "t/ledger.jsonl"], ids=["root", "folder", "file"])
def test_it_takes_a_root_a_thread_or_a_file(root: Path, part: str) -> None:
    make(root)
    report = fsck(root / part)
    assert (report.ok, report.lines, report.torn, report.problems) == (True, 5, 0, [])
    assert report.thread_id == ("t" if part else None)


def test_of_a_root_every_thread_is_checked_and_named(damaged_root: Path) -> None:
    make(damaged_root)
    with LedgerSaver(damaged_root) as saver:
        Talk(saver, "odd thread").put(a=1)
    path = ledger_of(damaged_root)
    path.write_bytes(path.read_bytes().replace(b'"kind":"lease"', b'"kind":"leash"'))
    (problem,) = fsck(damaged_root).problems
    assert problem[0] == 5
    assert problem[1].startswith("t: ")


def test_nothing_is_changed_by_it(root: Path) -> None:
    make(root)
    ledger = ledger_of(root)
    before = {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]}
    assert fsck(ledger).ok
    assert {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]} == before


@pytest.mark.parametrize(
    ("number", "change", "what"),
    [
        (2, lambda line: line["values"]["a"]["json"].append("more"), "does not have the hash"),
        (3, lambda line: line["values"]["a"]["grown"]["edit"]["add"].append("more"), "does not have the hash"),
        (3, lambda line: line["values"]["a"]["grown"]["from"].update(line=1), "not there"),
        (3, lambda line: line["values"]["a"]["grown"]["from"].update(line=3), "not there"),
        (4, lambda line: line["values"]["b"]["same"].update(at="nowhere"), "not there"),
        (4, lambda line: line["values"]["b"].update(json=1), "has the forms ['json', 'same']"),
        (1, lambda line: line.update(thread="another"), "does not belong into a folder of this name"),
    ],
    ids=["value", "edit", "origin", "circle", "reference", "two forms", "thread"],
)
def test_values_are_put_together_and_compared_with_their_hashes(
    damaged_root: Path, number: int, change: Callable[[dict[str, Any]], object], what: str
) -> None:
    make(damaged_root)
    forge(damaged_root, number, change)
    problems = fsck(damaged_root / "t").problems
    assert any(line == number and what in told for line, told in problems), problems


@pytest.mark.parametrize("part", ["nothing", "nothing/ledger.jsonl"])
def test_where_there_is_no_ledger_it_says_so(tmp_path: Path, part: str) -> None:
    report = fsck(tmp_path / part)
    assert not report.ok
    assert report.problems == [(0, "there is no ledger")]


def test_a_torn_tail_is_told_and_is_no_problem(root: Path) -> None:
    make(root)
    with ledger_of(root).open("ab") as file:
        file.write(b"torn")
    report = fsck(root / "t")
    assert (report.ok, report.torn) == (True, 4)
    LedgerSaver(root).acquire("t")
    LedgerSaver(root).close()
