"""Where the time of a put goes inside the package, when no sync hides it."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path

import waypost.checkpointing

from lib.plan import Plan
from lib.results import Section
from lib.stores import PROCESS, Shop
from lib.work import Script

_HOUSE = Path(waypost.checkpointing.__file__).parents[1]
_ROWS = 16
_STAGES = {
    "serialising the values, before anything is waited for": (
        "packing.py:checkpoint_record",
        "packing.py:writes_record",
    ),
    "making lines: what is new, JSON, checksum, hash": ("commit.py:__init__",),
    "the file lock": ("ledger.py:lock", "files.py:unlock"),
    "the fence: the file still ends with our last line": ("ledger.py:is_as_known",),
    "the write": ("ledger.py:_put",),
    "taking the lines into the index": ("ledger.py:_take_in",),
}


def profile(shop: Shop, plan: Plan) -> Section:
    """A table of the functions that puts and put_writes spend their own time in."""
    with shop.open(PROCESS) as stores:
        store = stores[PROCESS]
        script = Script(store.saver, "t")
        store.ask("put", *script.next())
        profiler = cProfile.Profile()
        for _ in range(20 * plan.block):
            put, writes = script.next(), None
            profiler.runcall(store.ask, "put", *put)
            writes = script.writes()
            profiler.runcall(store.ask, "put_writes", *writes)
    found = pstats.Stats(profiler)
    return Section("profile", notes=[_stages(found), _table(found)])


def _stages(stats: pstats.Stats) -> str:
    """How the calls divide into what they do one after the other."""
    spent = {_place(*key): row[3] for key, row in stats.stats.items()}  # pyright: ignore
    whole = spent["checkpointing/saver.py:put"] + spent["checkpointing/saver.py:put_writes"]
    rows = [(what, sum(spent.get(f"checkpointing/{name}", 0) for name in names)) for what, names in _STAGES.items()]
    rows.append(("everything else: handing over, grouping, waiting", whole - sum(time for _, time in rows)))
    return "\n".join(
        [
            "### The stages of put and put_writes, without syncs",
            "",
            "| share | stage |",
            "| ---: | --- |",
            *(f"| {100 * time / whole:.1f} % | {what} |" for what, time in rows),
        ]
    )


def _table(stats: pstats.Stats) -> str:
    found = [(row[2], row[1], _place(*key)) for key, row in stats.stats.items()]  # pyright: ignore
    whole = sum(own for own, _, _ in found)
    rows = [
        f"| {100 * own / whole:.1f} % | {calls} | `{place}` |" for own, calls, place in sorted(found)[: -_ROWS - 1 : -1]
    ]
    return "\n".join(
        [
            "### Where the time of put and put_writes goes, without syncs",
            "",
            "Own time under cProfile, which makes small Python functions look dearer than they are.",
            "",
            "| share | calls | function |",
            "| ---: | ---: | --- |",
            *rows,
        ]
    )


def _place(file: str, line: int, name: str) -> str:
    path = Path(file)
    if path.is_relative_to(_HOUSE) and ".venv" not in path.parts:
        return f"{path.relative_to(_HOUSE)}:{name}"
    return f"{'/'.join(path.parts[-2:])}:{name}" if file != "~" else name.replace("|", "/")
