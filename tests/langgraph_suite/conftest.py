"""The marker of this folder's slow test."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "langgraph_suite: runs a part of LangGraph's own test suite; about a minute")
