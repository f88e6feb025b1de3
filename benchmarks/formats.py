"""How long reading a 5 MB file of each format takes, from bytes to a list of tasks in order.

python benchmarks/formats.py [MEGABYTES]
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from waypost.nodes.formats.foreign import open_tasks


def spec_kit(count: int) -> str:
    lines = ["# Tasks: a large one", ""]
    for number in range(1, count + 1):
        if number % 20 == 1:
            lines += ["", f"## Phase {number // 20 + 1}: User Story", "", "**Goal**: it works", ""]
            lines += ["**Independent Test**: Run `make test`", ""]
        mark = " [P]" * (number % 3 == 0)
        lines.append(f"- [ ] T{number:06d}{mark} [US1] Write the module in src/part_{number}/module.py with its tests")
        if number % 20 == 0:
            lines += ["", "**Checkpoint**: `make test` passes for this story", "", "---"]
    return "\n".join(lines) + "\n"


def spec_kit_headings(count: int) -> str:
    part = (
        "### T-{0:06d} \u2014 Write part {0}\n\n**Goal**: part {0} of the whole works\n**Status**: todo\n\n"
        "- Write the module in src/part_{0}/module.py, with all of its functions\n- Test it\n\n"
    )
    return "# Tasks\n\n" + "".join(
        part.format(number) + "**Acceptance Criteria**\n\n- [ ] `make test` passes\n\n"
        for number in range(1, count + 1)
    )


def kiro(count: int) -> str:
    lines = ["# Implementation Plan", ""]
    for number in range(1, count // 5 + 1):
        lines += [f"- [ ] {number}. Part {number}"]
        for part in range(1, 5):
            lines += [
                f"  - [ ] {number}.{part} Write piece {part} of it",
                "    - One function",
                "    - _Requirements: 1.1_",
            ]
        lines.append("")
    return "\n".join(lines) + "\n"


def task_master(count: int) -> str:
    tasks = [
        {
            "id": number,
            "title": f"Write part {number}",
            "description": "A part of the whole that has to be written. " * 3,
            "details": "1. Write it.\n2. Test it.\n" * 5,
            "testStrategy": "Run `make test` and see that it passes.",
            "priority": "high",
            "dependencies": [number - 1] if number > 1 else [],
            "status": "pending",
            "subtasks": [
                {"id": 1, "title": "A piece", "dependencies": [], "status": "pending", "details": "Write it."}
            ],
        }
        for number in range(1, count + 1)
    ]
    return json.dumps({"master": {"tasks": tasks, "metadata": {}}}, indent=2)


def backlog(count: int) -> str:
    head = "---\nid: TASK-1\ntitle: A large one\nstatus: To Do\n---\n\n## Description\n\n"
    text = "A paragraph about what has to be done, and why.\n\n" * (count // 2)
    criteria = "".join(f"- [ ] #{number} Part {number} of it works\n" for number in range(1, count + 1))
    return f"{head}{text}## Acceptance Criteria\n<!-- AC:BEGIN -->\n{criteria}<!-- AC:END -->\n"


def beads(count: int) -> str:
    text = "## Background\n\nWhy it is done.\n\n## Acceptance Criteria\n\n- It works\n- `make test` passes\n" * 2
    rows = (
        {"id": f"x-{n}", "title": f"Part {n}", "description": text, "status": "open", "issue_type": "task",
         "dependencies": [{"issue_id": f"x-{n}", "depends_on_id": f"x-{n - 1}", "type": "blocks"}] if n > 1 else []}
        for n in range(1, count + 1)
    )  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


def github(count: int) -> str:
    body = (
        "### What\n\nSomething has to be done.\n\n### Acceptance criteria\n\n- [ ] It works\n- [ ] `make test` passes\n"
        * 2
    )
    return json.dumps(
        [{"number": n, "title": f"Part {n}", "body": body, "state": "OPEN", "labels": []} for n in range(1, count + 1)]
    )


def headings(count: int) -> str:
    part = (
        "## G-{0}: Part {0}\n\n**Goal**: part {0} of the whole works\n\n**Actions**\n\n"
        "- Write the module in src/part_{0}/module.py, with all of its functions\n\n**Acceptance**\n\n"
    )
    return "# Work\n\n" + "".join(
        part.format(n) + "- `make test` passes\n\n**Dependencies**: none\n\n" for n in range(1, count + 1)
    )


FORMATS: dict[str, tuple[Callable[[int], str], str]] = {
    "spec-kit": (spec_kit, "tasks.md"),
    "spec-kit (headings)": (spec_kit_headings, "tasks.md"),
    "kiro": (kiro, "tasks.md"),
    "task-master": (task_master, "tasks.json"),
    "backlog (one task)": (backlog, "task-1 - x.md"),
    "beads": (beads, "issues.jsonl"),
    "github": (github, "issues.json"),
    "headings": (headings, "work.md"),
}


def sized(make: Callable[[int], str], size: int) -> str:
    """A file of about that many bytes, a little more."""
    per_task = len(make(400).encode()) / 400
    return make(int(size / per_task * 1.01) + 1)


def main() -> None:
    size = int(float(sys.argv[1] if len(sys.argv) > 1 else "5") * 1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        for name, (make, file) in FORMATS.items():
            path = Path(folder) / file
            path.write_text(sized(make, size), encoding="utf-8")
            started, used = time.perf_counter(), time.process_time()
            source = open_tasks(path)
            wall, cpu = time.perf_counter() - started, time.process_time() - used
            bytes_read = path.stat().st_size
            print(f"{name:<22} {bytes_read / 1e6:5.2f} MB {len(source.tasks):6d} tasks {wall:6.2f} s ({cpu:.2f} s cpu)")
            path.unlink()
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
