"""Drive every stand-in with huge output and see that neither we nor the launcher grow with it.

    python tests/standins/huge.py --bytes 1000000000

prints one line per agent: outcome, seconds, and by how much the peak of our resident memory grew meanwhile. Exits 1
where an attempt does not end as it should, or memory grew by more than `--limit-bytes`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit.jobs import Recorded, make_job
from kit.standins import StandIns
from waypost.nodes.dispatch import dispatch
from waypost.nodes.workers.agents import shipped_agents
from waypost.state.records import AttemptOutcome

# What one line may take, as bytes, as text, and as what is parsed from it; the output may be any number of times that.
LIMIT_BYTES = 40 << 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--limit-bytes", type=int, default=LIMIT_BYTES)
    parser.add_argument("--agents", nargs="*", default=sorted(shipped_agents()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="waypost-huge-") as folder:
        # Every agent is driven, also after one that failed.
        good = [drive(Path(folder) / agent, agent, options.bytes, options.limit_bytes) for agent in options.agents]
    return 0 if all(good) else 1


def drive(folder: Path, agent: str, size: int, limit: int) -> bool:
    standins = StandIns(folder / "bin")
    os.environ["PATH"] = f"{standins.folder}{os.pathsep}{os.environ['PATH']}"
    workspace = folder / "workspace"
    workspace.mkdir()
    recorded = Recorded(folder / "runs")
    # Loads and caches what any first attempt needs, so that only the size makes a difference.
    dispatch(make_job(workspace, bash="true", worker=agent), Recorded(folder / "before").call)
    standins.tell("huge", bytes=size)
    before, clock = peak_bytes(), time.monotonic()
    job = make_job(workspace, bash="true", worker=agent, output_limit_bytes=2 * size)
    attempt = dispatch(job, recorded.call).update["attempts"][0]
    grown, took = peak_bytes() - before, time.monotonic() - clock
    log = recorded.run_dir / attempt.folder / "stdout.log"
    launcher = json.loads((log.parent / "exit.json").read_text())["max_rss_bytes"]
    right = attempt.outcome is AttemptOutcome.FINISHED and attempt.succeeded and log.stat().st_size >= size * 0.99
    session = "session known" if attempt.session else "no session"
    print(
        f"{agent:<9} {log.stat().st_size:>11} bytes  {attempt.outcome.value}, {session}  {took:6.1f} s  "
        f"grew {grown / 2**20:5.1f} MiB  stand-in {launcher / 2**20:5.1f} MiB  {attempt.reason}",
        flush=True,
    )
    log.unlink()
    return right and grown <= limit


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    sys.exit(main())
