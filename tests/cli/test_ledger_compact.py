"""`waypost ledger compact`: smaller, with everything that counts, and the thread goes on."""

from __future__ import annotations

from pathlib import Path

from kit.ledgers import Talk, config, ledger_of, reopened
from kit.looking import ledger, refused, show, two_threads
from kit.other_process import other_process
from kit.talking import chat, shown
from langchain_core.messages import HumanMessage
from waypost.checkpointing import LedgerSaver, fsck

__all__ = ["two_threads"]


def chatty(runs: Path, turns: int) -> None:
    with LedgerSaver(runs) as saver:
        graph = chat(saver)
        for turn in range(turns):
            graph.invoke({"messages": [HumanMessage(f"{turn} " + "x" * 900, id=f"h{turn}")], "turns": 0}, config("t"))


def test_what_no_longer_counts_goes_and_all_checkpoints_stay(tmp_path: Path) -> None:
    with LedgerSaver(tmp_path) as saver:
        talk = Talk(saver)
        talk.put(a=1)
        for _ in range(20):
            talk.put(id="again and again", a="x" * 900)
    before = list(reopened(tmp_path, read_only=True).list(config("t")))
    ran = ledger(tmp_path, "compact", "t", "--json")
    (told,) = ran.events
    assert ran.code == 0
    assert told["bytes_after"] == ledger_of(tmp_path).stat().st_size < told["bytes_before"] / 2
    assert (told["thread"], told["checkpoints"]) == ("t", 2)
    after = list(reopened(tmp_path, read_only=True).list(config("t")))
    assert [(it.checkpoint, it.metadata) for it in after] == [(it.checkpoint, it.metadata) for it in before]
    assert fsck(tmp_path).problems == []


def test_of_a_long_thread_only_the_newest_may_be_kept_and_it_goes_on(tmp_path: Path) -> None:
    chatty(tmp_path, turns=30)
    newest = shown(chat(reopened(tmp_path, read_only=True)))[0]
    ran = ledger(tmp_path, "compact", "t", "--latest-only")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("t: 1 checkpoints kept, ")
    (event,) = show(tmp_path, "t", "--json").events
    assert (event["step"], event["parent"], event["nodes"]) == (newest[2], None, [])
    with LedgerSaver(tmp_path) as saver:
        graph = chat(saver)
        assert shown(graph) == [newest]
        graph.invoke({"messages": [HumanMessage("on")], "turns": 0}, config("t"))
        assert graph.get_state(config("t")).values["turns"] == 31
    assert fsck(tmp_path).problems == []


def test_where_nothing_is_to_be_gained_it_says_what_would(runs: Path) -> None:
    assert "all of it counts, and --latest-only would drop the history" in ledger(runs, "compact", "t").out


def test_the_thread_is_free_at_once_for_another_process(runs: Path) -> None:
    assert ledger(runs, "compact", "t").code == 0
    writer = reopened(runs).writer("t")
    assert writer
    assert writer.released


def test_while_another_process_writes_it_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with other_process(tmp_path) as other:
        before = ledger_of(tmp_path).read_bytes()
        refused(ledger(tmp_path, "compact", "t"), "is driven by another process", f"pid {other.process.pid}")
        assert ledger_of(tmp_path).read_bytes() == before
        assert other.do("put") == "done"


def test_a_thread_that_is_not_there_is_not_made(tmp_path: Path, runs: Path) -> None:
    refused(ledger(runs, "compact", "nobody"), "there is no run nobody", "there are")
    assert not ledger_of(runs, "nobody").exists()
