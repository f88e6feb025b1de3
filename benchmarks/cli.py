"""How long a person waits for the command line, as whole processes: help, the list of many runs, and one run.

python benchmarks/cli.py [--runs N] [--rounds N] [--profile FILE]

Each figure is the least of all rounds, their median, and the time of the processor, which says more on a machine that
does other things too. `--help` is measured beside a process that only imports what
every command line of this kind needs. The runs are copies of two real ones, one that is DONE and one that is BLOCKED.
"""

from __future__ import annotations

import argparse
import cProfile
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lib.machine import now
from typer.testing import CliRunner
from waypost.checkpointing import LedgerSaver
from waypost.cli.main import app

HELP_TIMES, STATUS_MS = 1.6, 700.0
_GIT = ("git", "-c", "user.name=B", "-c", "user.email=b@localhost", "-c", "commit.gpgsign=false")
_CARD = """### Task T-1: Make a file, and another one

**Goal**

Two files.

#### Step S1: The first

**Goal**

One file.

**Concrete Actions**

```bash
echo x > one
```

**Acceptance Criteria**

- AC1: It is there. Verified by `test -s one`

#### Step S2: The second

**Goal**

Another file.

**Concrete Actions**

```bash
echo x > two
```

**Dependencies**

S1

**Acceptance Criteria**

- AC1: It is there. Verified by `test -s {wanted}`
"""


class Took(NamedTuple):
    """The least and the median time of a process, and the least time that it kept a processor busy; milliseconds."""

    least: float
    median: float
    cpu: float


def timed_ms(words: Sequence[str], rounds: int) -> Took:
    """How long a process takes, from its start to its end."""

    def once() -> tuple[float, float]:
        clock, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, check=True, capture_output=True)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        return (time.perf_counter() - clock) * 1000, cpu * 1000

    took = [once() for _ in range(rounds)]
    walls = [wall for wall, _ in took]
    return Took(min(walls), statistics.median(walls), min(cpu for _, cpu in took))


def two_runs(folder: Path) -> Path:
    """A folder with one run that is DONE and one that is BLOCKED."""
    repo = folder / "repo"
    repo.mkdir()
    subprocess.run([*_GIT, "init", "-q", "-b", "main"], cwd=repo, check=True)
    subprocess.run([*_GIT, "commit", "-q", "--allow-empty", "-m", "start"], cwd=repo, check=True)
    for name, wanted in (("done", "two"), ("blocked", "three")):
        path = folder / f"{name}.md"
        path.write_text(_CARD.format(wanted=wanted), encoding="utf-8")
        words = ["run", path, "--workspace", repo, "--runs", folder / "made", "--run-id", name, "--max-rework", "1"]
        ran = CliRunner().invoke(app, [*(str(word) for word in words), "--quiet"])
        if ran.exit_code != {"done": 0, "blocked": 3}[name]:
            raise SystemExit(ran.output[-2000:])
    return folder / "made"


def many_runs(made: Path, runs: Path, count: int) -> None:
    """So many copies of them, each a ledger of its own, with all files that a run leaves."""
    for number in range(count):
        source, name = ("done", "blocked")[number % 2], f"R-{number:05}"
        shutil.copytree(made / source, runs / name, ignore=shutil.ignore_patterns("ledger.jsonl", "lock", "watermark"))
    for source in ("done", "blocked"):
        shutil.copytree(made / source, runs / source)
    with LedgerSaver(runs, durability="process", mirror=False) as saver:
        for number in range(count):
            saver.copy_thread(("done", "blocked")[number % 2], f"R-{number:05}")
    for source in ("done", "blocked"):
        shutil.rmtree(runs / source)


def main() -> None:
    """Print one line for each figure; exit 1 where a target was missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--profile", help="write a profile of `waypost status` there")
    given = parser.parse_args()
    waypost = [sys.executable, "-m", "waypost"]
    print(now())
    base = timed_ms([sys.executable, "-c", "import typer, rich"], given.rounds)
    helped = timed_ms([*waypost, "--help"], given.rounds)
    _tell("import typer, rich", base)
    _tell("waypost --help", helped, f"{helped.least / base.least:.2f} times, to reach at most {HELP_TIMES}")
    with tempfile.TemporaryDirectory(prefix="waypost-bench-") as name:
        folder = Path(name)
        made, runs = two_runs(folder), folder / "runs"
        runs.mkdir()
        many_runs(made, runs, given.runs)
        listed = timed_ms([*waypost, "status", "--runs", str(runs)], given.rounds)
        _tell(f"waypost status, {given.runs} runs", listed, f"to reach at most {STATUS_MS:.0f} ms")
        for verb in ("status", "explain"):
            _tell(f"waypost {verb} RUN", timed_ms([*waypost, verb, "R-00001", "--runs", str(runs)], given.rounds))
        if given.profile:
            with cProfile.Profile() as profile:
                CliRunner().invoke(app, ["status", "--runs", str(runs)])
            profile.dump_stats(given.profile)
    sys.exit(helped.least / base.least > HELP_TIMES or listed.least > STATUS_MS)


def _tell(what: str, took: Took, target: str = "") -> None:
    line = f"{what:<28} {took.least:7.0f} ms   median {took.median:7.0f} ms   processor {took.cpu:6.0f} ms   {target}"
    print(line.rstrip())


if __name__ == "__main__":
    main()
