"""Every test of this folder that has a root ends with the consistency check of everything in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from waypost.checkpointing import LedgerSaver, fsck


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A folder of threads; at the end nothing in it may be damaged, and nothing may be left half done."""
    path = tmp_path / "root"
    yield path
    if path.is_dir():
        report = fsck(path)
        assert (report.problems, report.torn) == ([], 0)


@pytest.fixture
def damaged_root(tmp_path: Path) -> Path:
    """A folder of threads that a test damages: not checked at the end."""
    return tmp_path / "root"


@pytest.fixture
def saver(root: Path) -> Iterator[LedgerSaver]:
    with LedgerSaver(root) as made:
        yield made
