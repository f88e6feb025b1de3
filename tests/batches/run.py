"""A batch of 30 tasks, killed 50 times at random instants and resumed each time.

python tests/batches/run.py [--tasks N] [--kills N] [--max-parallel N] [--seed N]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from batches.kills import kill_and_resume


def main() -> int:
    """Print what happened; 0 if every task ran once, the order was kept, and the report is right."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=30)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--max-parallel", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    clock = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="waypost-batch-") as folder:
        left = kill_and_resume(
            Path(folder), tasks=given.tasks, kills=given.kills, max_parallel=given.max_parallel, seed=given.seed
        )
    print(f"{given.tasks} tasks, {left.kills} kills in {left.lives} processes, {time.monotonic() - clock:.0f} s")
    for complaint in left.complaints:
        print(f"WRONG {complaint}")
    return 1 if left.complaints or left.kills < given.kills else 0


if __name__ == "__main__":
    sys.exit(main())
