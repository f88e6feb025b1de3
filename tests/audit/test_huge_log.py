"""The short form of `make huge-log`: 30 MB instead of a gigabyte, with the same bound on memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_huge_output_that_imitates_frames_is_read_back_exactly_in_bounded_memory():
    script = Path(__file__).with_name("huge_log.py")
    ran = subprocess.run([sys.executable, str(script), "--bytes", "30000000"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "exactly as printed" in ran.stdout
