"""Fixtures for every folder."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from kit.repos import make_repo


def pytest_configure() -> None:
    """Libraries and thousands of collected tests live to the end: the garbage collector need not look at them."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules over one big server or browser come first: workers steal from the end, where it would be made twice."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A fresh git repository with one commit."""
    return make_repo(tmp_path / "repo")
