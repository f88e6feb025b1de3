"""Super-steps of a real LangGraph graph: how many a second, and what each costs above a graph without checkpointer."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from lib.plan import Plan
from lib.results import Section, Series, Target
from lib.stores import (
    ASYNC_SQLITE,
    LEDGER,
    LEDGER_ASYNC,
    MEMORY,
    MEMORY_ASYNC,
    MIRRORED,
    NONE,
    NONE_ASYNC,
    POSTGRES,
    PROCESS,
    PROCESS_ASYNC,
    PROCESS_MIRRORED,
    SQLITE,
    Shop,
    Store,
)
from lib.work import counting

_NAMES = (NONE, MEMORY, PROCESS, PROCESS_MIRRORED, LEDGER, MIRRORED, SQLITE, POSTGRES)
_ASYNC_NAMES = (NONE_ASYNC, MEMORY_ASYNC, PROCESS_ASYNC, LEDGER_ASYNC, ASYNC_SQLITE)
_THREADS = {1: "one thread", 8: "8 threads", 64: "64 threads"}
_TIMES = "times SqliteSaver's"
_HOW = (
    "The figure is the inverse of the median time from one step to the next, which pauses do not move.",
    "The figure is all steps of all threads by the time from the first start to the last end.",
)


def supersteps(shop: Shop, plan: Plan) -> Section:
    """All durabilities and numbers of threads, and the costs that follow from one thread."""
    section = Section("supersteps", targets=_targets(plan))
    with shop.open(*_NAMES, *_ASYNC_NAMES) as stores:
        teams = [Team(store) for store in stores.values()]
        for team in teams:
            team.run("sync", max(plan.steps), 1)
        for durability in ("sync", "async"):
            for threads, steps in plan.steps.items():
                section.series += _measured(teams, durability, threads, steps, plan)
    return section


def _targets(plan: Plan) -> list[Target]:
    costs = [
        Target(f"cost of a durable super-step, {_TIMES} (aim 0.5)", 0.6, "cost_sync", LEDGER, SQLITE),
        Target("the same with mirrors", 0.6, "cost_sync", MIRRORED, SQLITE),
        Target("the same with durability async", 0.6, "cost_async", LEDGER, SQLITE),
        Target("the same by ainvoke, times AsyncSqliteSaver's", 0.6, "cost_sync", LEDGER_ASYNC, ASYNC_SQLITE),
    ]
    several = [
        Target(f"super-steps per second, {d}, {n} threads, {_TIMES}", 3, f"supersteps_{d}_{n}", LEDGER, SQLITE, True)
        for d in ("sync", "async")
        for n in plan.steps
        if n > 1
    ]
    # The time of a super-step is the inverse of the speed, and so is the ratio.
    process = [
        Target("process mode: a super-step, times InMemorySaver's", 1.2, "supersteps_sync_1", MEMORY, PROCESS),
        Target("process mode with mirrors, the same", 1.2, "supersteps_sync_1", MEMORY, PROCESS_MIRRORED),
        Target("process mode, durability async, the same", 1.2, "supersteps_async_1", MEMORY, PROCESS),
    ]
    return [*costs, *several, *process]


def _measured(teams: list[Team], durability: str, threads: int, steps: int, plan: Plan) -> list[Series]:
    """The speeds; for one thread the costs too, which need no other measurement."""
    name = f"supersteps_{durability}_{threads}"
    title = f'Super-steps per second, durability="{durability}", {_THREADS[threads]}'
    how = f"Each thread has its own id, which is there already, and goes {steps} steps a round. {_HOW[threads > 1]}"
    speed = Series(name, title, "1/s", how, (SQLITE, MEMORY))
    for at in range(plan.short_rounds if threads == 1 else plan.few):
        speed.begin_round()
        for team in teams[at % len(teams) :] + teams[: at % len(teams)]:
            seconds = team.run(durability, threads, steps)
            speed.add(team.store.name, 1 / team.step_s() if threads == 1 else threads * steps / seconds)
    return [speed] if threads > 1 else [speed, _cost(speed, durability)]


def _cost(speed: Series, durability: str) -> Series:
    title = f'Cost of a super-step above a graph without checkpointer, durability="{durability}", one thread'
    how = "From the same rounds: the time of a super-step less that of the graph compiled without a checkpointer."
    cost = Series(f"cost_{durability}", title, "ms", how, (SQLITE, ASYNC_SQLITE, MEMORY))
    for at in range(speed.rounds):
        cost.begin_round()
        for store, figures in speed.figures.items():
            base = NONE_ASYNC if store in _ASYNC_NAMES else NONE
            if store != base:
                cost.add(store, 1000 / _known(figures[at]) - 1000 / _known(speed.figures[base][at]))
    return cost


def _known(figure: float | None) -> float:
    assert figure is not None
    return figure


class Team:
    """A store and the counting graph on it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._ticks: list[float] = []
        self._graph = counting(store.saver, lambda: self._ticks.append(time.perf_counter()))

    def run(self, durability: str, threads: int, steps: int) -> float:
        """How many seconds so many threads together take for so many steps each."""
        self._ticks.clear()
        extra = {} if self.store.saver is None else {"durability": durability}
        start: dict[str, Any] = {"n": 0, "until": steps, "text": ""}
        configs = [{"configurable": {"thread_id": f"t{at}"}, "recursion_limit": steps + 5} for at in range(threads)]
        if self.store.runner is not None:
            return self.store.runner.run(_run_async(self._graph, start, configs, extra))
        return _run_in_threads(self._graph, start, configs, extra)

    def step_s(self) -> float:
        """The median time from one step to the next in the last run, if that was of one thread."""
        return statistics.median(b - a for a, b in pairwise(self._ticks))


async def _run_async(graph: Any, start: Any, configs: list[Any], extra: dict[str, str]) -> float:
    began = time.perf_counter()
    await asyncio.gather(*(graph.ainvoke(start, config, **extra) for config in configs))
    return time.perf_counter() - began


def _run_in_threads(graph: Any, start: Any, configs: list[Any], extra: dict[str, str]) -> float:
    ready = threading.Barrier(len(configs) + 1)

    def one(config: Any) -> None:
        ready.wait()
        graph.invoke(start, config, **extra)

    with ThreadPoolExecutor(len(configs)) as pool:
        running = [pool.submit(one, config) for config in configs]
        ready.wait()
        began = time.perf_counter()
        for each in running:
            each.result()
        return time.perf_counter() - began
