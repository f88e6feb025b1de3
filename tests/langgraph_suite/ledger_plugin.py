"""A pytest plugin that puts LedgerSaver where a test suite asks for a checkpointer; load it with `-p ledger_plugin`.

The fixtures `sync_checkpointer` and `async_checkpointer` of the suite's conftest.py are exchanged when that file is
registered, so nothing of the suite is edited. Tests that ask for neither are deselected. Each test ends with the
consistency check of what it wrote, and the session fails unless ledgers on disk held checkpoints.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import orjson
import pytest
from langgraph.checkpoint.serde import _msgpack
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from selection import LEFT_OUT, MODES
from waypost.checkpointing import LedgerSaver, fsck

FIXTURES = ("sync_checkpointer", "async_checkpointer")
SERVED = pytest.StashKey[Counter[str]]()
KEY = b"1234567890123456"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--ledger-mode", choices=MODES, default="plain", help="which LedgerSaver the tests are given")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SERVED] = Counter()
    if _msgpack.STRICT_MSGPACK_ENABLED != (mode_of(config) == "strict"):
        raise pytest.UsageError("LANGGRAPH_STRICT_MSGPACK must be true in mode strict and in no other")


def mode_of(config: pytest.Config) -> str:
    return config.getoption("ledger_mode")


# -- the exchange


@pytest.hookimpl(tryfirst=True)
def pytest_plugin_registered(plugin: Any) -> None:
    """Exchange the fixtures of a conftest.py before pytest looks for fixtures in it."""
    if Path(getattr(plugin, "__file__", None) or "").name == "conftest.py":
        for name in FIXTURES:
            if hasattr(plugin, name):
                setattr(plugin, name, globals()[name])


@pytest.fixture(params=["ledger"])
def sync_checkpointer(request: pytest.FixtureRequest) -> Iterator[LedgerSaver]:
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        yield from serve(Path(folder), request.config)


@pytest.fixture(params=["ledger"])
def async_checkpointer(request: pytest.FixtureRequest) -> Iterator[LedgerSaver]:
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        yield from serve(Path(folder), request.config)


def serve(root: Path, config: pytest.Config) -> Iterator[LedgerSaver]:
    """Give out a saver; when the test is over, check and count what is on disk."""
    sealed = mode_of(config) == "encrypted"
    serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY) if sealed else None
    with LedgerSaver(root, serde=serde) as saver:
        yield saver
    report = fsck(root)
    assert (report.problems, report.torn) == ([], 0)
    for ledger in root.glob("*/ledger.jsonl"):
        lines = [orjson.loads(line) for line in ledger.read_bytes().splitlines()]
        assert bool(lines[0]["sealed"]) == sealed
        config.stash[SERVED].update(line["kind"] for line in lines)
        config.stash[SERVED]["threads"] += 1


# -- which tests run


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept = [item for item in items if uses_saver(item) and left_out(item) is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def uses_saver(item: pytest.Item) -> bool:
    return not set(FIXTURES).isdisjoint(getattr(item, "fixturenames", ()))


def left_out(item: pytest.Item) -> str | None:
    return next((why for pattern, why in LEFT_OUT.items() if fnmatchcase(item.nodeid, pattern)), None)


# -- did it take effect


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    given = getattr(item, "funcargs", {})
    for name in set(FIXTURES) & given.keys():
        assert type(given[name]) is LedgerSaver, f"{name} is a {type(given[name]).__name__}, not a LedgerSaver"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session in which no checkpoint was served; a worker of pytest-xdist tells its controller instead."""
    served = session.config.stash[SERVED]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["served"] = dict(served)
    elif not served["checkpoint"] and not session.config.option.collectonly:
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[SERVED].update(node.workeroutput.get("served", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    served = config.stash[SERVED]
    terminalreporter.write_line(
        f"LedgerSaver ({mode_of(config)}) served {served['checkpoint']} checkpoints and {served['writes']} batches of writes"
        f" in {served['threads']} threads"
    )
    for pattern, why in LEFT_OUT.items():
        terminalreporter.write_line(f"left out: {pattern}: {why}")
