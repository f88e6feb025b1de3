"""From a command as written to what is started: no reading that could turn a failure into a pass."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from waypost.nodes.checks.command import argv_of, why_absent
from waypost.nodes.checks.process import CheckStopped

BASH = ("bash", "-euo", "pipefail", "-c")


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("make test", ("make", "test")),
        ("pytest -k 'a and b'", ("pytest", "-k", "a and b")),
        ("python3 -c \"print('a;b')\"", ("python3", "-c", "print('a;b')")),
        ("echo '$HOME | x'", ("echo", "$HOME | x")),
        ("echo a\\;b", ("echo", "a;b")),
    ],
)
def test_a_plain_command_is_started_without_a_shell(command, argv):
    assert argv_of(command) == argv


@pytest.mark.parametrize(
    "command",
    [
        "a | b",
        "a && b",
        "a; b",
        "A=1 a",
        "echo $HOME",
        'echo "$HOME"',
        "ls *.py",
        "a > out",
        'echo "don\'t"; rm "can\'t"',
    ],
)
def test_shell_syntax_goes_to_a_bash_that_stops_at_the_first_failure(command):
    assert argv_of(command) == (*BASH, command)


@pytest.mark.parametrize("command", ["false | cat", "false; true", "cat < /nonexistent | true", "exit 3 | true"])
def test_a_failure_anywhere_in_a_shell_command_is_a_failure_of_all_of_it(command):
    assert subprocess.run(argv_of(command), capture_output=True).returncode != 0


@pytest.mark.parametrize("command", ["", "   ", "echo 'open"])
def test_what_is_no_command_is_refused(command):
    with pytest.raises(ValueError):  # noqa: PT011
        argv_of(command)


@example(["", "\\\n"])
@given(st.lists(st.text(alphabet="ab'\"\\$`;| \n#*~", max_size=6), min_size=1, max_size=4))
def test_a_command_that_is_not_given_to_bash_means_to_bash_exactly_what_we_start(words):
    command = " ".join(shlex.quote(word) if index % 2 else word for index, word in enumerate(words, 1))
    try:
        argv = argv_of(f"printf %s\\\\0 {command}")
    except ValueError:
        return
    if argv[:4] != BASH:
        script = ["bash", "-c", f"printf %s\\\\0 {command}"]
        assert subprocess.run(argv, capture_output=True).stdout == subprocess.run(script, capture_output=True).stdout


def test_a_program_that_is_not_there_is_absent(tmp_path):
    assert why_absent("nosuchtool -x", ("nosuchtool", "-x"), None, tmp_path) == "command not found: nosuchtool"


def test_a_program_that_is_there_and_fails_is_not_absent(tmp_path):
    assert why_absent("false", ("false",), 1, tmp_path) is None


def test_exit_code_127_of_a_program_that_exists_is_a_failure_and_not_absence(tmp_path):
    assert why_absent("sh -c 'exit 127'", ("sh", "-c", "exit 127"), 127, tmp_path) is None


def test_a_command_not_found_behind_a_builtin_is_a_failure_and_not_absence(tmp_path):
    command = "cd . && nosuchtool"
    assert why_absent(command, argv_of(command), 127, tmp_path) is None


def write_makefile(folder: Path, text: str) -> None:
    (folder / "Makefile").write_text(text, encoding="utf-8")


def absent_for_make(folder: Path, *arguments: str) -> str | None:
    code = subprocess.run(["make", *arguments], cwd=folder, capture_output=True).returncode
    return why_absent(shlex.join(["make", *arguments]), ("make", *arguments), code, folder)


def test_a_target_that_make_does_not_know_is_absent(tmp_path):
    write_makefile(tmp_path, "test:\n\ttrue\n")
    assert absent_for_make(tmp_path, "test-orchestrator") == 'make has no rule for "test-orchestrator"'


def test_no_makefile_at_all_is_absence(tmp_path):
    assert absent_for_make(tmp_path) == "there is no makefile"


def test_a_target_that_exists_and_fails_is_not_absent(tmp_path):
    write_makefile(tmp_path, "test:\n\tfalse\n")
    assert absent_for_make(tmp_path, "test") is None


def test_a_recipe_that_only_prints_makes_message_is_not_absent(tmp_path):
    write_makefile(tmp_path, "test:\n\t@echo \"make: *** No rule to make target 'test'.  Stop.\" >&2; exit 2\n")
    assert absent_for_make(tmp_path, "test") is None


def test_a_prerequisite_that_is_missing_is_a_failure_and_not_absence(tmp_path):
    write_makefile(tmp_path, "test: gone.txt\n\ttrue\n")
    assert absent_for_make(tmp_path, "test") is None


def test_asking_make_for_a_target_ends_when_the_run_is_asked_to_stop(tmp_path):
    (tmp_path / "Makefile").write_text("X := $(shell sleep 600)\ncheck:\n\tfalse\n")
    with pytest.raises(CheckStopped):
        why_absent("make check", ("make", "check"), 2, tmp_path, stop=lambda: True)
