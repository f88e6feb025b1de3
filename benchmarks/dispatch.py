"""What a step costs over running its commands bare: `python benchmarks/dispatch.py`.

A run of N steps whose worker and check do nothing is driven through the whole pipeline, on a real ledger, and the very
same processes are started by hand in the same round. The difference is what launcher, records and graph add; it is
shown as a multiple of starting `python -c pass`, which is measured in the same round as well.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lib.machine import facts, file_system, now
from waypost import LedgerSaver, build_pipeline, new_run
from waypost.state.pipeline import Limits, PipelineState

_HERE = Path(__file__).resolve().parent
_GIT = ("git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false")

LIMIT = 3.0
# One short run says little: as many of them make a round as have these steps together.
_STEPS_A_ROUND = 10
SIZES = ((1, 1), (10, 1), (10, 8), (100, 1), (100, 8))
"""Steps, and how many of them at a time: one after the other is a chain, eight are eight ready ones."""


@dataclass
class Row:
    """Seconds of each run.

    Attributes:
        whole: the run, from its first stage to its evidence.
        bare: the same commands, as many at a time, started by hand.
        python: one start of `python -c pass`.
    """

    steps: int
    at_a_time: int
    whole: list[float] = field(default_factory=list[float])
    bare: list[float] = field(default_factory=list[float])
    python: list[float] = field(default_factory=list[float])

    def overheads(self) -> list[float]:
        """Milliseconds per step that are not the commands', run by run."""
        return [1000 * (whole - bare) / self.steps for whole, bare in zip(self.whole, self.bare, strict=True)]

    def multiples(self) -> list[float]:
        """The same in starts of Python."""
        return [cost / (1000 * start) for cost, start in zip(self.overheads(), self.python, strict=True)]


def card_of(row: Row) -> str:
    """A task of steps that do nothing, in a chain or side by side."""
    parts = ["### Task T-1: Nothing\n\n**Goal**\n\nNothing."]
    for number in range(1, row.steps + 1):
        depends = f"S{number - 1}" if row.at_a_time == 1 and number > 1 else "none"
        parts.append(
            f"#### Step S{number}: Nothing\n\n**Goal**\n\nNothing.\n\n**Concrete Actions**\n\n```bash\ntrue\n```\n\n"
            f"**Dependencies**\n\n{depends}\n\n**Acceptance Criteria**\n\n- It works. Verified by `true`"
        )
    return "\n\n".join(parts) + "\n"


def run_whole(folder: Path, row: Row) -> PipelineState:
    """One run of the pipeline, timed."""
    repo, card = folder / "repo", folder / "card.md"
    repo.mkdir(parents=True)
    for words in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "start")):
        subprocess.run([*_GIT, *words], cwd=repo, check=True)
    card.write_text(card_of(row), encoding="utf-8")
    with LedgerSaver(folder / "runs") as saver:
        pipeline = build_pipeline(saver)
        limits = Limits(max_parallel=row.at_a_time)
        clock = time.perf_counter()
        state = new_run(card, workspace=repo, runs_dir=folder / "runs", limits=limits)
        config = {"configurable": {"thread_id": state.run_id}}
        final = PipelineState.model_validate(pipeline.invoke(state, config, durability="sync"))
        row.whole.append(time.perf_counter() - clock)
    if final.status != "DONE":
        raise SystemExit(f"the run is {final.status}, its time says nothing")
    return final


def run_bare(folder: Path, row: Row, final: PipelineState) -> None:
    """The processes of that run again, by hand: workers as many at a time, checks one after the other."""
    script = folder / "actions.sh"
    script.write_text("set -euo pipefail\ntrue\n")

    def start(argv: list[str]) -> None:
        subprocess.run(argv, cwd=folder / "repo", stdin=subprocess.DEVNULL, capture_output=True, check=True)

    before = final.before.checks if final.before else ()
    checks = [list(check.argv) for check in (*before, *final.checks) if check.argv]
    clock = time.perf_counter()
    with ThreadPoolExecutor(row.at_a_time) as pool:
        list(pool.map(start, [["bash", str(script)] for _ in final.attempts]))
    for argv in checks:
        start(argv)
    row.bare.append(time.perf_counter() - clock)


def start_of_python() -> float:
    """The median time to start Python and end it again."""
    return statistics.median(
        timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)) for _ in range(9)
    )


def timed(what: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    clock = time.perf_counter()
    what()
    return time.perf_counter() - clock


def page(rows: list[Row], about: dict[str, str], measured: str) -> str:
    """The whole page as Markdown."""
    head = [
        "# What a step costs",
        """Written by `benchmarks/dispatch.py`. A run of N steps whose worker and check do nothing (`bash` with `true`,
and `true`) is driven from its card to its evidence on a real ledger; then the same processes are started by hand.
What is left is the cost of launcher, records, verification and graph. Each command runs once before the work (steps
that name the same one share it), and the last round checks every step again, so a run has more checks than steps; all
that were started are counted as commands. In each round a run of one step is made ten times. Shown are median, least
and most of all runs; a multiple is always of a run and the starts of Python just before it.""",
        "\n".join(["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in about.items())]),
        f"Measured {measured}.",
    ]
    table = [
        "| steps | at a time | whole run, ms per step | bare commands, ms per step | overhead, ms per step "
        "| `python -c pass`, ms | overhead, times `python -c pass` | at most 3 |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        per_step = [[1000 * seconds / row.steps for seconds in column] for column in (row.whole, row.bare)]
        cells = [*per_step, row.overheads(), [1000 * seconds for seconds in row.python], row.multiples()]
        reached = "yes" if statistics.median(row.multiples()) <= LIMIT else "no"
        shown = " | ".join(spread(cell) for cell in cells)
        table.append(f"| {row.steps} | {row.at_a_time} | {shown} | {reached} |")
    return "\n\n".join([*head, "\n".join(table)]) + "\n"


def spread(figures: list[float]) -> str:
    """Median, least and most."""
    return f"{statistics.median(figures):.3g} ({min(figures):.3g} to {max(figures):.3g})"


def main() -> None:
    """Measure, and write the page and the raw figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round of few steps")
    parser.add_argument("--out", type=Path, default=_HERE.parent / "docs" / "benchmarks", help="where to write")
    parser.add_argument("--scratch", type=Path, help="a folder on the disk to measure")
    args = parser.parse_args()
    sizes, rounds = (((1, 1), (4, 8)), 1) if args.quick else (SIZES, args.rounds)
    rows = [Row(steps, at_a_time) for steps, at_a_time in sizes]
    with tempfile.TemporaryDirectory(prefix="dispatch-", dir=args.scratch) as name:
        folder = Path(name)
        if not args.quick and file_system(folder).startswith(("tmpfs", "ramfs")):
            sys.exit(f"{folder} is in memory, where a sync costs nothing: give a folder on a disk with --scratch")
        # Once without a clock: what is loaded or compiled at first use is no cost of a step.
        run_whole(folder / "warm", Row(2, 1))
        for number in range(rounds):
            for row in rows:
                for again in range(max(1, _STEPS_A_ROUND // row.steps)):
                    where = folder / f"{number}-{again}-{row.steps}-{row.at_a_time}"
                    row.python.append(start_of_python())
                    run_bare(where, row, run_whole(where, row))
        about = facts(folder, shlex.join(["python", "benchmarks/dispatch.py", *sys.argv[1:]]), "none used")
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "dispatch.md").write_text(page(rows, about, now()), encoding="utf-8")
    data = {"about": about, "rows": [asdict(row) for row in rows]}
    (args.out / "dispatch.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(args.out / "dispatch.md")


if __name__ == "__main__":
    main()
