"""Fixtures for every folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.repos import make_repo


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A fresh git repository with one commit."""
    return make_repo(tmp_path / "repo")
