"""LedgerSaver beside LangGraph's checkpointers, and beside the disk itself: `python benchmarks/checkpointers.py`.

Needs the `bench` dependency group, and Debian's `postgresql` for PostgresSaver, which is left out where it is missing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from lib.growth import chat, messages
from lib.long import long_thread
from lib.machine import facts, file_system, now
from lib.plan import FULL, QUICK, Plan
from lib.plots import draw
from lib.postgres import NoPostgres, Server, running
from lib.profile import profile
from lib.report import page
from lib.results import Section
from lib.stores import Shop
from lib.supersteps import supersteps
from lib.verbs import reading, writing

_HERE = Path(__file__).resolve().parent
_SECTIONS: dict[str, Callable[[Shop, Plan], Section]] = {
    "put": writing,
    "read": reading,
    "supersteps": supersteps,
    "messages": messages,
    "long": long_thread,
    "profile": profile,
    "chat": chat,
}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything, in less than a minute")
    parser.add_argument(
        "--only",
        action="append",
        choices=[*_SECTIONS],
        help="this part, and leave the others on the page; may be given again",
    )
    parser.add_argument("--rounds", type=int, help="rounds of the short measurements")
    parser.add_argument("--out", type=Path, default=_HERE.parent / "docs" / "benchmarks", help="where to write")
    parser.add_argument(
        "--scratch", type=Path, help="a folder on the disk to measure; the system's temporary one if not given"
    )
    return parser.parse_args()


@contextlib.contextmanager
def shop_in(folder: Path, skipped: list[str]) -> Iterator[Shop]:
    """The stores below a folder, with a PostgreSQL server if there can be one."""
    with contextlib.ExitStack() as stack:
        server: Server | None = None
        try:
            server = stack.enter_context(running(folder / "postgres"))
        except NoPostgres as why:
            skipped.append(f"PostgresSaver: {why}")
        yield Shop(folder, server)


def main() -> None:
    """Measure, and write the page, the pictures and the raw figures."""
    args = arguments()
    plan = QUICK if args.quick else FULL
    if args.rounds:
        plan = replace(plan, rounds=args.rounds)
    skipped: list[str] = []
    with tempfile.TemporaryDirectory(prefix="checkpointers-", dir=args.scratch, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        kind = file_system(folder)
        if kind.startswith(("tmpfs", "ramfs")):
            sys.exit(f"{folder} is on {kind}, where a sync costs nothing: give a folder on a disk with --scratch")
        with shop_in(folder, skipped) as shop:
            command = shlex.join(["python", "benchmarks/checkpointers.py", *sys.argv[1:]])
            about = facts(folder, command, shop.server.version if shop.server else "; ".join(skipped))
            for part in args.only or [*_SECTIONS]:
                began = time.monotonic()
                section = _SECTIONS[part](shop, plan)
                section.measured = now()
                print(f"{part}: {time.monotonic() - began:.0f} s", file=sys.stderr)
                write(args.out, section, about)
    print(args.out / "checkpointers.md")


def write(out: Path, section: Section, about: dict[str, str]) -> None:
    """Put a section in its place on the page, and keep what was measured of the others before."""
    out.mkdir(parents=True, exist_ok=True)
    raw = out / "checkpointers.json"
    kept: list[Any] = json.loads(raw.read_bytes())["sections"] if raw.exists() else []
    known = {each["name"]: Section.of(each) for each in kept} | {section.name: section}
    sections = [known[name] for name in _SECTIONS if name in known]
    plots = draw({series.name: series for each in sections for series in each.series}, out)
    (out / "checkpointers.md").write_text(page(sections, about, plots), encoding="utf-8")
    data = {"about": about, "sections": [asdict(each) for each in sections]}
    raw.write_text(json.dumps(data, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
