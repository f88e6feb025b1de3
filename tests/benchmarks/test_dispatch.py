"""The benchmark of dispatch still runs, and its page compares; how fast anything is, is not tested."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "dispatch.py"


def test_each_size_is_compared_with_a_start_of_python(tmp_path: Path):
    command = [sys.executable, str(BENCHMARK), "--quick", "--out", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    page = (tmp_path / "dispatch.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (\d+) \|(?: [\d.e+-]+ \([^)]*\) \|){5} (?:yes|no) \|$", page, re.MULTILINE)
    assert rows == [("1", "1"), ("4", "8")]
