"""The benchmark of the viewer still runs; how fast anything is, is not tested."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "view.py"


def test_every_figure_is_measured(tmp_path: Path):
    words = ("--runs", "3", "--checkpoints", "20", "--megabytes", "1", "--keep", str(tmp_path / "kept"))
    ran = subprocess.run([sys.executable, str(BENCHMARK), *words], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    figure = r"[\d.]+ (?:s|ms, \d+ ms of it at work|ms median, \d+ ms at most|MB, at its peak \d+ MB)"
    assert len(re.findall(rf"^\| .+ \| {figure} \|$", ran.stdout, re.MULTILINE)) == 18
