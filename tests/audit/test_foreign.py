"""Logs of others: what an entry proves, and what it only says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kit.cli import Ran, waypost_here


def entry(number: int = 1, body: str = "1 passed\n", code: str | None = "0", end: bool = True) -> str:
    exit_line = "" if code is None else f"Exit Code: {code}\n"
    tail = f"=== COMMAND ENTRY {number} END ===\n" if end else ""
    return f"=== COMMAND ENTRY {number} START ===\nCommand: make test\n{body}{exit_line}{tail}"


def audit(folder: Path, text: str | bytes) -> Ran:
    (folder / "log").write_bytes(text if isinstance(text, bytes) else text.encode())
    return waypost_here("audit", "--logs", "log", "--json", cwd=folder)


def test_commands_that_ended_with_0_are_said_to_have_passed(tmp_path: Path) -> None:
    ran = audit(tmp_path, "A log\n\n" + entry(1) + "\n" + entry(2, "ok\n"))
    assert ran.code == 0
    assert [row["what"] for row in json.loads(ran.out)["findings"]] == ["make test: exit code 0"] * 2


NOT_PROVED = {
    "nothing at all": ("", "no COMMAND ENTRY"),
    "prose": ("All tests passed, trust me.\n", "no COMMAND ENTRY"),
    "another exit code": (entry(code="2"), "failed with exit code 2"),
    "a success that failed": (entry(body="all tests passed\n", code="1"), 'though it says "all tests passed"'),
    "a failure that passed": (entry(body="== 2 failed, 3 passed ==\n"), "2 failed"),
    "not approved": (entry(body="NOT APPROVED\n"), "NOT APPROVED"),
    "no exit code": (entry(code=None), "no exit code"),
    "an empty exit code": (entry(code=""), "exit code nothing"),
    "no end": (entry(end=False), "no end"),
    "cut by the next": (entry(1, end=False) + entry(2), "no end"),
    "two exit codes": (entry(body="Exit Code: 1\nmore\n"), "2 exit codes"),
    "output behind the exit code": (entry(end=False) + "more\n=== COMMAND ENTRY 1 END ===\n", "behind its exit code"),
    "one number twice": (entry(1) + entry(1), "twice"),
    "an end without beginning": (entry(1) + "=== COMMAND ENTRY 2 END ===\n", "did not begin"),
    "no command": ("=== COMMAND ENTRY 1 START ===\nExit Code: 0\n=== COMMAND ENTRY 1 END ===\n", "no command"),
    "binary": (b"\x00\xff" * 1000, "no COMMAND ENTRY"),
}


@pytest.mark.parametrize(("text", "said"), NOT_PROVED.values(), ids=NOT_PROVED)
def test_it_is_no_proof(tmp_path: Path, text: str | bytes, said: str) -> None:
    ran = audit(tmp_path, text)
    assert ran.code == 1
    assert said in ran.out.replace('\\"', '"')


def test_none_failed_is_no_failure(tmp_path: Path) -> None:
    assert audit(tmp_path, entry(body="5 passed, 0 failed\n")).code == 0


def test_a_line_without_end_takes_no_memory(tmp_path: Path) -> None:
    assert audit(tmp_path, entry(body="x" * 3_000_000 + "\n")).code == 0


def test_a_log_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    assert waypost_here("audit", "--logs", "none", cwd=tmp_path).code == 2


@pytest.mark.parametrize("arguments", [(), ("R", "--logs", "log")])
def test_one_thing_is_audited_at_a_time(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert waypost_here("audit", *arguments, cwd=tmp_path).code == 2
