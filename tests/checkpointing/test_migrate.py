"""Threads moved from SqliteSaver into ledgers and back: equal tuple by tuple."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kit.databases import make, opened, rows, tuples
from kit.ledgers import Talk, config, ledger_of, lines_of, make_checkpoint, reopened, run_python
from kit.talking import planner
from kit.threads import THREAD, THREADS, Item, answered, conversation, early_writes, interrupted
from langchain_core.messages import HumanMessage
from langgraph.types import Command
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.migrate import Moved, export_sqlite, import_sqlite
from waypost.state.errors import LedgerBlockedType


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "threads.db"


@pytest.mark.parametrize("build", THREADS, ids=lambda build: build.__name__)
class TestEveryTuple:
    def test_is_the_same_in_the_ledger(self, database: Path, root: Path, build: Any) -> None:
        moved = import_sqlite(make(database, build), root, allow=[Item])
        with opened(database) as saver:
            expected = tuples(saver)
            latest = saver.get_tuple(THREAD)
        ledger = reopened(root)
        assert tuples(ledger) == expected
        assert ledger.get_tuple(THREAD) == latest
        assert [(one.thread, one.checkpoints) for one in moved] == [("t", len(expected))]
        assert moved[0].writes >= sum(len(found.pending_writes or ()) for found in expected.values())

    def test_is_the_same_after_the_way_there_and_back(
        self, database: Path, root: Path, build: Any, tmp_path: Path
    ) -> None:
        import_sqlite(make(database, build), root, allow=[Item])
        back = tmp_path / "back.db"
        export_sqlite(root, back, allow=[Item])
        with opened(database) as one, opened(back) as other:
            assert tuples(other) == tuples(one)
        assert rows(back) == rows(database)

    def test_is_the_same_in_sqlite(self, database: Path, root: Path, build: Any) -> None:
        with LedgerSaver(root) as saver:
            build(saver)
            export_sqlite(root, database, allow=[Item])
            expected = tuples(saver)
        with opened(database) as there:
            assert tuples(there) == expected


class TestImport:
    def test_a_thread_goes_on_where_it_was(self, database: Path, root: Path) -> None:
        import_sqlite(make(database, interrupted), root)
        final = planner(reopened(root), []).invoke(Command(resume="yes"), THREAD)
        assert final["answer"] == "yes"

    def test_a_database_whose_writer_was_killed_is_read_with_its_log_and_not_changed(
        self, database: Path, root: Path, tmp_path: Path
    ) -> None:
        left = tmp_path / "left.db"
        with opened(database) as saver:
            conversation(saver)
            expected = tuples(saver)
            for end in ("", "-wal"):
                shutil.copy(f"{database}{end}", f"{left}{end}")
        before = [Path(f"{left}{end}").read_bytes() for end in ("", "-wal")]
        import_sqlite(left, root)
        assert [Path(f"{left}{end}").read_bytes() for end in ("", "-wal")] == before
        assert tuples(reopened(root)) == expected

    def test_all_threads_come_or_those_that_are_named(self, database: Path, root: Path, tmp_path: Path) -> None:
        with opened(database) as saver:
            for thread in ("b", "a/ä", "c"):
                Talk(saver, thread).put(x=thread)
        assert [one.thread for one in import_sqlite(database, root)] == ["a/ä", "b", "c"]
        assert [*reopened(root).threads()] == ["a/ä", "b", "c"]
        assert import_sqlite(database, tmp_path / "some", ["c"]) == [Moved("c", 1, 0)]
        assert [*reopened(tmp_path / "some").threads()] == ["c"]

    def test_a_growing_thread_is_stored_by_what_is_new(self, database: Path, root: Path) -> None:
        def grow(saver: Any) -> None:
            talk, messages = Talk(saver), []
            for turn in range(120):
                text = "".join(random.Random(turn).choices("abcdefghij", k=300))
                messages = [*messages, HumanMessage(text, id=str(turn))]
                talk.put(messages=messages, constant="c" * 20_000)

        import_sqlite(make(database, grow), root)
        assert ledger_of(root).stat().st_size * 10 < database.stat().st_size

    def test_a_value_is_stored_where_its_version_is_new(self, database: Path, root: Path) -> None:
        def two_channels(saver: Any) -> None:
            talk = Talk(saver)
            talk.put(kept="small", moving=0)
            talk.put(moving=1)

        import_sqlite(make(database, two_channels), root)
        held = [line["values"].keys() for line in lines_of(root) if line["kind"] == "checkpoint"]
        assert held == [{"kept", "moving"}, {"moving"}]

    def test_the_mirror_shows_the_newest_state(self, database: Path, root: Path) -> None:
        import_sqlite(make(database, answered), root)
        mirror = json.loads((root / "t" / "pipeline_state.json").read_bytes())
        assert mirror["values"]["answer"] == "yes"

    def test_one_version_that_stands_for_two_values_keeps_both(self, database: Path, root: Path) -> None:
        def collide(saver: Any) -> None:
            for id, value in (("1", "a"), ("2", "a"), ("3", "b"), ("4", "a")):
                saver.put(config("t"), make_checkpoint({"x": value}, {"x": 1}, id), {"step": 1}, {"x": 1})
            saver.put(config("t"), make_checkpoint({}, {"x": 1}, "5"), {"step": 1}, {})

        import_sqlite(make(database, collide), root)
        found = {item.checkpoint["id"]: item.checkpoint["channel_values"] for item in reopened(root).list(THREAD)}
        assert found == {"1": {"x": "a"}, "2": {"x": "a"}, "3": {"x": "b"}, "4": {"x": "a"}, "5": {}}

    def test_a_database_from_before_task_paths_can_be_read(self, database: Path, root: Path) -> None:
        make(database, early_writes)
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("ALTER TABLE writes DROP COLUMN task_path")
            connection.commit()
        import_sqlite(database, root)
        assert len(reopened(root).get_tuple(THREAD).pending_writes or ()) == 5

    def test_a_database_without_write_ahead_log_can_be_read(self, database: Path, root: Path) -> None:
        make(database, conversation)
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
        before = database.read_bytes()
        assert import_sqlite(database, root)[0].thread == "t"
        assert database.read_bytes() == before

    def test_a_class_that_is_not_there_is_carried_and_not_imported(
        self, database: Path, root: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "theirs.py").write_text("from pydantic import BaseModel\nclass Mine(BaseModel):\n    x: int\n")
        script = "import sys; from test_migrate_script import main; main(sys.argv[1])"
        (tmp_path / "test_migrate_script.py").write_text(
            "import sqlite3\nfrom kit.ledgers import Talk\nfrom langgraph.checkpoint.sqlite import SqliteSaver\n"
            "from theirs import Mine\n\ndef main(file):\n"
            "    Talk(SqliteSaver(sqlite3.connect(file))).put(a=Mine(x=7))\n"
        )
        assert run_python(script, database, path=[tmp_path]).returncode == 0
        with pytest.raises(LedgerBlockedType, match=r"theirs\.Mine"):
            import_sqlite(database, root)
        import_sqlite(database, root, allow=[("theirs", "Mine")])
        assert "theirs" not in sys.modules
        read = (
            "import sys, theirs; from waypost import LedgerSaver\n"
            "print(LedgerSaver(sys.argv[1]).get_tuple({'configurable': {'thread_id': 't'}}).checkpoint)"
        )
        assert "Mine(x=7)" in run_python(read, root, path=[tmp_path]).stdout


KILLED = "import sys; from pathlib import Path; from waypost.checkpointing.migrate import import_sqlite\n"
KILLED += "import_sqlite(Path(sys.argv[1]), Path(sys.argv[2]))"


@pytest.mark.parametrize(
    "point", ["ledger.create.after_file", "ledger.append.after_write:7", "ledger.append.after_ack"]
)
def test_an_import_that_is_killed_shows_nothing_and_can_be_repeated(database: Path, root: Path, point: str) -> None:
    make(database, conversation)
    assert run_python(KILLED, database, root, failpoint=point).returncode == -9
    assert [*reopened(root).threads()] == []
    import_sqlite(database, root)
    assert [*reopened(root).threads()] == ["t"]
