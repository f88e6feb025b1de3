"""Run the fault experiments and say what they found; the exit code is 1 if any saver of ours broke a promise.

python tests/faults/run.py [--seed N] [--only NAME]... [--short] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from faults import (
    failed_sync,
    flips,
    full_disk,
    fuzz,
    hostile,
    mutations,
    power_cuts,
    power_loss,
    shim,
    storm,
    syscalls,
    two_writers,
)
from faults.nursery import Nursery
from faults.outcome import Outcome, Skip
from faults.setting import Setting
from faults.subjects import HAS_SQLITE
from faults.table import OURS, table, violations

Experiment = Callable[[Setting], list[Outcome]]
EXPERIMENTS: dict[str, Experiment] = {
    "sigkill-storm": storm.run,
    "syscalls": syscalls.run,
    "power-loss": power_loss.run,
    "flips": flips.run,
    "failed-sync": failed_sync.run,
    "hostile": hostile.run,
    "full-disk": full_disk.run,
    "power-cuts": power_cuts.run,
    "race": two_writers.race,
    "stopped-writer": two_writers.stopped,
    "crowds": two_writers.crowds,
    "mutations": mutations.run,
    "fuzz": fuzz.run,
}


def main(arguments: list[str]) -> int:
    """Run what was asked for."""
    options = _parse(arguments)
    seed = options.seed if options.seed is not None else SystemRandom().randrange(10**6)
    beside = HAS_SQLITE and not options.alone
    print(f"seed {seed}" + ("" if HAS_SQLITE else "; SqliteSaver not installed: nothing to compare with"), flush=True)
    found: dict[str, Any] = {"seed": seed, "short": options.short, "experiments": {}}
    with _tools() as (nursery, without_shim):
        for name in options.only or EXPERIMENTS:
            with tempfile.TemporaryDirectory(prefix="waypost-faults-", dir=options.dir) as folder:
                place = Path(folder).resolve()
                setting = Setting(seed, options.short, place, nursery, without_shim, beside, options.scale)
                found["experiments"][name] = _run_one(name, setting)
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print("", *table(found), sep="\n")
    broken = violations(found, OURS)
    print(f"{broken} violations by {OURS}")
    return 1 if broken else 0


@contextmanager
def _tools() -> Iterator[tuple[Nursery, str]]:
    """What forks the victims, with the shim under them; or why that cannot be built."""
    with tempfile.TemporaryDirectory(prefix="waypost-shim-") as folder:
        library, why = None, ""
        try:
            library = shim.build(Path(folder))
        except Skip as reason:
            why = str(reason)
        with Nursery(preload=library) as nursery:
            yield nursery, why


def _run_one(name: str, setting: Setting) -> dict[str, Any]:
    print(f"{name} (seed {setting.seed}{', short' if setting.short else ''})", flush=True)
    start = time.monotonic()
    try:
        outcomes = EXPERIMENTS[name](setting)
    except Skip as why:
        print(f"  skipped: {why}", flush=True)
        return {"skipped": str(why), "outcomes": []}
    seconds = time.monotonic() - start
    for outcome in outcomes:
        print(outcome)
    print(f"  {seconds:.0f} s", flush=True)
    return {"seconds": round(seconds, 1), "outcomes": [outcome.json() for outcome in outcomes]}


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, help="repeat a run; random if not given")
    parser.add_argument("--only", action="append", choices=[*EXPERIMENTS], metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--short", action="store_true", help="the sizes of continuous integration")
    parser.add_argument("--alone", action="store_true", help="without SqliteSaver")
    parser.add_argument("--scale", type=float, default=1.0, help="multiply the full sizes")
    parser.add_argument("--dir", help="where to work; the temporary folder if not given")
    parser.add_argument("--json", metavar="FILE", help="also write the findings there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
