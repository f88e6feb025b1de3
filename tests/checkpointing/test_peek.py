"""A quick look at a ledger sees what the saver sees, or says that something is wrong."""

from __future__ import annotations

import os

import pytest
from kit.ledgers import Talk, forget_acknowledged, ledger_of, reopened
from kit.threads import Reversed
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from waypost.checkpointing import LedgerSaver, fsck, peek
from waypost.state.errors import LedgerCorrupt, LedgerError


@pytest.fixture
def talk(tmp_path):
    """Values that stay, grow, are the same as before, are emptied, and are none of JSON's."""
    talk = Talk(LedgerSaver(tmp_path))
    long = "x" * 2000
    talk.put(stays={"a": 1}, messages=["m0"], big=long, emptied=1)
    for number in range(1, 6):
        talk.put(messages=[*talk.values["messages"], f"m{number}" + "y" * 300], odd=(number, b"bytes"))
        talk.write(("messages", ["pending"]))
    talk.put(big=long, gone=("emptied",), number=6)
    yield talk
    talk.saver.close()
    assert fsck(tmp_path).ok


def test_it_gives_the_newest_value_of_every_channel(talk, tmp_path):
    seen = peek(tmp_path / "t")
    values = talk.newest().checkpoint["channel_values"]
    assert {name: seen.values[name] for name in ("stays", "messages", "big", "number")} == {
        name: values[name] for name in ("stays", "messages", "big", "number")
    }
    assert "emptied" not in seen.values
    assert seen.values["odd"][0] == 5


def test_it_gives_only_what_was_asked_for(talk, tmp_path):
    assert peek(tmp_path / "t", {"number", "emptied", "nosuch"}).values == {"number": 6}


def test_it_says_who_writes_and_whether_that_one_has_let_go(talk, tmp_path):
    before = peek(tmp_path / "t").writer
    assert before == talk.saver.writer("t")
    assert (before.pid, before.alive, before.released) == (os.getpid(), True, False)
    talk.saver.release("t")
    assert peek(tmp_path / "t").writer.released


def test_a_checkpoint_that_is_put_again_does_not_become_the_newest(talk, tmp_path):
    before = talk.branch()
    again = talk.put(number=7)
    talk.put(number=8)
    before.put(id=again, number=70)
    assert peek(tmp_path / "t", {"number"}).values == {"number": talk.newest().checkpoint["channel_values"]["number"]}


def test_another_namespace_is_not_looked_at(talk, tmp_path):
    Talk(talk.saver, ns="sub").put(number=99)
    assert peek(tmp_path / "t", {"number"}).values == {"number": 6}


def test_a_torn_tail_is_passed_over(talk, tmp_path, damaged_root):
    talk.saver.close()
    forget_acknowledged(tmp_path)
    with ledger_of(tmp_path).open("ab") as file:
        file.write(b'{"number":99,"kind":"check')
    assert peek(tmp_path / "t", {"number"}).values == {"number": 6}


def test_where_there_is_no_ledger_there_is_nothing_to_see(tmp_path):
    assert peek(tmp_path / "nosuch") is None
    (tmp_path / "empty").mkdir()
    assert peek(tmp_path / "empty") is None


def test_a_deleted_thread_is_not_there(tmp_path):
    saver = LedgerSaver(tmp_path)
    Talk(saver).put(number=1)
    saver.delete_thread("t")
    assert peek(tmp_path / "t") is None


def damaged(ledger, change) -> None:
    ledger.write_bytes(change(ledger.read_bytes()))


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b'"a":1', b'"a":2', 1),
        lambda raw: raw.replace(b"m3", b"m9", 1),
        lambda raw: b"".join(raw.splitlines(keepends=True)[:3] + raw.splitlines(keepends=True)[4:]),
        lambda raw: b"".join(raw.splitlines(keepends=True)[:-2]),
        lambda raw: raw[:-1] + b" \n",
    ],
    ids=["early value", "middle value", "a line is missing", "the end is missing", "the last line"],
)
def test_damage_anywhere_is_told(damaged_root, change):
    saver = LedgerSaver(damaged_root)
    talk = Talk(saver)
    talk.put(stays={"a": 1})
    for number in range(1, 6):
        talk.put(messages=[f"m{number}"])
    saver.close()
    damaged(ledger_of(damaged_root), change)
    with pytest.raises(LedgerCorrupt):
        peek(damaged_root / "t", {"messages"})
    with pytest.raises(LedgerCorrupt):
        list(reopened(damaged_root).list({"configurable": {"thread_id": "t"}}))


def test_an_encrypted_ledger_is_not_read(tmp_path):
    saver = LedgerSaver(tmp_path, serde=EncryptedSerializer(Reversed()))
    Talk(saver).put(number=1)
    with pytest.raises(LedgerError, match="encrypted"):
        peek(tmp_path / "t")
