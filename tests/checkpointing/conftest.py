"""Every test of this folder ends with the consistency check of all ledgers that it has made, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from waypost.checkpointing import LedgerSaver, fsck


@pytest.fixture(autouse=True)
def sound_ledgers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """At the end nothing may be damaged or left half done, unless the test asked for a root that it damages."""
    yield
    if "damaged_root" in request.fixturenames:
        return
    for ledger in tmp_path.rglob("ledger.jsonl"):
        report = fsck(ledger)
        assert (report.problems, report.torn) == ([], 0), ledger


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of threads."""
    return tmp_path / "root"


@pytest.fixture
def damaged_root(tmp_path: Path) -> Path:
    """A folder of threads that a test damages: not checked at the end."""
    return tmp_path / "root"


@pytest.fixture
def saver(root: Path) -> Iterator[LedgerSaver]:
    with LedgerSaver(root) as made:
        yield made
