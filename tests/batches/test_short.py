"""The short form of `tests/batches/run.py`."""

from __future__ import annotations

import random

from batches.kills import kill_and_resume


def test_a_batch_that_is_killed_at_random_instants_runs_every_task_once_and_in_order(tmp_path):
    seed = random.SystemRandom().randrange(10**9)
    left = kill_and_resume(tmp_path, tasks=8, kills=6, max_parallel=3, seed=seed)
    assert (left.complaints, left.kills > 0) == ([], True), f"seed {seed}: {left}"
