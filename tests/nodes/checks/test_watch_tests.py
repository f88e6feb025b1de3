"""Which commands are a pytest that can be watched, and what is seen of its tests."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import pytest
from waypost.nodes.checks import watch_tests
from waypost.nodes.checks.command import argv_of
from waypost.nodes.checks.process import run_command
from waypost.nodes.checks.seen_tests import Loss, Seen, losses, read_seen
from waypost.nodes.checks.watch_tests import is_pytest, may_start_pytest, run_watched
from waypost.nodes.workers.launcher.masking import Masker

WATCHED = (
    "pytest",
    "pytest -q tests",
    "/opt/env/bin/py.test",
    "python -m pytest",
    "python3.11 -W error -m pytest -k x",
    "env A=b pytest",
    "uv run pytest -x",
    "poetry run python -m pytest",
    "coverage run -m pytest",
)
NOT_WATCHED = (
    "make test",
    "python -m unittest",
    "python -c pytest",
    "python pytest.py",
    "python -I -m pytest",
    "python -sE -m pytest",
    "env PYTHONPATH=src pytest",
    "env PYTEST_PLUGINS=x pytest",
    "env -i pytest",
    "pytest | cat",
    "A=b pytest",
    "tox",
    "echo pytest",
)
MAY_START = ("make test", "pytest | cat", "A=b pytest", "tox", "sh tests/all.sh", "env -i pytest", "cd a && just test")
STARTS_NONE = (
    "python -m unittest",
    "node tests.js",
    "cargo test",
    "ruff check .",
    "test -s a/makefile",
)
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
TESTS = """
import os, subprocess, sys, warnings
import pytest

def test_passes(): pass
def test_fails(): assert False
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.xfail
def test_xfailed(): assert False
@pytest.mark.xfail
def test_xpassed(): pass
@pytest.fixture
def broken(): raise ValueError
def test_error(broken): pass
@pytest.mark.parametrize("n", [1, 2])
def test_each(n): pass
class TestOf:
    def test_inside(self): pass
def test_nothing_of_ours_is_left():
    assert not [name for name in os.environ if name.startswith("WAYPOST")]
    assert "PYTEST_PLUGINS" not in os.environ and os.environ.get("PYTHONPATH") == "mine"
"""
OUTCOMES = {
    "passes": "passed",
    "fails": "failed",
    "skipped": "skipped",
    "xfailed": "xfailed",
    "xpassed": "xpassed",
    "error": "error",
    "each[1]": "passed",
    "each[2]": "passed",
    "nothing_of_ours_is_left": "passed",
}


@pytest.mark.parametrize("command", WATCHED)
def test_a_pytest_is_recognised(command):
    assert is_pytest(argv_of(command))


@pytest.mark.parametrize("command", NOT_WATCHED)
def test_anything_else_is_left_alone(command):
    assert not is_pytest(argv_of(command))


@pytest.mark.parametrize("command", MAY_START)
def test_what_may_start_one_is_known(command):
    assert may_start_pytest(argv_of(command))


@pytest.mark.parametrize("command", STARTS_NONE)
def test_what_starts_none_is_not_given_a_plugin(command):
    assert not may_start_pytest(argv_of(command))


def watched(folder: Path, *options: str):
    """The exit code of a pytest in that folder, and what was seen of it."""
    return watched_command(folder, (*PYTEST, *options))


def watched_command(folder: Path, argv: tuple[str, ...]):
    log = folder.parent / "log"

    def run(*, env):
        return run_command(
            argv,
            workspace=folder,
            log=log,
            timeout_s=60,
            output_limit_bytes=1 << 20,
            env=env,
            masker=Masker(),
            stop=lambda: False,
        )

    env = {"PATH": os.environ["PATH"], "PYTHONPATH": "mine", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = run_watched(run, argv, env, log, Masker())
    return ran.exit_code, read_seen(watch_tests.tests_file(log).read_bytes())


def test_every_test_is_seen_with_its_outcome_from_where_pytest_was_started(tmp_path):
    project = tmp_path / "project"
    (project / "deep").mkdir(parents=True)
    (project / "deep" / "pytest.ini").write_text("[pytest]\n")
    (project / "deep" / "test_it.py").write_text(TESTS)
    (project / "deep" / "test_broken.py").write_text("import nothing_of_that_name")
    code, seen = watched(project, "--continue-on-collection-errors", "deep")
    assert seen is not None
    expected = {f"deep/test_it.py::test_{name}": outcome for name, outcome in OUTCOMES.items()}
    expected |= {"deep/test_it.py::TestOf::test_inside": "passed", "deep/test_broken.py": "error"}
    assert dict(seen.outcomes) == expected
    assert (code, seen.exit_code) == (1, 1)


def test_a_process_that_ends_before_pytest_does_is_seen_without_an_end(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "conftest.py").write_text("import os; os._exit(0)")
    assert watched(project) == (0, Seen({}, None))


def test_of_several_pytests_of_one_line_all_tests_are_seen_and_an_end_only_where_each_has_one(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "test_a.py").write_text("def test_a(): pass")
    (project / "test_b.py").write_text("import os\ndef test_b():\n  if os.environ.get('END'): os._exit(0)")
    line = " && ".join(f"{shlex.join(PYTEST)} {name}" for name in ("test_a.py", "test_b.py"))
    both = {"test_a.py::test_a": "passed", "test_b.py::test_b": "passed"}
    assert watched_command(project, argv_of(line)) == (0, Seen(both, 0))
    code, seen = watched_command(project, argv_of(f"export END=1; {line}"))
    assert (code, seen and seen.exit_code) == (0, None)


def test_a_row_that_somebody_else_adds_spoils_all_of_them(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    row = {"event": "finish", "exit_code": 0, "process": "x", "row": 1}
    told, added = str(watch_tests.tests_file(tmp_path / "log")), f"{'0' * 64} {json.dumps(row)}\n"
    adds = f"open({told!r}, 'a').write({added!r})"
    (project / "test_it.py").write_text(f"def test_it(): {adds}")
    with pytest.raises(ValueError, match="somebody else has written into it"):
        watched(project)


@pytest.mark.parametrize("data", [b"nonsense\n", b"[]\n", b'{"event": "finish"}\n', b'{"event": "test", "id": 1}\n'])
def test_what_is_no_such_file_is_refused(data):
    with pytest.raises(ValueError):  # noqa: PT011
        read_seen(data)


def test_what_was_run_before_and_is_not_now_is_a_loss():
    before = Seen({f"t.py::{name}": "passed" for name in "abcd"} | {"t.py::e": "skipped", "t.py": "error"}, 0)
    after = Seen({"t.py::a": "passed", "t.py::b": "skipped", "t.py::c": "xfailed", "t.py::e": "skipped"}, 0)
    assert losses(before, after) == (
        Loss("t.py::b", "passed", "skipped"),
        Loss("t.py::c", "passed", "xfailed"),
        Loss("t.py::d", "passed", "gone"),
    )
