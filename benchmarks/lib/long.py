"""A thread with very many checkpoints: what a put costs at its end, and how long it takes to open it from nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from lib.plan import Plan
from lib.results import Section, Series, Target
from lib.stores import LEDGER, POSTGRES, PROCESS, SQLITE, Shop, Store
from lib.verbs import timed
from lib.work import Script

_NAMES = (LEDGER, PROCESS, SQLITE, POSTGRES)
_EARLY = 10
_CHILD = Path(__file__).with_name("cold.py")
_FLOOR = "read, hash and parse"


def long_thread(shop: Shop, plan: Plan) -> Section:
    """Puts at both ends of a long thread in turn, then opening it in fresh processes."""
    with shop.open(*_NAMES) as stores:
        built = {name: _Ends(store, plan) for name, store in stores.items()}
        late = _late_puts(stores, built, plan)
        along = _along(built)
        cold = _cold_opens(stores, plan)
    many = plan.thread
    ends = [
        Target(f"{name}: put at step {many}, times that at step {_EARLY}", 1.2, "late_put", _late(name), _early(name))
        for name in (LEDGER, PROCESS)
    ]
    opening = [
        Target(f"cold open and newest of {many} checkpoints", 25, "cold_open", LEDGER, unit="ms"),
        Target("or, without an index, times reading, hashing and parsing", 3, "cold_open", LEDGER, _FLOOR),
    ]
    return Section("long", [late, along, cold], [*ends, *opening])


def _early(name: str) -> str:
    return f"{name}, step {_EARLY}"


def _late(name: str) -> str:
    return f"{name}, last step"


class _Ends:
    """A thread built without syncs, so that the building does not take minutes, with the time of every put."""

    def __init__(self, store: Store, plan: Plan) -> None:
        self.script = Script(store.saver, "long")
        store.hurry(True)
        self.times = [_put(store, self.script) for _ in range(plan.thread)]
        store.hurry(False)
        store.ask("put", *self.script.next())


def _late_puts(stores: dict[str, Store], built: dict[str, _Ends], plan: Plan) -> Series:
    how = "The same change is put, in turn, behind the long thread and to a young thread of the same store."
    series = Series("late_put", "A put at both ends of a long thread", "ms", how)
    for at in range(plan.rounds):
        series.begin_round()
        for name, store in stores.items():
            young = Script(store.saver, f"young{at}")
            for _ in range(_EARLY):
                store.ask("put", *young.next())
            pairs = [(_put(store, young), _put(store, built[name].script)) for _ in range(plan.block)]
            series.add(_early(name), statistics.median(early for early, _ in pairs))
            series.add(_late(name), statistics.median(late for _, late in pairs))
    return series


def _put(store: Store, script: Script) -> float:
    arguments = script.next()
    return timed(lambda: store.ask("put", *arguments))


def _along(built: dict[str, _Ends]) -> Series:
    """The building itself, in twenty parts: a series whose rounds are the parts, for the plot."""
    how = "Medians of twenty equal parts of the building, which is done without syncs."
    series = Series("along", "A put along the thread, without syncs", "ms", how)
    parts = 20
    for part in range(parts):
        series.begin_round()
        for name, ends in built.items():
            size = len(ends.times) // parts
            series.add(name, statistics.median(ends.times[part * size : (part + 1) * size]))
    return series


def _cold_opens(stores: dict[str, Store], plan: Plan) -> Series:
    how = (
        "A fresh process each time; the clock starts after the imports. The files are in the page cache. "
        f"`{_FLOOR}` is SHA-256 and orjson over each line of the ledger, and nothing else."
    )
    series = Series(
        "cold_open", f"Cold open and newest of a thread of {plan.thread} checkpoints", "ms", how, (_FLOOR, SQLITE)
    )
    addresses = {name: store.address for name, store in stores.items()}
    for _ in range(plan.cold):
        series.begin_round()
        for name, address in addresses.items():
            series.add(name, _cold(name, address))
        series.add(_FLOOR, _cold(_FLOOR, addresses[LEDGER]))
    return series


def _cold(kind: str, address: str) -> float:
    ran = subprocess.run([sys.executable, str(_CHILD), kind, address], capture_output=True, text=True, check=True)
    return float(ran.stdout)
