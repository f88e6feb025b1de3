"""What single calls cost: put, put_writes, get_tuple, list, and the first put of a new thread."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig

from lib.plan import Plan
from lib.results import Section, Series, Target
from lib.stores import ASYNC_SQLITE, BARE, LEDGER, MEMORY, MIRRORED, SQLITE, SYNC, Shop, Store
from lib.work import Script

_NAMES = (*SYNC, ASYNC_SQLITE)
_WARM_UP = 3


def timed(call: Callable[[], object]) -> float:
    """How many milliseconds a call takes."""
    start = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - start) / 1e6


def writing(shop: Shop, plan: Plan) -> Section:
    """Puts and put_writes, and the bare appends of the bytes that LedgerSaver wrote for them."""
    many = plan.short_block
    put = Series(
        "put",
        "One put",
        "ms",
        f"Every step changes a counter and 1,000 characters; the median of {many} puts is one figure. "
        f"`{BARE}` writes the very lines that LedgerSaver has just written, in the same folder.",
        (BARE, SQLITE),
    )
    writes = Series(
        "put_writes", "One put_writes", "ms", "Three writes of one task, 1,000 characters in all.", (BARE, SQLITE)
    )
    first = Series("first", "The first put of a new thread", "ms", "The file is made, and synced, for it.", (SQLITE,))
    with shop.open(*_NAMES) as stores:
        benches = {name: _Bench(store) for name, store in stores.items()}
        for at in range(plan.short_rounds):
            put.begin_round()
            writes.begin_round()
            for name in _turned(stores, at):
                benches[name].measure(many, put, writes)
        for at in range(plan.few):
            first.begin_round()
            for name in _turned(stores, at):
                arguments = Script(stores[name].saver, f"new{at}").next()
                first.add(name, timed(lambda args=arguments, store=stores[name]: store.ask("put", *args)))
    what = "times the bare append + fdatasync of its bytes"
    targets = [
        Target(f"put, {what}", 1.3, "put", LEDGER, BARE),
        Target("the same with mirrors", 1.3, "put", MIRRORED, BARE),
        Target(f"put_writes, {what}", 1.3, "put_writes", LEDGER, BARE),
    ]
    return Section("put", [put, writes, first], targets)


def _turned(stores: dict[str, Store], by: int) -> Iterator[str]:
    """All stores, beginning with another one each round."""
    names = list(stores)
    yield from names[by % len(names) :] + names[: by % len(names)]


class _Bench:
    """One thread of a store, a few puts and put_writes of which are timed each round."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._script = Script(store.saver, "t")
        self._bare = (store.folder / "bare").open("xb", buffering=0)
        self._seen = 0
        self._times(_WARM_UP, "put", self._script.next)
        self._lines()

    def measure(self, many: int, put: Series, writes: Series) -> None:
        """Add the medians of so many calls to both series, and those of the bare appends if there is a ledger."""
        for verb, series, make in (("put", put, self._script.next), ("put_writes", writes, self._script.writes)):
            series.add(self._store.name, statistics.median(self._times(many, verb, make)))
            if self._store.name == LEDGER:
                series.add(BARE, statistics.median([timed(lambda x=x: self._append(x)) for x in self._lines()]))

    def _times(self, many: int, verb: str, make: Callable[[], Sequence[Any]]) -> list[float]:
        calls = [make() for _ in range(many)]
        return [timed(lambda args=args: self._store.ask(verb, *args)) for args in calls]

    def _lines(self) -> list[bytes]:
        """What the ledger got since the last time."""
        ledger = self._store.folder / "t" / "ledger.jsonl"
        if not ledger.exists():
            return []
        new = ledger.read_bytes()[self._seen :]
        self._seen += len(new)
        return new.splitlines(keepends=True)

    def _append(self, line: bytes) -> None:
        self._bare.write(line)
        os.fdatasync(self._bare.fileno())


def reading(shop: Shop, plan: Plan) -> Section:
    """get_tuple of the newest and of a given checkpoint, and list of a whole thread."""
    many = 10 * plan.block
    latest = Series("get_tuple", "get_tuple, newest", "ms", f"A thread of {many} checkpoints.", (MEMORY, SQLITE))
    by_id = Series("get_tuple_id", "get_tuple, by id", "ms", "An old checkpoint of the same thread.", (MEMORY, SQLITE))
    whole = Series("list", f"list of {many} checkpoints", "ms", "All of them are read.", (MEMORY, SQLITE))
    with shop.open(*_NAMES) as stores:
        old = {name: _fill(store, many) for name, store in stores.items()}
        for at in range(plan.rounds):
            for series in (latest, by_id, whole):
                series.begin_round()
            for name in _turned(stores, at):
                store = stores[name]
                newest = {"configurable": {"thread_id": "t"}}
                for series, config in ((latest, newest), (by_id, old[name])):
                    series.add(name, _median(lambda c=config, s=store: s.ask("get_tuple", c), plan.block))
                whole.add(name, _median(lambda c=newest, s=store: s.count(c), 3))
    return Section("read", [latest, by_id, whole])


def _median(call: Callable[[], object], times: int) -> float:
    return statistics.median([timed(call) for _ in range(times)])


def _fill(store: Store, many: int) -> RunnableConfig:
    """Put a thread; gives a checkpoint in the middle of it."""
    script = Script(store.saver, "t")
    store.hurry(True)
    configs = []
    for _ in range(many):
        store.ask("put", *script.next())
        store.ask("put_writes", *script.writes())
        configs.append(script.config)
    store.hurry(False)
    return configs[many // 2]
