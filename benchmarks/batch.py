"""What a batch of trivial tasks costs beyond their commands, as a multiple of starting `python -c pass`.

python benchmarks/batch.py [--tasks N] [--max-parallel N] [--profile FILE]

A task is one step whose worker and whose check are `true`. What such a task runs itself (bash and a launcher for the
worker, a shell for each check) is counted as cost too: only Python's start is the measure, not what is taken off.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import io
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from typer.testing import CliRunner
from waypost.cli.main import app

CARD = """### Task T-{number:03}: Task {number}

**Goal**

Nothing is left to do.

**Concrete Actions**

```bash
true
```

**Acceptance Criteria**

- AC1: It is done. Verified by `true`

"""
_GIT = ("git", "-c", "user.name=B", "-c", "user.email=b@localhost", "-c", "commit.gpgsign=false")
_STARTS = 20


def python_start_s() -> float:
    """The median time that `python -c pass` takes, one after the other."""

    def once() -> float:
        clock = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        return time.perf_counter() - clock

    return statistics.median(once() for _ in range(_STARTS))


def batch_s(tasks: int, max_parallel: int, profile: str | None) -> float:
    """How long a batch takes, from the command line to its exit code, inside this process."""
    with tempfile.TemporaryDirectory(prefix="waypost-bench-") as name:
        folder = Path(name)
        repo = folder / "repo"
        repo.mkdir()
        subprocess.run([*_GIT, "init", "-q", "-b", "main"], cwd=repo, check=True)
        subprocess.run([*_GIT, "commit", "-q", "--allow-empty", "-m", "start"], cwd=repo, check=True)
        path = folder / "tasks.md"
        path.write_text("".join(CARD.format(number=number) for number in range(1, tasks + 1)), encoding="utf-8")
        words = ["run", path, "--workspace", repo, "--runs", folder / "runs", "--max-parallel", max_parallel]
        profiler = cProfile.Profile() if profile else contextlib.nullcontext()
        clock = time.perf_counter()
        with profiler, contextlib.redirect_stderr(io.StringIO()):
            ran = CliRunner().invoke(app, [str(word) for word in words])
        took = time.perf_counter() - clock
        if ran.exit_code:
            raise SystemExit(ran.stdout[-2000:])
        if isinstance(profiler, cProfile.Profile) and profile:
            profiler.dump_stats(profile)
        return took


def main() -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--max-parallel", type=int, default=8)
    parser.add_argument("--profile", help="write a profile of the main thread there")
    given = parser.parse_args()
    before = python_start_s()
    took = batch_s(given.tasks, given.max_parallel, given.profile)
    start = statistics.mean([before, python_start_s()])
    each = took / given.tasks
    print(f"python -c pass   {start * 1000:7.1f} ms")
    print(f"batch            {took:7.1f} s, {given.tasks} tasks, {given.max_parallel} at a time")
    print(f"each task        {each * 1000:7.1f} ms, {each / start:.1f} times python -c pass")


if __name__ == "__main__":
    main()
