"""How long an audit takes beyond hashing the bytes: of a real run with 1,000 checks and 100 MB of logs, and its bundle.

    python benchmarks/audit.py [--checks 1000] [--megabytes 100] [--rounds 7] [--folder DIR] [--profile]

The run is made first, by `waypost run` with as many commands that each print their share, and takes a minute or two;
in `--folder` it stays, and is used again. The commands do not run before the work too, or there would be twice as many.
Then audit and plain SHA-256 over the same files are timed in turn, in this process. Exit code 1 where the median audit
takes more than `--limit-s` longer than hashing.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import hashlib
import io
import os
import pstats
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from waypost.cli.audit import audit
from waypost.cli.books import bundle_run

GIT = ("git", "-c", "user.name=B", "-c", "user.email=b@localhost", "-c", "commit.gpgsign=false")
BLOB = 1 << 20


def main() -> int:
    """Make the run, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=1000)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--limit-s", type=float, default=3.0)
    parser.add_argument("--folder", type=Path, help="where the run is made, and stays")
    parser.add_argument("--profile", action="store_true", help="also print where the time goes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="waypost-audit-bench-") as name:
        return compare(given.folder or Path(name), given)


def compare(folder: Path, given: argparse.Namespace) -> int:
    """Measure the run in a folder, which is made where it is not there."""
    run_dir, bundle = folder / "runs" / "R", folder / "R.tar.gz"
    if not bundle.exists():
        make_run(folder, given.checks, int(given.megabytes * 1_000_000 / given.checks))
        with contextlib.redirect_stdout(io.StringIO()):
            assert bundle_run("R", runs=run_dir.parent, out=bundle, json=True) == 0
    files = [path for path in run_dir.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    logs = [path.stat().st_size for path in run_dir.glob("checks/*/*.log")]
    print(f"{len(logs)} checks, {sum(logs) / 1e6:.0f} MB of logs; the run has {len(files)} files, {size / 1e6:.0f} MB")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    good = [
        measure("run", lambda: audited("R", run_dir.parent), files, given),
        measure("bundle", lambda: audited(str(bundle), run_dir.parent), files, given),
    ]
    return 0 if all(good) else 1


def make_run(folder: Path, checks: int, share: int) -> None:
    """A run that is DONE: one step, whose criterion rests on so many commands that each print so many bytes."""
    repo = folder / "repo"
    repo.mkdir(parents=True)
    (repo / "blob").write_bytes(os.urandom(BLOB))
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "start")):
        subprocess.run([*GIT, *words], cwd=repo, check=True)
    starts = (number * 977 % (BLOB - share) + 1 for number in range(checks))
    commands = "\n".join(f"- V{n}: `dd if=blob bs=1 iflag=skip_bytes,count_bytes,fullblock skip={at} count={share} "
                         f"ibs={share} obs={share} status=none`" for n, at in enumerate(starts, 1))  # fmt: skip
    refs = ", ".join(f"V{number}" for number in range(1, checks + 1))
    card = folder / "tasks.md"
    card.write_text(
        "### Task B-1: Print much\n\n**Goal**\n\nMuch is printed.\n\n**Concrete Actions**\n\n"
        "```bash\necho done > out.txt\n```\n\n**Acceptance Criteria**\n\n"
        f"- AC1: All of it. Verified by {refs}\n\n**Verification**\n\n{commands}\n"
    )
    runs = folder / "runs"
    words = (
        "run",
        str(card),
        "--workspace",
        str(repo),
        "--runs",
        str(runs),
        "--run-id",
        "R",
        "--no-baseline",
        "--json",
    )
    began = time.monotonic()
    ran = subprocess.run([sys.executable, "-m", "waypost", *words], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr
    print(f"made in {time.monotonic() - began:.0f} s")


def audited(what: str, runs: Path) -> None:
    """The command itself, without its own process."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = audit(what, runs=runs, opener=None, repository=None, json=True)
    assert code == 0, said.getvalue()[-2000:]


def hashed(files: list[Path]) -> None:
    """SHA-256 over each file, once."""
    for path in files:
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256").digest()


def measure(name: str, look: Callable[[], None], files: list[Path], given: argparse.Namespace) -> bool:
    """Time both in turn; True where the difference of the medians is within the limit."""
    look()
    audits, hashes = [], []
    for _ in range(given.rounds):
        audits.append(timed(look))
        hashes.append(timed(lambda: hashed(files)))
    beyond = [a - h for a, h in zip(audits, hashes, strict=True)]
    for label, found in (("audit", audits), ("hashing the same files", hashes), ("audit beyond hashing", beyond)):
        walls, cpus = [one.wall_s for one in found], [one.cpu_s for one in found]
        print(f"{name:<7} {label:<23} median {statistics.median(walls):6.3f} s ({min(walls):.3f} to {max(walls):.3f}), "
              f"of processors {statistics.median(cpus):6.3f} s ({min(cpus):.3f} to {max(cpus):.3f})")  # fmt: skip
    ratio = statistics.median(one.wall_s for one in audits) / statistics.median(one.wall_s for one in hashes)
    print(f"{name:<7} ratio                   {ratio:.1f}, {given.rounds} rounds")
    if given.profile:
        with cProfile.Profile(time.process_time) as profile:
            look()
        pstats.Stats(profile).sort_stats("cumulative").print_stats(60)
    return statistics.median(one.wall_s for one in beyond) <= given.limit_s


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, and of processors, those of git included."""

    wall_s: float
    cpu_s: float

    def __sub__(self, other: Took) -> Took:
        return Took(self.wall_s - other.wall_s, self.cpu_s - other.cpu_s)


def timed(work: Callable[[], None]) -> Took:
    """How long it takes."""
    began = now()
    work()
    return now() - began


def now() -> Took:
    """What the clocks show."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(time.perf_counter(), time.process_time() + children.ru_utime + children.ru_stime)


if __name__ == "__main__":
    sys.exit(main())
