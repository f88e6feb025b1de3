"""Names that options and completion share."""

from __future__ import annotations

from pathlib import Path

RUNS_DIR = Path(".artifacts/agent_runs")
