"""The short form of `make huge-output`: 30 MB instead of a gigabyte, with the same bound on memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from waypost.nodes.workers.agents import shipped_agents


def test_huge_output_of_every_agent_ends_right_and_memory_does_not_grow_with_it():
    script = Path(__file__).with_name("huge.py")
    ran = subprocess.run([sys.executable, str(script), "--bytes", "30000000"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [line.split()[0] for line in ran.stdout.splitlines()] == sorted(shipped_agents())
