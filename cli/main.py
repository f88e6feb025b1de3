"""The `waypost` command, with all its commands."""

from __future__ import annotations

from .typed import evidence, ledgers, look, runs, servers, tasks
from .typed.app import app

__all__ = ["app", "evidence", "ledgers", "look", "main", "runs", "servers", "tasks"]


def main() -> None:
    """Entry point of the `waypost` command."""
    app(prog_name="waypost")
