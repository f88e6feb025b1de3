"""What single calls cost: put, put_writes, get_tuple, list, and the first put of a new thread."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

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
    put = Series(
        "put", "One put", "ms",
        "Every step changes a counter and 1,000 characters; the median of a block of puts is one figure. "
        f"`{BARE}` writes the very lines that LedgerSaver has just written, in the same folder.",
        (BARE, SQLITE),
    )  # fmt: skip
    first = Series("first", "The first put of a new thread", "ms", "The file is made, and synced, for it.", (SQLITE,))
    writes = Series(
        "put_writes", "One put_writes", "ms", "Three writes of one task, 1,000 characters in all.", (BARE, SQLITE)
    )
    with shop.open(*_NAMES) as stores:
        for at in range(plan.rounds):
            for series in (put, first, writes):
                series.begin_round()
            for name, store in _turned(stores, at):
                _write_block(name, store, f"r{at}", plan.block, put, first, writes)
    what = "times the bare append + fdatasync of its bytes"
    targets = [
        Target(f"put, {what}", 1.3, "put", LEDGER, BARE),
        Target("the same with mirrors", 1.3, "put", MIRRORED, BARE),
        Target(f"put_writes, {what}", 1.3, "put_writes", LEDGER, BARE),
    ]
    return Section("put", [put, writes, first], targets)


def _turned(stores: dict[str, Store], by: int) -> Iterator[tuple[str, Store]]:
    """All stores, beginning with another one each round."""
    names = list(stores)
    for at in range(len(names)):
        name = names[(at + by) % len(names)]
        yield name, stores[name]


def _write_block(name: str, store: Store, thread: str, block: int, put: Series, first: Series, writes: Series) -> None:
    script = Script(store.saver, thread)
    calls = [script.next() for _ in range(block + _WARM_UP)]
    times = [timed(lambda args=args: store.ask("put", *args)) for args in calls]
    first.add(name, times[0])
    put.add(name, statistics.median(times[_WARM_UP:]))
    written = [script.writes() for _ in range(block)]
    writes.add(name, statistics.median([timed(lambda args=args: store.ask("put_writes", *args)) for args in written]))
    if name == LEDGER:
        lines = (store.folder / thread / "ledger.jsonl").read_bytes().splitlines(keepends=True)
        bare = _bare(store.folder / f"{thread}.bare", lines)
        put.add(BARE, statistics.median(bare[-2 * block : -block]))
        writes.add(BARE, statistics.median(bare[-block:]))


def _bare(path: Path, lines: list[bytes]) -> list[float]:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
    try:
        return [timed(lambda line=line: (os.write(fd, line), os.fdatasync(fd))) for line in lines]
    finally:
        os.close(fd)


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
            for name, store in _turned(stores, at):
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
