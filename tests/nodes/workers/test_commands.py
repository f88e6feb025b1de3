"""A worker runs the commands of its step, and nothing that only looks like them."""

from __future__ import annotations

import pytest
from kit.states import make_step
from waypost.nodes.workers.commands import CommandRule
from waypost.state.task import Action, ActionKind, Command

LOOP = 'for name in a b; do\n  rm -rf "$name"\ndone'
HERE = "cat > notes <<END\nrm -rf /\nEND"


@pytest.fixture
def rule() -> CommandRule:
    blocks = ("# set up\npython3 build.py --fast\n\nmake test\n", LOOP, HERE, "echo 'a\nrm -rf /\n'")
    return CommandRule(
        make_step(
            verification=(
                Command(ref="V1", run="make check", equivalents=("python3 -m unittest -v", "grep -q x a | wc -l")),
            ),
            actions=(
                *(Action(kind=ActionKind.BASH, text=block) for block in blocks),
                Action(kind=ActionKind.PROSE, text="rm -rf prose"),
            ),
        )
    )


PIPE = ("bash", "-euo", "pipefail", "-c", "grep -q x a | wc -l")


@pytest.mark.parametrize(
    ("command", "arguments", "started"),
    [
        ("make check", (), ("make", "check")),
        ("make", ("check",), ("make", "check")),
        ("  make   'check' ", (), ("make", "check")),
        ("python3", ("-m", "unittest", "-v"), ("python3", "-m", "unittest", "-v")),
        ("bash", ("-c", "make check"), ("make", "check")),
        ("/bin/sh", ("-lc", "make check"), ("make", "check")),
        ("bash -lc 'make check'", (), ("make", "check")),
        ("grep -q x a | wc -l", (), PIPE),
        ("bash", ("-c", "grep -q x a | wc -l"), PIPE),
        ("python3 build.py --fast", (), ("python3", "build.py", "--fast")),
        (LOOP, (), ("bash", "-euo", "pipefail", "-c", LOOP)),
    ],
)
def test_a_command_of_the_step_runs_as_verify_would_start_it(rule, command, arguments, started):
    assert rule.find(command, arguments) == started


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("make", ()),
        ("make", ("check", "install")),
        ("make check; rm -rf /", ()),
        ("make check && true", ()),
        ("make", ("check; rm -rf /",)),
        ("make check", ("install",)),
        ("bash", ("-c", "make check; id")),
        ("bash", ("-c", "make check", "extra")),
        ("bash", ("-x", "make check")),
        ("evil/bash -c 'make check'", ()),
        ("./bash", ("-c", "make check")),
        ("PATH=/evil make check", ()),
        ("grep -q x a", ()),
        ("rm -rf /", ()),
        ('rm -rf "$name"', ()),
        ("rm -rf prose", ()),
        ("make 'check", ()),
        ("", ()),
        ("", ("check",)),
        ("make\0check", ()),
    ],
)
def test_any_other_command_is_none_of_the_step(rule, command, arguments):
    assert rule.find(command, arguments) is None


@pytest.mark.parametrize(
    ("argv", "known"),
    [(["make", "check"], True), (["make check"], False), ([], False), (["bash", "-c", "make check"], True)],
)
def test_a_list_of_words_is_not_split_again(rule, argv, known):
    assert (rule.find_argv(argv) is not None) is known


def test_a_step_without_commands_allows_none():
    rule = CommandRule(make_step(verification=(), actions=()))
    assert (rule.allowed, rule.find("true"), rule.find_argv(["true"])) == ({}, None, None)
