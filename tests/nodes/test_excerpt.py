"""The part of a log that shows why something failed."""

from __future__ import annotations

import re

import pytest
from waypost.nodes.excerpt import LIMIT, excerpt

FILL = "".join(f"step {number} of the build went well\n" for number in range(2000))
FAILURES = {
    "unittest": 'Traceback (most recent call last):\n  File "t.py", line 3\nAssertionError: 2 != 4\n',
    "pytest": ">       assert add(1, 1) == 3\nE       assert 2 == 3\n",
    "go": "--- FAIL: TestAdd (0.00s)\n    add_test.go:9: got 2\n",
    "rust": "error[E0308]: mismatched types\n --> src/main.rs:2:5\n",
    "gcc": "main.c:3:5: error: expected ';'\n",
    "make": "make: *** [Makefile:2: all] Error 1\n",
    "tap": "not ok 3 - adds numbers\n",
    "node": "TypeError: x is not a function\n    at f (a.js:1:1)\n",
    "jest": "  ✕ adds numbers (3 ms)\n",
    "git": "fatal: not a git repository\n",
    "words only": "connection to the database was refused\n",
}


def log(tmp_path, text: str | bytes):
    path = tmp_path / "S1.V1.log"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_short_log_is_shown_whole(tmp_path):
    assert excerpt(log(tmp_path, "a\nb\n")) == "a\nb"


def test_an_empty_log_is_said(tmp_path):
    assert excerpt(log(tmp_path, "")) == "(it printed nothing)"


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_the_first_failure_in_the_middle_of_a_long_log_is_shown(tmp_path, failure):
    shown = excerpt(log(tmp_path, FILL + failure + FILL))
    assert failure.strip() in shown
    assert shown.startswith("step 0 of the build")
    assert shown.endswith("step 1999 of the build went well")
    assert len(shown.encode()) < LIMIT + 300


def test_what_was_left_out_is_said_to_the_byte(tmp_path):
    path = log(tmp_path, FILL + FAILURES["unittest"] + FILL)
    shown = excerpt(path)
    left_out = [int(number) for number in re.findall(r"\[\.\.\. (\d+) bytes of S1\.V1\.log left out \.\.\.\]", shown)]
    kept = re.sub(r"\n?\[\.\.\. [^\]]*\]\n?", "", shown)
    assert len(left_out) == 2
    assert abs(path.stat().st_size - sum(left_out) - len(kept.encode())) <= 8


def test_the_first_of_many_failures_is_shown_and_the_end_with_the_summary(tmp_path):
    many = "".join(f"FAIL: test_{number}\n{'detail ' * 40}\n" for number in range(100))
    shown = excerpt(log(tmp_path, FILL + many + "FAILED (failures=100)\n"))
    assert "FAIL: test_0\n" in shown
    assert shown.endswith("FAILED (failures=100)")


def test_a_message_that_nothing_failed_is_no_failure(tmp_path):
    shown = excerpt(log(tmp_path, "0 errors, no failures\n" + FILL + "main.c:3: error: stop\n" + FILL))
    assert "main.c:3: error: stop" in shown


def test_without_any_failure_beginning_and_end_are_shown(tmp_path):
    shown = excerpt(log(tmp_path, FILL))
    assert shown.startswith("step 0 ")
    assert shown.endswith("step 1999 of the build went well")


def test_a_failure_across_the_blocks_it_is_read_in_is_found(tmp_path):
    assert "AssertionError: 2 != 4" in excerpt(
        log(tmp_path, b"x" * ((1 << 20) - 5) + b"\nAssertionError: 2 != 4\n" + b"y\n" * 9000)
    )


def test_bytes_that_are_no_text_are_replaced(tmp_path):
    assert excerpt(log(tmp_path, b"caf\xe9\n")) == "caf\ufffd"


def test_a_log_that_cannot_be_read_is_said(tmp_path):
    assert excerpt(tmp_path / "gone.log") == "(log not readable: No such file or directory)"
