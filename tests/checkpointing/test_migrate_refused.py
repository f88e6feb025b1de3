"""What is not moved between SqliteSaver and ledgers: then nothing is, and no byte of it is executed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from kit.databases import make, opened, rows, sqlite_saver
from kit.ledgers import Talk, config, ledger_of, make_checkpoint
from kit.threads import Item, Reversed, conversation, early_writes
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from waypost.checkpointing import LedgerSaver, fsck
from waypost.checkpointing.migrate import Moved, export_sqlite, import_sqlite
from waypost.state.errors import InputError, InvalidId, LedgerBlockedType, LedgerError, RunExists, RunNotFound


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "threads.db"


class TestNothingIsMoved:
    @pytest.fixture(autouse=True)
    def nothing_left(self, root: Path) -> Iterator[None]:
        root.mkdir()
        yield
        assert [path.name for path in root.iterdir() if path.name != "mine"] == []

    def test_if_the_thread_is_there_already(self, database: Path, root: Path) -> None:
        with LedgerSaver(root) as saver:
            Talk(saver, "mine").put(a="kept")
        before = ledger_of(root, "mine").read_bytes()
        with opened(database) as saver:
            Talk(saver, "mine").put(a="new")
            Talk(saver, "other").put(a="new")
        with pytest.raises(RunExists, match="mine"):
            import_sqlite(database, root)
        assert ledger_of(root, "mine").read_bytes() == before

    def test_if_only_files_of_the_thread_are_there(self, database: Path, root: Path) -> None:
        (root / "mine").mkdir()
        with opened(database) as saver:
            Talk(saver, "mine").put(a=1)
        with pytest.raises(RunExists):
            import_sqlite(database, root)

    def test_if_one_of_the_threads_cannot_be_moved(self, database: Path, root: Path) -> None:
        make(database, conversation)
        with opened(database) as saver:
            saver.put(config("z"), make_checkpoint({"x": 1}, {}), {"step": 1}, {})
        with pytest.raises(LedgerError, match="channel_values of checkpoint"):
            import_sqlite(database, root)

    @pytest.mark.parametrize("thread", ["nobody", ""])
    def test_if_there_is_no_such_thread(self, database: Path, root: Path, thread: str) -> None:
        with pytest.raises(RunNotFound):
            import_sqlite(make(database, conversation), root, [thread])

    @pytest.mark.parametrize("thread", ["nul\0", "x" * 600])
    def test_if_a_ledger_cannot_have_that_thread_id(self, database: Path, root: Path, thread: str) -> None:
        with opened(database) as saver:
            Talk(saver, thread).put(a=1)
        with pytest.raises(InvalidId):
            import_sqlite(database, root)

    @pytest.mark.parametrize("content", [None, b"", b"no database" * 100, b"SQLite format 3\0" + bytes(200)])
    def test_if_the_file_is_no_database(self, database: Path, root: Path, content: bytes | None) -> None:
        if content is not None:
            database.write_bytes(content)
        with pytest.raises((InputError, LedgerError), match="threads"):
            import_sqlite(database, root)

    @pytest.mark.parametrize("kind", ["VIEW checkpoints AS SELECT 1 thread_id", "TABLE other (x)"])
    def test_if_the_tables_are_others(self, database: Path, root: Path, kind: str) -> None:
        with closing(sqlite3.connect(database)) as connection:
            connection.executescript(f"CREATE {kind}; CREATE TABLE writes (thread_id TEXT);")
        with pytest.raises(InputError, match="no database of SqliteSaver"):
            import_sqlite(database, root)

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE checkpoints SET metadata = 'no JSON'",
            "UPDATE checkpoints SET checkpoint = X'81'",
            "UPDATE checkpoints SET checkpoint = X'C0'",
            "UPDATE checkpoints SET checkpoint = 'text'",
            "UPDATE checkpoints SET checkpoint = NULL, type = NULL",
            "UPDATE checkpoints SET checkpoint_id = 'another'",
            "UPDATE checkpoints SET checkpoint_id = ''",
            "UPDATE checkpoints SET thread_id = X'FF'",
            "UPDATE checkpoints SET thread_id = CAST(X'FF' AS TEXT)",
            "UPDATE checkpoints SET checkpoint_ns = X'00'",
            "UPDATE writes SET idx = 'one' WHERE idx = 2",
            "UPDATE writes SET value = X''",
            "UPDATE writes SET channel = X'00'",
        ],
    )
    def test_if_a_row_is_not_one_of_sqlite_saver(self, database: Path, root: Path, change: str) -> None:
        make(database, early_writes)
        with closing(sqlite3.connect(database)) as connection:
            connection.execute(change)
            connection.commit()
        with pytest.raises(LedgerError):
            import_sqlite(database, root)

    def test_if_values_are_encrypted(self, database: Path, root: Path) -> None:
        with closing(sqlite3.connect(database)) as connection:
            Talk(sqlite_saver(connection, serde=EncryptedSerializer(Reversed()))).put(a=1)
        with pytest.raises(LedgerError, match="encrypted"):
            import_sqlite(database, root)


def hostile(marker: Path) -> dict[str, tuple[str, bytes]]:
    def ext(code: int, *parts: Any) -> bytes:
        return ormsgpack.packb(ormsgpack.Ext(code, ormsgpack.packb(parts)))

    return {
        "os.mkdir": ("msgpack", ext(0, "os", "mkdir", str(marker))),
        "builtins.eval": ("msgpack", ext(0, "builtins", "eval", f"open({str(marker)!r}, 'w')")),
        "subprocess.Popen": ("msgpack", ext(1, "subprocess", "Popen", [["touch", str(marker)]])),
        "a value of type 'pickle'": ("pickle", b"cposix\nmkdir\n(V" + str(marker).encode() + b"\ntR."),
        "a value of type 'json'": ("json", b'{"lc":2,"type":"constructor","id":["os","mkdir"],"args":["x"]}'),
    }


@pytest.mark.parametrize("name", hostile(Path("m")))
@pytest.mark.parametrize("table", ["checkpoints", "writes"])
def test_hostile_bytes_execute_nothing_and_the_name_is_told(
    database: Path, root: Path, tmp_path: Path, name: str, table: str
) -> None:
    make(database, early_writes)
    marker = tmp_path / "marker"
    column = "checkpoint" if table == "checkpoints" else "value"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"UPDATE {table} SET type = ?, {column} = ?", hostile(marker)[name])
        connection.commit()
    with pytest.raises(LedgerBlockedType) as refused:
        import_sqlite(database, root)
    assert name in str(refused.value)
    assert not marker.exists()


class TestExport:
    def test_into_a_database_that_holds_other_threads(self, database: Path, root: Path) -> None:
        with opened(database) as there, LedgerSaver(root) as saver:
            Talk(there, "theirs").put(a="theirs")
            Talk(saver, "ours").put(a="ours")
        assert export_sqlite(root, database) == [Moved("ours", 1, 0)]
        with opened(database) as there:
            assert {item.checkpoint["channel_values"]["a"] for item in there.list(None)} == {"theirs", "ours"}

    def test_a_new_database_is_readable_by_its_owner_only(self, database: Path, root: Path) -> None:
        with LedgerSaver(root) as saver:
            Talk(saver).put(a=1)
        export_sqlite(root, database)
        assert database.stat().st_mode & 0o777 == 0o600

    def test_the_ledgers_are_only_read(self, database: Path, root: Path) -> None:
        with LedgerSaver(root) as saver:
            conversation(saver)
        before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
        export_sqlite(root, database)
        assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before

    def test_a_thread_that_is_there_is_not_touched(self, database: Path, root: Path) -> None:
        with opened(database) as there, LedgerSaver(root) as saver:
            Talk(there).put(a="theirs")
            Talk(saver).put(a="ours")
            Talk(saver, "another").put(a="ours")
        before = rows(database)
        with pytest.raises(RunExists, match="'t'"):
            export_sqlite(root, database)
        assert rows(database) == before

    def test_if_one_thread_cannot_be_exported_none_is(self, database: Path, root: Path) -> None:
        with opened(database) as there, LedgerSaver(root) as saver:
            Talk(there, "theirs").put(a="theirs")
            Talk(saver, "a").put(a="good")
            Talk(saver, "b").put(a=bytearray(b"bad"))
        before = rows(database)
        with pytest.raises(LedgerError, match="'b'"):
            export_sqlite(root, database)
        assert rows(database) == before

    def refused(self, root: Path, database: Path, match: str) -> None:
        with pytest.raises((LedgerError, InputError), match=match):
            export_sqlite(root, database)
        assert not database.exists()

    def test_a_thread_whose_clock_was_set_back_would_go_on_elsewhere_and_is_refused(
        self, database: Path, root: Path
    ) -> None:
        with LedgerSaver(root) as saver:
            talk = Talk(saver)
            talk.put(id="2", a=1)
            talk.put(id="1", a=2)
        self.refused(root, database, "SqliteSaver would go on from 2")

    @pytest.mark.parametrize("metadata", [{"at": Item(name="x")}, {"keys": {1: 2}}, {"raw": b"x"}])
    def test_metadata_that_is_not_json_is_refused(self, database: Path, root: Path, metadata: Any) -> None:
        with LedgerSaver(root) as saver:
            Talk(saver).put(a=1, metadata=metadata)
        self.refused(root, database, "metadata|JSON")

    def test_a_value_that_sqlite_would_give_back_as_another_is_refused(self, database: Path, root: Path) -> None:
        with LedgerSaver(root) as saver:
            Talk(saver).put(a=bytearray(b"x"))
        self.refused(root, database, "channel_values of checkpoint")

    def test_of_a_damaged_ledger_nothing_is_exported(self, database: Path, damaged_root: Path) -> None:
        with LedgerSaver(damaged_root) as saver:
            Talk(saver, "good").put(a=1)
            Talk(saver, "odd/id").put(a=1)
        path = ledger_of(damaged_root, "odd/id")
        path.write_bytes(path.read_bytes().replace(b"odd", b"add", 1))
        self.refused(damaged_root, database, "checksum")
        assert export_sqlite(damaged_root, database, ["good"]) == [Moved("good", 1, 0)]

    def test_an_encrypted_ledger_is_refused(self, database: Path, root: Path) -> None:
        with LedgerSaver(root, serde=EncryptedSerializer(Reversed())) as saver:
            Talk(saver).put(a=1)
        self.refused(root, database, "encrypted")

    def test_a_thread_that_was_deleted_is_none(self, database: Path, root: Path) -> None:
        with LedgerSaver(root) as saver:
            Talk(saver).put(a=1)
            saver.delete_thread("t")
        self.refused(root, database, "no thread")
        assert fsck(root).ok
