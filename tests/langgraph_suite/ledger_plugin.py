"""A pytest plugin that puts LedgerSaver where a test suite uses a checkpointer; load it with `-p ledger_plugin`.

The fixtures `sync_checkpointer` and `async_checkpointer` of the suite's conftest.py are exchanged when that file is
registered, so nothing of the suite is edited. Where a test makes an `InMemorySaver` itself, the name means a
LedgerSaver while it runs. Tests that do neither are deselected. Each test ends with the consistency check of what it
wrote, and the session fails unless the fixtures were used and checkpoints stood on disk.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from fnmatch import fnmatchcase
from pathlib import Path
from types import CodeType
from typing import Any
from unittest import mock

import pytest
from handed_out import HandedOut
from langgraph.checkpoint.serde import _msgpack
from selection import LEFT_OUT, MODES, SLOWED
from waypost.checkpointing import LedgerSaver

FIXTURES = frozenset({"sync_checkpointer", "async_checkpointer"})
OWN_SAVERS = ("InMemorySaver", "MemorySaver")
SERVED = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--ledger-mode", choices=MODES, default="plain", help="which LedgerSaver the tests are given")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SERVED] = Counter()
    if (mode_of(config) == "strict") != _msgpack.STRICT_MSGPACK_ENABLED:
        raise pytest.UsageError("LANGGRAPH_STRICT_MSGPACK must be true in mode strict and in no other")


def mode_of(config: pytest.Config) -> str:
    return config.getoption("ledger_mode")


# The exchange.


@pytest.hookimpl(tryfirst=True)
def pytest_plugin_registered(plugin: Any) -> None:
    """Exchange the fixtures of a conftest.py before pytest looks for fixtures in it."""
    if Path(getattr(plugin, "__file__", None) or "").name == "conftest.py":
        for name in FIXTURES & vars(plugin).keys():
            setattr(plugin, name, globals()[name])


@pytest.fixture
def handed_out(request: pytest.FixtureRequest) -> Iterator[HandedOut]:
    given = HandedOut(sealed=mode_of(request.config) == "encrypted", served=request.config.stash[SERVED])
    yield given
    given.take_back()


@pytest.fixture(params=["ledger"])
def sync_checkpointer(handed_out: HandedOut) -> LedgerSaver:
    return handed_out.ledger()


@pytest.fixture(params=["ledger"])
def async_checkpointer(handed_out: HandedOut) -> LedgerSaver:
    return handed_out.ledger()


@pytest.fixture(autouse=True)
def own_savers(request: pytest.FixtureRequest, handed_out: HandedOut) -> Iterator[None]:
    """What the test's module calls InMemorySaver is a LedgerSaver while the test runs."""
    kinds = {name: handed_out.kind() for name in OWN_SAVERS if hasattr(request.module, name)}
    with mock.patch.multiple(request.module, **kinds) if kinds else nullcontext():
        yield


# Which tests run.


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept = {item for item in items if (through_fixture(item) or through_own_saver(item)) and not left_out(item)}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


def through_fixture(item: pytest.Item) -> bool:
    return not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def through_own_saver(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and not names_in(item.function.__code__).isdisjoint(OWN_SAVERS)


def names_in(code: CodeType) -> set[str]:
    inner = [names_in(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*inner)


def left_out(item: pytest.Item) -> bool:
    return any(fnmatchcase(item.nodeid, pattern) for pattern in LEFT_OUT)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    given = getattr(item, "funcargs", {})
    for name in FIXTURES & given.keys():
        assert type(given[name]) is LedgerSaver, f"{name} is a {type(given[name]).__name__}, not a LedgerSaver"
        item.config.stash[SERVED]["tests"] += 1
    factors = [factor for pattern, (factor, _) in SLOWED.items() if fnmatchcase(item.nodeid, pattern)]
    with slower(factors[0]) if factors else nullcontext():
        return (yield)


@contextmanager
def slower(factor: int) -> Iterator[None]:
    """Every asyncio.sleep takes so many times longer, so that what is ordered by sleeping keeps its order."""
    sleep = asyncio.sleep
    with mock.patch("asyncio.sleep", lambda delay, *result: sleep(delay * factor, *result)):
        yield


# Whether it took effect.


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session without a saver served; a worker of pytest-xdist tells its controller instead."""
    served = session.config.stash[SERVED]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["served"] = dict(served)
    elif not (served["tests"] and served["checkpoint"]) and not session.config.option.collectonly:
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[SERVED].update(getattr(node, "workeroutput", {}).get("served", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    served = config.stash[SERVED]
    terminalreporter.section(f"LedgerSaver, {mode_of(config)}")
    terminalreporter.line(
        f"{served['tests']} tests through the fixtures; on disk at their ends and those of the others:"
        f" {served['checkpoint']} checkpoints and {served['writes']} batches of writes in {served['open']} threads"
    )
    for pattern, why in LEFT_OUT.items():
        terminalreporter.line(f"left out  {pattern}: {why}")
    for pattern, (_, why) in SLOWED.items():
        terminalreporter.line(f"slowed    {pattern}: {why}")
