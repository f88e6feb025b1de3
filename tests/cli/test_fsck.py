"""`waypost fsck`: what is checked, what is said, and what can be saved of a damaged ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kit.cli import Ran, waypost, waypost_here
from kit.ledgers import Talk, config, forget_acknowledged, ledger_of, reopened, run_python, values_of
from kit.talking import THREAD, planner
from kit.threads import Reversed
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.types import Command
from waypost.checkpointing import LedgerSaver, fsck
from waypost.checkpointing.lines import digest, seal


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three threads, the last with an id that is no file name."""
    runs = tmp_path / "runs"
    with LedgerSaver(runs) as saver:
        for thread in ("one", "two", "chat 1/\x1b[31m"):
            talk = Talk(saver, thread)
            for value in range(4):
                talk.put(a=value)
    return runs


def damage(runs: Path, thread: str = "two", line: int = 4) -> Path:
    path = ledger_of(runs, thread)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b'"epoch"', b'"epocH"')
    path.write_bytes(b"".join(lines))
    return path


def check(runs: Path, *arguments: str | Path) -> Ran:
    return waypost_here("fsck", *arguments, "--runs", runs, cwd=runs.parent)


def pictures(folder: Path) -> dict[Path, Any]:
    return {
        path: (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in folder.rglob("*")
    }


class TestSound:
    def test_a_runs_folder_gives_one_line_for_each_ledger(self, runs: Path) -> None:
        ran = check(runs)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines() == [
            "ok       chat 1/\\x1b[31m: 6 lines",
            "ok       one: 6 lines",
            "ok       two: 6 lines",
        ]

    @pytest.mark.parametrize("what", ["one", "runs/one", "runs/one/ledger.jsonl", "./runs/one"])
    def test_one_ledger_is_named_by_run_folder_or_file(self, runs: Path, what: str) -> None:
        assert check(runs, what).out == "ok       one: 6 lines\n"

    def test_a_thread_is_named_by_its_true_id(self, runs: Path) -> None:
        assert check(runs, "chat 1/\x1b[31m").out == "ok       chat 1/\\x1b[31m: 6 lines\n"

    def test_any_folder_of_ledgers_can_be_named(self, runs: Path) -> None:
        assert waypost_here("fsck", runs, cwd=runs.parent).out.count("ok  ") == 3

    def test_a_run_comes_before_a_file_of_its_name(self, runs: Path) -> None:
        (runs.parent / "one").mkdir()
        assert check(runs, "one").out == "ok       one: 6 lines\n"

    def test_a_torn_tail_is_no_damage_and_is_told(self, runs: Path) -> None:
        with ledger_of(runs, "one").open("ab") as file:
            file.write(b'{"number":7,')
        ran = check(runs, "one")
        assert (ran.code, ran.out) == (
            0,
            "ok       one: 6 lines, and 12 torn bytes that the next writer sets aside\n",
        )

    def test_json_has_one_object_for_each_ledger(self, runs: Path) -> None:
        found = check(runs, "--json").events
        assert [(row["thread"], row["ok"], row["lines"], row["readable"], row["problems"]) for row in found] == [
            (thread, True, 6, 6, []) for thread in ("chat 1/\x1b[31m", "one", "two")
        ]

    def test_an_encrypted_ledger_is_checked_without_its_key(self, runs: Path) -> None:
        with LedgerSaver(runs, serde=EncryptedSerializer(Reversed())) as saver:
            Talk(saver, "secret").put(a=1)
        assert check(runs, "secret").out == "ok       secret: 3 lines\n"


class TestDamage:
    def test_the_line_and_what_can_be_read_are_named_and_the_others_are_checked(self, runs: Path) -> None:
        path = damage(runs)
        ran = check(runs)
        assert ran.code == 1
        assert ran.out.splitlines()[2] == (
            f"damaged  {path}:4: its checksum does not fit its bytes; lines 1-3 can be read"
        )
        assert ran.out.count("ok  ") == 2

    def test_in_json_every_problem_has_its_line(self, runs: Path) -> None:
        damage(runs)
        row = check(runs, "two", "--json").events[0]
        assert (row["ok"], row["readable"]) == (False, 3)
        assert row["problems"] == [{"line": 4, "what": "its checksum does not fit its bytes"}]

    def test_a_value_that_does_not_have_its_hash_ends_what_can_be_read(self, runs: Path) -> None:
        self.forge_value(runs)
        ran = check(runs, "forged")
        assert ran.code == 1
        assert "ledger.jsonl:3: value 'a' does not have the hash" in ran.out
        assert "lines 1-2 can be read" in ran.out

    @staticmethod
    def forge_value(runs: Path) -> None:
        """A line that is intact in itself, with a value that was exchanged."""
        with LedgerSaver(runs, mirror=False) as saver:
            talk = Talk(saver, "forged")
            talk.put(a="x" * 2000)
            talk.put(a="y" * 2000)
        path = ledger_of(runs, "forged")
        made: list[bytes] = []
        for raw in path.read_bytes().splitlines():
            data = json.loads(raw) | ({"prev": digest(made[-1])} if made else {})
            del data["check"]
            if data["number"] == 3:
                data["values"]["a"]["json"] = "z" * 2000
            made.append(seal(data))
        path.write_bytes(b"".join(made))
        (path.parent / "watermark").unlink()

    def test_a_ledger_that_is_gone_but_was_acknowledged_is_damage(self, runs: Path) -> None:
        ledger_of(runs, "two").unlink()
        ran = check(runs)
        assert ran.code == 1
        assert "ledger.jsonl:1: is gone, and line 6 was acknowledged; nothing can be read" in ran.out
        assert check(runs, "two").code == 1

    def test_a_ledger_in_a_folder_of_another_name_is_told_and_can_be_read(self, runs: Path) -> None:
        (runs / "two").rename(runs / "copy")
        ran = check(runs, "copy")
        assert ran.code == 1
        assert "thread 'two' does not belong into a folder of this name; all 6 lines can be read" in ran.out

    def test_what_is_told_of_a_ledger_cannot_steer_the_terminal(self, runs: Path) -> None:
        evil = runs / "evil\x1b[2J"
        evil.mkdir()
        (evil / "ledger.jsonl").write_bytes(b"x\ny\n")
        (runs / "two").rename(runs / "two\u202e")
        assert not {"\x1b", "\u202e"} & set(check(runs).out)

    def test_a_symbolic_link_is_named_and_not_followed(self, runs: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (runs / "two").rename(tmp_path / "elsewhere" / "two")
        (runs / "two").symlink_to(tmp_path / "elsewhere" / "two")
        for ran in (check(runs), check(runs, "two"), check(runs, runs / "two")):
            assert ran.code == 1
            assert "the folder is a symbolic link, which is not followed; nothing can be read" in ran.out

    def test_a_ledger_that_is_a_symbolic_link_is_not_followed(self, runs: Path, tmp_path: Path) -> None:
        ledger_of(runs, "two").rename(tmp_path / "ledger.jsonl")
        ledger_of(runs, "two").symlink_to(tmp_path / "ledger.jsonl")
        ran = check(runs, "two")
        assert ran.code == 1
        assert "symbolic links; nothing can be read" in ran.out


class TestNothingToCheck:
    def refused(self, ran: Ran, said: str) -> None:
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("error: ")
        assert said in ran.err

    def test_a_folder_without_ledgers(self, runs: Path, tmp_path: Path) -> None:
        (tmp_path / "empty" / "run").mkdir(parents=True)
        self.refused(check(tmp_path / "empty"), "there is no ledger in")

    def test_a_folder_that_is_not_there(self, runs: Path, tmp_path: Path) -> None:
        self.refused(check(tmp_path / "nowhere"), "nowhere")

    @pytest.mark.parametrize("what", ["nobody", "no/where", "../runs/nobody", "x" * 600, "a\0b", ""])
    def test_a_run_that_is_not_there(self, runs: Path, what: str) -> None:
        self.refused(check(runs, what), "there is no run, file or folder")

    def test_a_run_that_has_no_ledger_yet(self, runs: Path) -> None:
        (runs / "new").mkdir()
        self.refused(check(runs, "new"), "run new has no ledger yet")

    def test_a_file_that_is_no_ledger_by_its_name(self, runs: Path) -> None:
        ledger_of(runs, "one").rename(runs / "one" / "old.jsonl")
        self.refused(check(runs, runs / "one" / "old.jsonl"), "a ledger is called ledger.jsonl")

    def test_with_json_it_is_one_object(self, runs: Path) -> None:
        ran = check(runs, "nobody", "--json")
        assert (ran.code, ran.err, ran.result["exit_code"]) == (2, "", 2)


class TestSalvage:
    def test_the_intact_lines_are_a_new_ledger_from_which_the_thread_goes_on(self, runs: Path, tmp_path: Path) -> None:
        path, out = damage(runs), tmp_path / "saved"
        before = pictures(runs)
        ran = check(runs, "two", "--salvage", out)
        assert ran.code == 1
        assert ran.out.endswith(f"lines 1-3 can be read, saved in {out}/two\n")
        assert pictures(runs) == before
        saved = ledger_of(out, "two").read_bytes()
        assert saved.startswith(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
        with reopened(out) as saver:
            assert values_of(saver, "two") == [{"a": 0}, {"a": 1}]
            talk = Talk(saver, "two")
            talk.at = talk.newest().checkpoint["id"]
            talk.put(a="on")
        assert fsck(out).ok
        assert values_of(reopened(out), "two") == [{"a": 0}, {"a": 1}, {"a": "on"}]

    def test_an_interrupted_graph_is_resumed_from_what_was_saved(self, runs: Path, tmp_path: Path) -> None:
        with LedgerSaver(runs) as saver:
            planner(saver, []).invoke({"log": []}, THREAD)
            planner(saver, []).invoke(Command(resume="damaged"), THREAD)
        text = ledger_of(runs).read_bytes()
        ledger_of(runs).write_bytes(text.replace(b"damaged", b"DAMAGED"))
        assert check(runs, "t", "--salvage", tmp_path / "saved").code == 1
        final = planner(reopened(tmp_path / "saved"), []).invoke(Command(resume="again"), THREAD)
        assert final["answer"] == "again"

    def test_only_damaged_ledgers_are_copied_also_in_a_folder_of_several(self, runs: Path, tmp_path: Path) -> None:
        damage(runs)
        damage(runs, "chat 1/\x1b[31m")
        assert check(runs, "--salvage", tmp_path / "saved").code == 1
        assert sorted(reopened(tmp_path / "saved").threads()) == ["chat 1/\x1b[31m", "two"]

    def test_a_folder_that_exists_is_refused(self, runs: Path, tmp_path: Path) -> None:
        damage(runs)
        for number, make in enumerate((Path.mkdir, Path.touch, lambda path: path.symlink_to(tmp_path / "nowhere"))):
            out = tmp_path / f"out{number}"
            make(out)
            ran = check(runs, "--salvage", out)
            assert (ran.code, ran.out) == (2, "")
            assert "exists already" in ran.err
        assert not (tmp_path / "nowhere").exists()

    def test_a_folder_that_cannot_be_made_is_refused(self, runs: Path, tmp_path: Path) -> None:
        damage(runs)
        ran = check(runs, "--salvage", tmp_path / "not" / "there")
        assert (ran.code, ran.out) == (2, "")
        assert "cannot make" in ran.err

    def test_where_nothing_is_damaged_nothing_is_made(self, runs: Path, tmp_path: Path) -> None:
        assert check(runs, "--salvage", tmp_path / "saved").code == 0
        assert not (tmp_path / "saved").exists()

    def test_where_nothing_is_intact_nothing_is_made(self, runs: Path, tmp_path: Path) -> None:
        damage(runs, line=1)
        ran = check(runs, "two", "--salvage", tmp_path / "saved")
        assert ran.code == 1
        assert "nothing can be read, not saved" in ran.out
        assert not (tmp_path / "saved").exists()

    def test_of_a_ledger_in_the_wrong_folder_all_is_saved_under_the_right_name(
        self, runs: Path, tmp_path: Path
    ) -> None:
        (runs / "two").rename(runs / "copy")
        check(runs, "copy", "--salvage", tmp_path / "saved")
        assert len(values_of(reopened(tmp_path / "saved"), "two")) == 4

    def test_two_ledgers_of_one_thread_do_not_overwrite_each_other(self, runs: Path, tmp_path: Path) -> None:
        (runs / "one").rename(runs / "copy")
        with LedgerSaver(runs) as saver:
            Talk(saver, "one").put(a="younger")
        damage(runs, "one", line=3)
        ran = check(runs, "--salvage", tmp_path / "saved")
        assert "another ledger of thread 'one' was saved" in ran.out
        assert len(values_of(reopened(tmp_path / "saved"), "one")) == 4

    def test_a_deleted_thread_is_not_brought_back(self, runs: Path, tmp_path: Path) -> None:
        script = "import sys; from waypost import LedgerSaver; LedgerSaver(sys.argv[1]).delete_thread('two')"
        run_python(script, runs, failpoint="ledger.delete.after_tombstone")
        with ledger_of(runs, "two").open("ab") as file:
            file.write(ledger_of(runs, "two").read_bytes().splitlines(keepends=True)[-1])
        ran = check(runs, "two", "--salvage", tmp_path / "saved")
        assert ran.code == 1
        assert "thread 'two' was deleted" in ran.out
        assert not (tmp_path / "saved").exists()

    def test_an_encrypted_ledger_is_saved_without_its_key(self, runs: Path, tmp_path: Path) -> None:
        sealed = EncryptedSerializer(Reversed())
        with LedgerSaver(runs, serde=sealed) as saver:
            talk = Talk(saver, "secret")
            talk.put(a=1)
            talk.put(a=2)
        damage(runs, "secret", line=3)
        check(runs, "secret", "--salvage", tmp_path / "saved")
        found = reopened(tmp_path / "saved", serde=sealed).get_tuple(config("secret"))
        assert found
        assert found.checkpoint["channel_values"] == {"a": 1}

    def test_a_ledger_whose_writer_still_lives_is_saved_for_others(self, runs: Path, tmp_path: Path) -> None:
        with LedgerSaver(runs) as saver:
            Talk(saver, "living").put(a=1)
            Talk(saver, "living").put(a=2)
            damage(runs, "living", line=3)
            check(runs, "living", "--salvage", tmp_path / "saved")
            writer = reopened(tmp_path / "saved").writer("living")
            assert writer
            assert writer.released
            forget_acknowledged(runs, "living")


def test_in_a_process_of_its_own_the_exit_code_is_that_of_the_verdict(runs: Path) -> None:
    assert waypost("fsck", "--runs", runs, cwd=runs).code == 0
    damage(runs)
    ran = waypost("fsck", "--runs", runs, cwd=runs)
    assert (ran.code, ran.err) == (1, "")
