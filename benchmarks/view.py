"""How long the viewer makes a person wait: `python benchmarks/view.py [--runs 10000] [--checkpoints 10000]`.

A folder of very many runs is made from one real run, a thread of very many checkpoints and a ledger of 100 MB are put
beside them, and `waypost view` is asked for its pages over HTTP, as a browser asks for them.
"""

from __future__ import annotations

import argparse
import http.client
import json
import operator
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypedDict

import psutil
from langgraph.graph import END, START, StateGraph
from lib.machine import facts, now
from waypost import LedgerSaver, build_pipeline, new_run

_HERE = Path(__file__).resolve().parent
_GIT = ("git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false")
_TIMES = 15
LIST_LIMIT_MS, RUN_LIMIT_MS, MEMORY_LIMIT_MB = 500, 1000, 300

CARD = """### Task BENCH-1: Touch a file

**Goal**

It is there.

**Concrete Actions**

```bash
echo x > out.txt
```

**Acceptance Criteria**

- AC1: It is there. Verified by `test -s out.txt`
"""


class Talk(TypedDict):
    """A list that grows, and a text that is another one at each step."""

    lines: Annotated[list[str], operator.add]
    text: str


class Asker:
    """A browser, as far as the server can tell."""

    def __init__(self, address: str) -> None:
        found = re.fullmatch(r"http://([^:]+):(\d+)/\?token=(.+)", address)
        assert found is not None
        self._host, self._port = found[1], int(found[2])
        self._cookie = f"waypost_view_{found[2]}={found[3]}"

    def get(self, path: str) -> str:
        """A page. The whole answer is waited for."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=600)
        connection.request("GET", path, headers={"Cookie": self._cookie})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        assert answer.status == 200, (path, answer.status, body[:500])
        return body

    def wait_ms(self, path: str) -> float:
        """Milliseconds until a page was there."""
        began = time.perf_counter()
        self.get(path)
        return 1000 * (time.perf_counter() - began)


@contextmanager
def viewer(runs: Path, cache: Path) -> Iterator[tuple[Asker, psutil.Process, float]]:
    """`waypost view` as a process of its own; with the seconds until it said where."""
    began = time.perf_counter()
    words = [sys.executable, "-m", "waypost", "view", str(runs), "--json"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        address = json.loads(process.stdout.readline())["address"]
        yield Asker(address), psutil.Process(process.pid), time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(30)


def make_runs(folder: Path, number: int) -> Path:
    """Very many runs: one is real, the others are its ledger under other names."""
    repo, runs = folder / "repo", folder / "runs"
    repo.mkdir()
    (repo / "README").write_text("x\n")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "start")):
        subprocess.run([*_GIT, *words], cwd=repo, check=True)
    (folder / "tasks.md").write_text(CARD)
    with LedgerSaver(runs, durability="process", mirror=False) as saver:
        run = new_run(folder / "tasks.md", workspace=repo, runs_dir=runs, run="BENCH-1_first")
        final = build_pipeline(saver).invoke(run, {"configurable": {"thread_id": run.run_id}})
        assert final["status"] == "DONE", final
        for copy in range(1, number):
            name = f"BENCH-1_copy-{copy:06d}"
            saver.copy_thread(run.run_id, name)
            saver.release(name)
    return runs


def make_thread(runs: Path, name: str, checkpoints: int, text_bytes: int) -> None:
    """A thread of that many checkpoints: each has a line more than the one before, and another text of that size."""

    def speak(state: Talk) -> dict[str, Any]:
        number = len(state["lines"])
        return {"lines": [f"{number} a line"], "text": f"{number:09}" * (text_bytes // 9)}

    builder = StateGraph(Talk)
    builder.add_node("speak", speak)
    builder.add_edge(START, "speak")
    builder.add_conditional_edges("speak", lambda state: "speak" if len(state["lines"]) < checkpoints - 2 else END)
    with LedgerSaver(runs, durability="process", mirror=False) as saver:
        graph = builder.compile(checkpointer=saver)
        graph.invoke(Talk(lines=[], text=""), {"configurable": {"thread_id": name}, "recursion_limit": checkpoints + 9})


def once(ask: Asker, process: psutil.Process, path: str) -> str:
    """How long one page takes, and how much of that the server has worked."""

    def worked_s() -> float:
        times = process.cpu_times()
        return times.user + times.system

    before = worked_s()
    wait_ms = ask.wait_ms(path)
    return f"{wait_ms:.0f} ms, {1000 * (worked_s() - before):.0f} ms of it at work"


def missing(page: str) -> int:
    """How many runs the list says are still to be read."""
    found = re.search(r"Reading the ledgers: (\d+) of", page)
    return int(found[1]) if found else 0


def measure(runs: Path, cache: Path, names: dict[str, str]) -> dict[str, str]:
    """Every figure, in words."""
    told: dict[str, str] = {}
    with viewer(runs, cache) as (ask, process, start_s):
        told["start, until the address is printed"] = f"{start_s:.2f} s"
        told["first page of a folder never seen"] = once(ask, process, "/")
        began = time.perf_counter()
        while missing(ask.get("/")):
            time.sleep(0.5)
        told["all runs read for the first time, meanwhile pages are served"] = f"{time.perf_counter() - began:.1f} s"
        for label, path in (
            ("the list", "/"),
            ("its last page", "/?page=200"),
            ("a search in it", "/?q=copy-0099+done"),
            ("a status of it", "/?status=DONE"),
        ):
            told[label] = _times(lambda path=path: ask.wait_ms(path))
        told["memory then"] = _memory(process)
    with viewer(runs, cache) as (ask, process, _start_s):
        told["the list at the second start, first page"] = once(ask, process, "/")
        for label, name in names.items():
            told[f"{label}: opened for the first time"] = once(ask, process, f"/run/{name}")
            told[f"{label}: opened again"] = _times(lambda name=name: ask.wait_ms(f"/run/{name}"))
            pages = f"/run/{name}/states"
            told[f"{label}: an old page of checkpoints"] = _times(lambda at=f"{pages}?page=9": ask.wait_ms(at))
            line = re.search(rf"{pages}/(\d+)", ask.get(f"/run/{name}"))
            assert line is not None
            told[f"{label}: the newest state"] = _times(lambda at=f"{pages}/{line[1]}": ask.wait_ms(at))
        told["memory in the end"] = _memory(process)
    return told


def _times(once: Callable[[], float]) -> str:
    found = [once() for _ in range(_TIMES)]
    return f"{statistics.median(found):.0f} ms median, {max(found):.0f} ms at most"


def _memory(process: psutil.Process) -> str:
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    return f"{process.memory_info().rss / 1e6:.0f} MB, at its peak {int(peak[1]) / 1e3:.0f} MB" if peak else "not known"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--checkpoints", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--keep", type=Path, help="a folder to work in, and to leave; made if it is not there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="waypost-bench-view-") as name:
        folder = given.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        runs = folder / "runs"
        if not runs.exists():
            runs = make_runs(folder, given.runs)
            make_thread(runs, "long", given.checkpoints, 9)
            make_thread(runs, "big", given.megabytes * 10, 100_000)
        sizes = {one: (runs / one / "ledger.jsonl").stat().st_size / 1e6 for one in ("long", "big")}
        names = {
            f"{given.checkpoints} checkpoints, {sizes['long']:.0f} MB": "long",
            f"a ledger of {sizes['big']:.0f} MB": "big",
        }
        print(f"{now()}\n")
        for label, text in facts(folder, " ".join(sys.argv), "").items():
            print(f"- {label}: {text}")
        print(f"\n| {given.runs} runs | |\n| --- | --- |")
        for label, text in measure(runs, folder / f"cache-{os.getpid()}", names).items():
            print(f"| {label} | {text} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
