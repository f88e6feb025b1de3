"""The list of runs: read from the ledgers, read again where one has changed, and kept outside of the runs folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import pytest
from kit.viewed import talk
from langgraph.graph import END, START, StateGraph
from waypost.checkpointing import LedgerSaver, fsck
from waypost.viewer import index as module
from waypost.viewer.index import Index, cache_file
from waypost.viewer.ledgers import Found, Ledgers
from waypost.viewer.rows import Row, read_row

DAMAGES = (b"", b"{", b"[]", b'{"version": "0", "root": "", "rows": {}}', b'{"rows": null}', None)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "runs"
    for thread in ("one", "two", "a b"):
        talk(folder, thread, 1)
    yield folder
    for ledger in folder.glob("*/ledger.jsonl"):
        if not ledger.parent.is_symlink():
            assert fsck(ledger.parent).ok


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were read, in order."""
    names: list[str] = []

    def watched(ledgers: Ledgers, name: str) -> Row:
        names.append(name)
        return read_row(ledgers, name)

    monkeypatch.setattr(module, "read_row", watched)
    return names


def titles(index: Index) -> set[str]:
    return {row.title for row in index.refresh().rows}


def test_all_threads_are_listed_also_those_of_odd_names(runs: Path):
    assert titles(Index(Ledgers(runs), None)) == {"one", "two", "a b"}


def test_only_what_has_changed_is_read_again(runs: Path, read: list[str]):
    index = Index(Ledgers(runs), None)
    version = index.refresh().version
    read.clear()
    assert index.refresh().version == version
    assert read == []
    before = next(row.total for row in index.listing.rows if row.title == "two")
    talk(runs, "two", 3)
    listing = index.refresh()
    assert (read, listing.version) == (["two"], version + 1)
    assert next(row.total for row in listing.rows if row.title == "two") > before


def test_what_has_the_same_size_and_time_as_before_is_read_again_too(runs: Path, read: list[str]):
    index, ledger = Index(Ledgers(runs), None), runs / "two" / "ledger.jsonl"
    index.refresh()
    read.clear()
    at = ledger.stat()
    ledger.write_bytes(ledger.read_bytes())
    os.utime(ledger, ns=(at.st_atime_ns, at.st_mtime_ns))
    index.refresh()
    assert read == ["two"]


def test_an_error_over_one_run_leaves_all_others_in_the_list(runs: Path, monkeypatch: pytest.MonkeyPatch):
    def look(self: Ledgers, name: str) -> Found:
        if name == "one":
            raise MemoryError("too much")
        return once(self, name)

    once = Ledgers.look_once
    monkeypatch.setattr(Ledgers, "look_once", look)
    rows = {row.name: row for row in Index(Ledgers(runs), None).refresh().rows}
    assert (rows["one"].status, rows["one"].why) == ("UNREADABLE", "an error in Waypost: MemoryError: too much")
    assert len(rows) == 3


@pytest.mark.parametrize("name", ["ledger.jsonl", "request.json", "batch_request.json"])
def test_a_pipe_in_place_of_a_file_hangs_nobody(tmp_path: Path, name: str):
    (tmp_path / "R").mkdir()
    os.mkfifo(tmp_path / "R" / name)
    (row,) = Index(Ledgers(tmp_path), None).refresh().rows
    assert (row.status, row.verdict) == ("UNREADABLE", "")


def test_a_run_that_was_removed_is_gone(runs: Path):
    index = Index(Ledgers(runs), None)
    index.refresh()
    talk(runs, "three", 1)
    assert "three" in titles(index)
    (runs / "three").rename(runs.parent / "three")
    assert "three" not in titles(index)


def test_of_very_many_the_newest_are_read_first_and_the_others_are_counted(runs: Path, read: list[str]):
    os.utime(runs / "one" / "ledger.jsonl", (1, 1))
    listing = Index(Ledgers(runs), None).refresh(at_most=2)
    assert (len(listing.rows), listing.missing) == (2, 1)
    assert "one" not in read


def test_a_second_start_reads_nothing_again(runs: Path, tmp_path: Path, read: list[str]):
    cache = tmp_path / "cache" / "rows.json"
    rows = Index(Ledgers(runs), cache).refresh().rows
    read.clear()
    assert Index(Ledgers(runs), cache).refresh().rows == rows
    assert read == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_made_anew(runs: Path, tmp_path: Path, damage: bytes | None):
    cache = tmp_path / "cache" / "rows.json"
    rows = Index(Ledgers(runs), cache).refresh().rows
    kept = cache.read_bytes()
    cache.write_bytes(kept.replace(b'"why":', b'"evil":') if damage is None else damage)
    assert Index(Ledgers(runs), cache).refresh().rows == rows
    assert cache.read_bytes() == kept


def test_the_cache_stands_outside_of_the_runs_folder_and_each_folder_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one, two = cache_file(Path("/runs")), cache_file(Path("/other"))
    assert one != two
    assert one.parent == tmp_path / "cache" / "waypost" / "view"


def test_what_is_no_run_is_not_listed(runs: Path):
    (runs / "empty").mkdir()
    (runs / ".hidden").mkdir()
    (runs / "linked").symlink_to(runs / "one")
    (runs / "file").write_text("x")
    assert titles(Index(Ledgers(runs), None)) == {"one", "two", "a b"}


def test_a_ledger_that_cannot_be_read_is_listed_as_such(tmp_path: Path):
    (tmp_path / "runs" / "R").mkdir(parents=True)
    (tmp_path / "runs" / "R" / "ledger.jsonl").write_bytes(b"nothing\n")
    (row,) = Index(Ledgers(tmp_path / "runs"), None).refresh().rows
    assert (row.status, row.verdict) == ("UNREADABLE", "")
    assert "no intact line" in row.why


class Claim(TypedDict):
    """As much of a run's state as a liar needs."""

    run_id: str
    task_file: str
    workspace: str
    status: str


def test_a_ledger_that_only_says_done_is_not_believed(tmp_path: Path):
    builder = StateGraph(Claim)
    builder.add_node("lie", lambda state: {"status": "DONE"})
    builder.add_edge(START, "lie")
    builder.add_edge("lie", END)
    claim = Claim(run_id="R", task_file="/x", workspace="/x", status="PLANNING")
    with LedgerSaver(tmp_path / "runs") as saver:
        builder.compile(checkpointer=saver).invoke(claim, {"configurable": {"thread_id": "R"}})
    (row,) = Index(Ledgers(tmp_path / "runs"), None).refresh().rows
    assert (row.status, row.verdict) == ("UNREADABLE", "")
    assert "DONE without proof" in row.why
    found = Ledgers(tmp_path / "runs").find("R")
    assert found.state is None
    assert found.view is not None
