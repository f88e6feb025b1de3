"""Kill the orchestrator at random instants, resume, and count the lines of every step.

    python tests/storm/run.py --kills 200 --seed 7

Each run has a chain of steps whose workers append one line each. The orchestrator is killed by SIGKILL at a random
instant, again and again, and resumed until it ends by itself. Right is: each line exactly once, and every run DONE.
The same kills hit the same steps as plain nodes of a LangGraph graph with SqliteSaver.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit.cards import step_part, steps_card, write_card
from kit.forked import Commands, Forked, commands, until
from kit.repos import make_repo

STEPS = ("S1", "S2", "S3")
# A worker that takes a while before and after its line, so that a kill can fall on either side of it.
BASH = "sleep 0.04; echo {0} >> work.txt; sleep 0.04"
RESUMES_MAX = 50


@dataclass
class Tally:
    """What a series of kills has led to.

    Attributes:
        kills: how many orchestrators were killed while they ran.
        runs: how many runs were made.
        done: how many of them ended DONE (or, the plain graph, at its end).
        steps: how many steps they had in all.
        once, doubled, missing: how many of the steps have their line so often.
        wrong: what was wrong, and where.
    """

    subject: str
    kills: int = 0
    runs: int = 0
    done: int = 0
    steps: int = 0
    once: int = 0
    doubled: int = 0
    missing: int = 0
    wrong: list[str] = field(default_factory=list)

    def judge(self, name: str, code: int, lines: Counter[str]) -> None:
        self.runs += 1
        self.done += code == 0
        self.steps += len(STEPS)
        self.once += sum(lines[step] == 1 for step in STEPS)
        self.doubled += sum(lines[step] > 1 for step in STEPS)
        self.missing += sum(lines[step] == 0 for step in STEPS)
        if code != 0 or dict(lines) != dict.fromkeys(STEPS, 1):
            self.wrong.append(f"{name}: exit code {code}, {dict(lines)}")


class Waypost:
    """A run of ours."""

    name = "waypost"

    def __init__(self, folder: Path) -> None:
        self.repo, self.runs = make_repo(folder / "repo"), folder / "runs"
        parts = [
            step_part(step, BASH.format(step), f"grep -qx {step} work.txt", STEPS[at - 1] if at else "none")
            for at, step in enumerate(STEPS)
        ]
        self.card = write_card(folder, steps_card(*parts))

    def start(self, orchestrators: Commands) -> Forked:
        """Run it, or resume it once something of it stands on disk."""
        asked = (self.runs / "R" / "request.json").exists()
        if not asked and (self.runs / "R").exists():
            # Killed between claiming its name and writing what it is to do: nobody was told of this run.
            shutil.rmtree(self.runs / "R")
        begin = ("run", str(self.card), "--workspace", str(self.repo), "--run-id", "R")
        arguments = ("resume", "R") if asked else begin
        return orchestrators.start("waypost", *arguments, "--runs", str(self.runs), cwd=self.repo)

    def lines(self) -> Counter[str]:
        return _lines(self.repo / "work.txt")


class Plain:
    """A plain LangGraph graph of the same steps."""

    name = "plain LangGraph nodes, SqliteSaver"

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "plain"
        self.folder.mkdir(parents=True)
        self.steps = json.dumps([[step, BASH.format(step)] for step in STEPS])

    def start(self, orchestrators: Commands) -> Forked:
        return orchestrators.start("plain", str(self.folder / "checkpoints.db"), self.steps, cwd=self.folder)

    def lines(self) -> Counter[str]:
        return _lines(self.folder / "work.txt")


def _lines(path: Path) -> Counter[str]:
    # A worker that nobody waits for any more may still be about to write: wait until nothing is added.
    seen = None
    while seen != (now := path.read_text().split() if path.exists() else []):
        seen = now
        time.sleep(0.15)
    return Counter(now)


def storm(kind: type[Waypost] | type[Plain], orchestrators: Commands, *, kills: int, seed: int, folder: Path) -> Tally:
    """So many kills of one kind of run; each run is killed up to four times before it may end."""
    tally, dice = Tally(kind.name), random.Random(f"{seed}")
    whole_s = _undisturbed_s(kind, orchestrators, folder / "first")
    number = 0
    while tally.kills < kills:
        number += 1
        name = f"run {number}"
        subject = kind(folder / f"{number}")
        planned = [dice.uniform(0, whole_s / (1 + after)) for after in range(dice.randint(1, 4))]
        code, before, clock = -signal.SIGKILL, tally.kills, time.monotonic()
        for _ in range(RESUMES_MAX):
            process = subject.start(orchestrators)
            if planned and until(process.pid, planned.pop(0)):
                process.kill()
            code = process.wait()
            tally.kills += code == -signal.SIGKILL
            if code != -signal.SIGKILL:
                break
        if tally.kills == before:
            # It was faster than we thought: kills behind its end say nothing.
            whole_s = min(whole_s, time.monotonic() - clock)
        tally.judge(name, code, subject.lines())
    return tally


def _undisturbed_s(kind: type[Waypost] | type[Plain], orchestrators: Commands, folder: Path) -> float:
    """How long a whole run takes here and now: kills are spread over that."""
    subject = kind(folder)
    clock = time.monotonic()
    code = subject.start(orchestrators).wait()
    took_s = time.monotonic() - clock
    if code != 0 or dict(subject.lines()) != dict.fromkeys(STEPS, 1):
        raise SystemExit(f"{kind.name} does not even work undisturbed: exit code {code}, {dict(subject.lines())}")
    return took_s


def main(arguments: list[str] | None = None) -> int:
    """Storm both, print a table (or JSON). 1 where a promise of ours was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(arguments)
    tallies: list[Tally] = []
    with tempfile.TemporaryDirectory(prefix="storm-") as name, commands() as orchestrators:
        for kind in (Waypost, Plain):
            folder = Path(name) / kind.__name__
            tallies.append(storm(kind, orchestrators, kills=args.kills, seed=args.seed, folder=folder))
    if args.json:
        print(json.dumps({"seed": args.seed, "subjects": [asdict(tally) for tally in tallies]}))
    else:
        print(f"seed {args.seed}, {args.kills} kills each")
        for tally in tallies:
            print(
                f"{tally.subject}: {tally.kills} kills, {tally.done} of {tally.runs} runs at their end, "
                f"{tally.steps} steps: {tally.once} lines once, {tally.doubled} doubled, {tally.missing} missing"
            )
            for wrong in tally.wrong if tally.subject == Waypost.name else []:
                print(f"  {wrong}")
    return 1 if tallies[0].wrong else 0


if __name__ == "__main__":
    sys.exit(main())
