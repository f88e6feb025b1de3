"""`waypost ledger import` and `export`, as typed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from kit.ledgers import run_python
from kit.looking import ledger, refused, two_threads

__all__ = ["two_threads"]


class TestMoving:
    @pytest.fixture(autouse=True)
    def extra(self) -> None:
        pytest.importorskip("langgraph.checkpoint.sqlite", reason="needs the extra [sqlite]")

    def test_there_and_back_says_how_many(self, runs: Path, tmp_path: Path) -> None:
        ran = ledger(runs, "export", f"sqlite:{tmp_path / 'x.db'}")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines()[-1].startswith("2 threads into sqlite:")
        assert ran.out.splitlines()[-1].endswith(": 8 checkpoints and 17 writes, all compared")
        back = ledger(tmp_path / "back", "import", f"sqlite:{tmp_path / 'x.db'}", "--thread", "t", "--json")
        assert back.events == [{"thread": "t", "checkpoints": 5, "writes": 16}]
        before, after = (
            ledger(folder, "show", "t", "--latest", "--json").events[0] for folder in (runs, tmp_path / "back")
        )
        assert after["values"] == before["values"]

    def test_a_thread_that_is_there_is_refused(self, runs: Path, tmp_path: Path) -> None:
        assert ledger(runs, "export", f"sqlite:{tmp_path / 'x.db'}").code == 0
        refused(ledger(runs, "import", f"sqlite:{tmp_path / 'x.db'}"), "has a folder already")

    @pytest.mark.parametrize("address", ["x.db", "sqlite:", "postgres://x"])
    @pytest.mark.parametrize("verb", ["import", "export"])
    def test_what_is_no_database_is_refused(self, runs: Path, verb: str, address: str) -> None:
        refused(ledger(runs, verb, address), "give it as sqlite:FILE")

    def test_a_type_that_is_not_allowed_says_how_to_allow_it(self, runs: Path, tmp_path: Path) -> None:
        (tmp_path / "theirs.py").write_text("from pydantic import BaseModel\nclass Mine(BaseModel):\n    x: int\n")
        script = (
            "import sys; from kit.ledgers import Talk; from theirs import Mine; from waypost import LedgerSaver\n"
            "Talk(LedgerSaver(sys.argv[1]), 'theirs').put(a=Mine(x=7))"
        )
        assert run_python(script, runs, path=[tmp_path]).returncode == 0
        export = ("export", f"sqlite:{tmp_path / 'x.db'}", "--thread", "theirs")
        refused(ledger(runs, *export), "theirs.Mine", "--allow MODULE:NAME")
        assert ledger(runs, *export, "--allow", "theirs:Mine").code == 0
        refused(ledger(runs, *export, "--allow", "theirs"), "names no type")


@pytest.mark.parametrize("verb", ["import", "export"])
def test_without_the_extra_its_name_is_told(runs: Path, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    for name in ("checkpointing.migrate", "checkpointing.sqlite_rows", "cli.ledger_move"):
        monkeypatch.delitem(sys.modules, f"waypost.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "langgraph.checkpoint.sqlite", None)
    refused(ledger(runs, verb, "sqlite:x.db"), "pip install 'waypost[sqlite]'")
    assert not os.path.exists("x.db")
