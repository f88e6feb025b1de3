"""The file as docs/ledger-format.md describes it, looked at without our own reader."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from kit.ledgers import Talk, config, ledger_of, lines_of, make_checkpoint, reopened
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.lines import seal
from waypost.checkpointing.names import folder_name, is_safe
from waypost.state.errors import LedgerError

HEADER = ["number", "kind", "time", "writer", "epoch", "acked", "prev"]


def some_ledger(root: Path) -> bytes:
    with LedgerSaver(root) as saver:
        talk = Talk(saver)
        for value in range(3):
            talk.put(a=value)
            talk.write(("a", value))
    return ledger_of(root).read_bytes()


class TestLines:
    def test_every_line_is_one_json_object_with_its_keys_in_order(self, root: Path) -> None:
        for raw in some_ledger(root).splitlines():
            keys = list(json.loads(raw))
            assert keys[:7] == HEADER
            assert keys[-1] == "check"

    def test_numbers_count_and_prev_is_the_hash_of_the_whole_line_before(self, root: Path) -> None:
        before = "0" * 64
        for number, raw in enumerate(some_ledger(root).splitlines(keepends=True), start=1):
            line = json.loads(raw)
            assert (line["number"], line["prev"]) == (number, before)
            before = hashlib.sha256(raw).hexdigest()

    def test_check_is_the_crc_of_all_that_stands_before_it(self, root: Path) -> None:
        for raw in some_ledger(root).splitlines():
            head, _, _ = raw.rpartition(b',"check"')
            assert json.loads(raw)["check"] == f"{zlib.crc32(head):08x}"

    def test_acked_is_the_line_acknowledged_last(self, root: Path) -> None:
        acked = [json.loads(line)["acked"] for line in some_ledger(root).splitlines()]
        assert acked == [0, 0, *range(2, len(acked))], "the first put comes in one group with the line that opens"

    def test_a_session_is_open_then_work_then_a_released_lease(self, root: Path) -> None:
        some_ledger(root)
        kinds = [line["kind"] for line in lines_of(root)]
        assert kinds == ["open", *["checkpoint", "writes"] * 3, "lease"]
        assert lines_of(root)[0]["format"] == 1
        assert lines_of(root)[0]["thread"] == "t"
        assert lines_of(root)[0]["by"]["pid"] == os.getpid()
        assert lines_of(root)[-1]["state"] == "released"

    def test_the_watermark_speaks_of_the_last_line(self, root: Path) -> None:
        raw = some_ledger(root)
        mark = json.loads((ledger_of(root).parent / "watermark").read_bytes())
        assert (mark["line"], mark["end"]) == (8, len(raw))
        assert mark["sha256"] == hashlib.sha256(raw.splitlines(keepends=True)[-1]).hexdigest()
        assert mark["genesis"] == hashlib.sha256(raw.splitlines(keepends=True)[0]).hexdigest()

    @pytest.mark.parametrize(
        ("number", "change", "what"),
        [(1, {"format": 2}, "ledger format 2"), (2, {"kind": "hologram"}, "kind 'hologram'")],
    )
    def test_a_newer_version_is_refused_clearly(
        self, damaged_root: Path, number: int, change: dict[str, Any], what: str
    ) -> None:
        raw = some_ledger(damaged_root).splitlines(keepends=True)
        data = json.loads(raw[number - 1]) | change
        del data["check"]
        ledger_of(damaged_root).write_bytes(b"".join(raw[: number - 1]) + seal(data))
        (ledger_of(damaged_root).parent / "watermark").unlink()
        with pytest.raises(LedgerError, match=re.escape(what)) as refused:
            reopened(damaged_root).get_tuple(config("t"))
        assert "newer version" in str(refused.value)


class TestFolders:
    @pytest.mark.parametrize("id", ["t", "DKT-003_20260211T134056Z_ac778e9", "7", "a.b", "x" * 128, "console", "nulls"])
    def test_a_safe_id_is_the_folders_name(self, saver: LedgerSaver, root: Path, id: str) -> None:
        Talk(saver, id).put(a=1)
        assert [path.name for path in root.iterdir()] == [id]
        assert list(saver.threads()) == [id]

    @pytest.mark.parametrize(
        "id",
        [
            "",
            "../x",
            "a/b",
            ".hidden",
            "_x",
            "-x",
            "x.",
            "CON",
            "nul.txt",
            "Com1",
            "x" * 129,
            "äö",
            "a b",
            "e\u0301",
            "\u00e9",
        ],
    )
    def test_any_other_becomes_slug_and_hash(self, saver: LedgerSaver, root: Path, id: str) -> None:
        Talk(saver, id).put(a=1)
        (name,) = [path.name for path in root.iterdir()]
        assert re.fullmatch(r"_[a-z0-9._-]{0,40}-[0-9a-f]{32}", name)
        assert list(saver.threads()) == [id]
        assert lines_of(root, id)[0]["thread"] == id
        assert reopened(root).get_tuple(config(id)) is not None

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=120))
    def test_any_text_is_one_folder_below_the_root(self, id: str) -> None:
        name = folder_name(id)
        assert Path(name).name == name
        assert name not in ("", ".", "..")
        assert len(name.encode()) <= 255
        assert name.isascii()

    @given(st.text(max_size=40), st.text(max_size=40))
    def test_a_hashed_name_meets_no_other_even_if_case_is_ignored(self, one: str, other: str) -> None:
        assume(one != other)
        if not (is_safe(one) and is_safe(other)):
            try:
                names = folder_name(one), folder_name(other)
            except UnicodeEncodeError:
                return
            assert names[0].lower() != names[1].lower()

    def test_a_folder_of_another_thread_is_refused(self, damaged_root: Path) -> None:
        some_ledger(damaged_root)
        (damaged_root / "t").rename(damaged_root / "T2")
        with pytest.raises(LedgerError, match="belongs to thread 't'"):
            reopened(damaged_root).get_tuple(config("T2"))
        with pytest.raises(LedgerError, match="belongs to thread 't'"):
            reopened(damaged_root).acquire("T2")

    def test_other_peoples_files_are_left_alone(self, saver: LedgerSaver, root: Path) -> None:
        ours = root / "t"
        for name in ("dispatch/S1/request.json", "reports/report.md", "checks/log"):
            (ours / name).parent.mkdir(parents=True)
            (ours / name).write_text("theirs")
        Talk(saver).put(a=1)
        saver.delete_thread("t")
        assert sorted(path.name for path in ours.iterdir()) == ["checks", "dispatch", "reports"]
        assert (ours / "dispatch/S1/request.json").read_text() == "theirs"
        assert list(saver.threads()) == []


class TestSafety:
    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
    def test_modes_do_not_depend_on_the_umask(self, root: Path, umask: int) -> None:
        before = os.umask(umask)
        try:
            with LedgerSaver(root) as saver:
                Talk(saver).put(a=1)
        finally:
            os.umask(before)
        for path in [root, *root.rglob("*")]:
            expected = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == expected, path

    @pytest.mark.parametrize("name", ["", "ledger.jsonl", "lock"])
    def test_a_symbolic_link_in_our_place_is_refused(self, damaged_root: Path, tmp_path: Path, name: str) -> None:
        root, elsewhere = damaged_root, tmp_path / "elsewhere"
        (root / "t").mkdir(parents=True)
        elsewhere.mkdir()
        target = elsewhere / name if name else elsewhere
        if name:
            target.write_text("")
        else:
            (root / "t").rmdir()
        (root / "t" / name).symlink_to(target)
        saver = LedgerSaver(root)
        with pytest.raises(LedgerError, match=r"cannot open"):
            saver.put(config("t"), make_checkpoint({}, {}), {}, {})
        assert [path for path in elsewhere.rglob("*") if path.stat().st_size and path.is_file()] == []

    def test_the_root_may_be_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")
        with LedgerSaver(tmp_path / "link") as saver:
            Talk(saver).put(a=1)
            Talk(LedgerSaver(tmp_path / "real")).put(a=2)
        assert [line["epoch"] for line in lines_of(tmp_path / "real")] == [1, 1, 1, 1]
