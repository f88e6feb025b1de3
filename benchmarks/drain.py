"""How long a stop signal takes until the run is at rest and can be resumed: `python benchmarks/drain.py`."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_TARGET_S = 2.0
_GIT = ("git", "-c", "user.name=T", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false")
_FOREVER = "while :; do sleep 0.1; done"
_STUBBORN = f"trap '' TERM INT; {_FOREVER}"


def step(name: str, bash: str, verify: str = "true") -> str:
    return (
        f"#### Step {name}: {name}\n\n**Concrete Actions**\n\n```bash\n{bash}\n```\n\n"
        f"**Acceptance Criteria**\n\n- It works. Verified by `{verify}`\n\n"
    )


CASES = {
    "one worker": (step("S1", _FOREVER), "attempt_started", 1),
    "a worker that ignores signals": (step("S1", _STUBBORN), "attempt_started", 1),
    "four workers": ("".join(step(f"S{i}", _FOREVER) for i in range(4)), "attempt_started", 4),
    "a check": (step("S1", "true", "sleep 600"), "check_started", 1),
    "a check that ignores signals": (step("S1", "true", _STUBBORN), "check_started", 1),
    "make asked for a target": (step("S1", "true", "make check"), "check_started", 1),
}
_MAKEFILE = "ifneq (,$(findstring n,$(MAKEFLAGS)))\nX := $(shell sleep 600)\nendif\ncheck:\n\t@exit 2\n"


def measure(case: str) -> tuple[float, int, str]:
    """Seconds from SIGTERM to the end of the process, its exit code, and the status of the run."""
    steps, event, times = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        repo = Path(folder) / "repo"
        repo.mkdir()
        (repo / "Makefile").write_text(_MAKEFILE)
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "start")):
            subprocess.run([*_GIT, *words], cwd=repo, check=True)
        card = Path(folder) / "tasks.md"
        card.write_text(f"### Task T-1: Drain\n\n**Goal**\n\nStop.\n\n{steps}")
        command = [sys.executable, "-m", "waypost", "run", str(card), "--runs", f"{folder}/runs", "--json"]
        process = subprocess.Popen(command, cwd=repo, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        seen = 0
        while seen < times:
            seen += json.loads(process.stdout.readline())["event"] == event
        time.sleep(0.5)
        clock = time.monotonic()
        process.send_signal(signal.SIGTERM)
        last = json.loads(process.communicate()[0].splitlines()[-1])
        took_s = time.monotonic() - clock
        _end_workers(Path(folder) / "runs")
        return took_s, process.returncode, last["status"]


def _end_workers(runs: Path) -> None:
    for record in runs.glob("*/dispatch/*/*/started.json"):
        if not record.with_name("exit.json").exists():
            subprocess.run(["kill", "-9", str(json.loads(record.read_text())["launcher_pid"])], check=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="so many runs of each case")
    times = parser.parse_args().times
    print(f"SIGTERM to exit, in seconds; the target is {_TARGET_S:g} s\n")
    print(f"{'while there runs':<32}{'least':>8}{'median':>8}{'most':>8}  ended")
    good = True
    for case in CASES:
        runs = [measure(case) for _ in range(times)]
        took = sorted(seconds for seconds, _, _ in runs)
        ends = {f"exit {code} {status}" for _, code, status in runs}
        good = good and took[-1] <= _TARGET_S and ends == {"exit 4 DRAINING"}
        print(f"{case:<32}{took[0]:>8.2f}{took[len(took) // 2]:>8.2f}{took[-1]:>8.2f}  {', '.join(sorted(ends))}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
