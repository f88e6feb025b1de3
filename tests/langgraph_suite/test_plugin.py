"""The plugin and the runner of LangGraph's suite: what they exchange, and that they cannot pass without it."""

from __future__ import annotations

import importlib.metadata
import io
import os
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph_suite.fetch import extract
from langgraph_suite.handed_out import HandedOut
from waypost.checkpointing import LedgerSaver

HERE = Path(__file__).parent

CONFTEST = """
import pytest
from langgraph.checkpoint.memory import InMemorySaver

@pytest.fixture(params=["one", "two"])
def sync_checkpointer(request):
    return InMemorySaver()
"""

HEAD = """
import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver

def put(saver):
    saver.put({"configurable": {"thread_id": "t", "checkpoint_ns": ""}}, empty_checkpoint(), {}, {})
    return saver
"""

THROUGH_FIXTURE = "\ndef test_fixture(sync_checkpointer):\n    put(sync_checkpointer)\n"
WITH_OWN_SAVER = "\ndef test_own():\n    assert put(InMemorySaver()).root.is_dir()\n"
WITHOUT_SAVER = "\ndef test_other():\n    assert False\n"
NOTHING_PUT = "\ndef test_fixture(sync_checkpointer):\n    pass\n"
NEARER_FIXTURE = "\n@pytest.fixture\ndef sync_checkpointer():\n    return InMemorySaver()\n"
ALL_KINDS = THROUGH_FIXTURE + WITH_OWN_SAVER + WITHOUT_SAVER


def session(folder: Path, tests: str, *arguments: str, strict: str = "false") -> tuple[int, str]:
    """Exit code and output of pytest, with the plugin, on a small suite of its own."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_them.py").write_text(HEAD + tests)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"PYTHONPATH": str(HERE), "LANGGRAPH_STRICT_MSGPACK": strict, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "ledger_plugin", "-p", "no:cacheprovider", *arguments, folder]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_fixtures_and_own_savers_are_ledger_savers_and_what_they_served_is_counted(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    code, said = session(tmp_path, ALL_KINDS, *workers)
    assert code == 0, said
    assert "2 passed" in said
    assert "1 tests through the fixtures" in said
    assert "2 checkpoints and 0 batches of writes in 2 threads" in said


@pytest.mark.parametrize("tests", [NOTHING_PUT, WITH_OWN_SAVER], ids=["nothing put", "no fixture used"])
def test_a_session_that_did_not_test_the_fixtures_fails_although_its_tests_pass(tmp_path: Path, tests: str) -> None:
    code, said = session(tmp_path, tests)
    assert "1 passed" in said
    assert code == pytest.ExitCode.TESTS_FAILED


def test_a_session_without_a_test_fails(tmp_path: Path) -> None:
    code, said = session(tmp_path, ALL_KINDS, "-k", "nothing_of_this_name")
    assert "3 deselected" in said
    assert code == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_fixture_that_was_not_exchanged_fails(tmp_path: Path) -> None:
    code, said = session(tmp_path, NEARER_FIXTURE.replace("InMemorySaver()", "object()") + NOTHING_PUT)
    assert "sync_checkpointer is a object, not a LedgerSaver" in said
    assert code == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(("mode", "strict"), [("strict", "false"), ("plain", "true")])
def test_mode_and_environment_must_agree_on_strictness(tmp_path: Path, mode: str, strict: str) -> None:
    code, said = session(tmp_path, ALL_KINDS, "--ledger-mode", mode, strict=strict)
    assert "LANGGRAPH_STRICT_MSGPACK must be true in mode strict" in said
    assert code == pytest.ExitCode.USAGE_ERROR


def put(saver: LedgerSaver) -> Path:
    saver.put({"configurable": {"thread_id": "t", "checkpoint_ns": ""}}, empty_checkpoint(), {}, {})
    return next(saver.root.glob("*/ledger.jsonl"))


def test_damage_that_a_test_leaves_behind_is_found() -> None:
    given = HandedOut(sealed=False, served=Counter())
    ledger = put(given.ledger())
    ledger.write_bytes(ledger.read_bytes().replace(b'"v":', b'"w":'))
    with pytest.raises(AssertionError):
        given.take_back()


def test_a_ledger_in_clear_that_should_be_sealed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    given = HandedOut(sealed=True, served=Counter())
    monkeypatch.setattr(given, "_serde", lambda: None)
    put(given.ledger())
    with pytest.raises(AssertionError):
        given.take_back()


def test_nothing_is_left_on_disk() -> None:
    given = HandedOut(sealed=False, served=Counter())
    ledgers = [put(given.ledger()), put(given.kind()())]
    given.take_back()
    assert not any(ledger.parents[1].exists() for ledger in ledgers)


def test_only_the_tests_are_taken_out_of_an_archive_and_nothing_leaves_the_folder(tmp_path: Path) -> None:
    names = ["x/tests/inner/a.py", "x/pyproject.toml", "x/langgraph/b.py", "x/tests/../../../c.py", "/tests/../../d.py"]
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 2
            archive.addfile(member, io.BytesIO(b"ok"))
        link = tarfile.TarInfo("x/tests/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    extract(tmp_path / "x.tar.gz", tmp_path / "inner" / "out")
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir())
    assert found == ["inner/out/pyproject.toml", "inner/out/tests/inner/a.py", "x.tar.gz"]


@pytest.mark.parametrize("cached", [False, True], ids=["nothing", "the tests alone"])
def test_without_network_the_runner_says_so_with_a_code_of_its_own(tmp_path: Path, cached: bool) -> None:
    if cached:
        (tmp_path / f"langgraph-{importlib.metadata.version('langgraph')}" / "tests").mkdir(parents=True)
    env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    command = [sys.executable, HERE / "run.py", "--cache", tmp_path]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 69
    assert "cannot be downloaded" in done.stderr


def test_files_that_are_no_longer_there_are_no_success(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_time_travel.py").touch()
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    call = (
        "import sys, pathlib, run; print(run.run_tests(pathlib.Path(sys.argv[1]), pathlib.Path(), 'plain', True, []))"
    )
    done = subprocess.run([sys.executable, "-c", call, tmp_path], env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout == "1\n"
    assert "no tests test_interrupt*.py, test_subgraph_persistence*.py" in done.stderr
