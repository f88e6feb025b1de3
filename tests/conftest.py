"""Fixtures for every folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.repos import make_repo


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules over one big server or browser come first: workers steal from the end, where it would be made twice."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A fresh git repository with one commit."""
    return make_repo(tmp_path / "repo")
