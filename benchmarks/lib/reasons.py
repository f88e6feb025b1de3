"""Why a target is not reached, said with what was measured in the same rounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from lib.results import Section, Series, Target
from lib.stores import BARE, LEDGER, LEDGER_ASYNC, MEMORY, MEMORY_ASYNC, MIRRORED, NONE, PROCESS, SQLITE

Known = Mapping[str, Series]
_SLOW_MS = 1.0


def reasons(sections: Sequence[Section]) -> str:
    """A paragraph for each kind of target that is not reached; empty if all are."""
    known: Known = {series.name: series for section in sections for series in section.series}
    missed = [
        target
        for section in sections
        for target in section.targets
        if target.series in known and (found := target.measured(known[target.series])) and not target.reached(found)
    ]
    told = dict.fromkeys(_reason(target, known) for target in missed)
    lines = [f"- {reason}" for reason in told if reason]
    return "\n".join(["## Why some are not reached", "", *lines]) if lines else ""


def _reason(target: Target, known: Known) -> str:
    for begins, tell in _REASONS.items():
        if target.series.startswith(begins):
            return tell(target, known)
    return ""


def _put(target: Target, known: Known) -> str:
    series = known[target.series]
    whole, bare, own = (_median(series, store) for store in (target.store, BARE, PROCESS))
    if target.store == MIRRORED:
        more = whole - _median(series, LEDGER)
        return (
            f"**{target.series} with mirrors.** The two files for people cost {more:.2f} ms more than the put itself: "
            "they are made from JSON, written and renamed, without a sync. Who does not need them says `mirror=False`."
        )
    needed = own / (target.limit - 1)
    return (
        f"**{target.series}.** {whole:.2f} ms are {bare:.2f} ms of append and sync, {own:.2f} ms of our own work (what "
        f"the same call takes without a sync: see the stages below), and {whole - bare - own:.2f} ms for the "
        "watermark, for waking up after the sync, and for caches that are cold by then. The own work does not shrink "
        f"with the disk: a ratio of {target.limit} can be had where a sync takes {needed:.2f} ms or more. "
        + _by_speed(series, target)
    )


def _by_speed(series: Series, target: Target) -> str:
    """The ratio where the disk was slow and where it was fast, if it was both."""
    rounds = zip(series.figures[target.store], series.figures[BARE], strict=False)
    pairs = [(mine, bare) for mine, bare in rounds if mine is not None and bare is not None]
    said: list[str] = []
    for name, those in (
        (f"under {_SLOW_MS:.0f} ms", [mine / bare for mine, bare in pairs if bare < _SLOW_MS]),
        (f"{_SLOW_MS:.0f} ms or more", [mine / bare for mine, bare in pairs if bare >= _SLOW_MS]),
    ):
        if those:
            said.append(f"{statistics.median(those):.2f} in the {len(those)} rounds in which a sync took {name}")
    return f"Here it was {', and '.join(said)}."


def _cost(target: Target, known: Known) -> str:
    series = known[target.series]
    floor = MEMORY_ASYNC if target.store == LEDGER_ASYNC else MEMORY
    assert target.other
    mine, other, least = (_median(series, store) for store in (target.store, target.other, floor))
    awaited = target.store == LEDGER_ASYNC
    left = target.limit * other - least
    share = f"{least / other:.2f} of the {target.limit} that are allowed"
    return (
        f"**{target.text}.** {mine:.2f} ms beside {other:.2f} ms. {least:.2f} ms of each are LangGraph's own work for "
        f"any checkpointer, as {floor} shows, which only remembers: {share}. "
        + (f"{left:.2f} ms remain for a saver's work and its sync. " if left > 0 else "No checkpointer can be faster. ")
        + "Put and put_writes of a step share one sync, where SqliteSaver makes two: a slow disk gains by that more "
        "than a fast one, beside which the interpreter decides."
        + (" Mirrors are two more files a step." if target.store == MIRRORED else "")
        + (" A coroutine's call is made in another thread, and its way there and back is in it." if awaited else "")
    )


def _threads(target: Target, known: Known) -> str:
    """For process mode the time of a step, for several threads their speed."""
    series = known[target.series]
    if target.other != SQLITE:
        return _process(target, known)
    memory, nothing = series.ratio(MEMORY, SQLITE), series.ratio(NONE, SQLITE)
    assert memory
    assert nothing
    within = "not even InMemorySaver reaches it" if memory.median < target.limit else "InMemorySaver is above it"
    return (
        f"**{series.title.removeprefix('Super-steps per second, ')}.** All threads of a process share one interpreter "
        f"lock, and a step is mostly Python: InMemorySaver, which writes nothing, makes {memory.median:.2f} times "
        f"SqliteSaver's steps here, and a graph without a checkpointer {nothing.median:.2f} times. {target.limit:g} "
        f"times is asked, and {within}."
    )


def _process(target: Target, known: Known) -> str:
    series = known[target.series]
    assert target.other
    mine, memory = (1000 / _median(series, store) for store in (target.other, MEMORY))
    said = (
        f"**{target.text}.** A step takes {mine:.2f} ms beside {memory:.2f} ms, so {target.limit}x leaves "
        f"{(target.limit - 1) * memory:.2f} ms for all that makes a record outlive its process"
    )
    if not {"put", "put_writes"} <= known.keys():
        return said + "."
    calls = [_median(known[name], PROCESS) for name in ("put", "put_writes")]
    return said + f"; put and put_writes, called alone, take {calls[0]:.3f} and {calls[1]:.3f} ms."


def _listing(target: Target, known: Known) -> str:
    series = known[target.series]
    memory = series.ratio(MEMORY, SQLITE)
    assert memory
    return (
        f"**{target.text}.** Each checkpoint has messages of its own, which nobody else may change: InMemorySaver, "
        f"which decodes them all from memory, takes {memory.median:.2f} times SqliteSaver's time. LedgerSaver decodes "
        "each message once and copies it afterwards; what is left is making those copies."
    )


def _cold(target: Target, known: Known) -> str:
    if target.other is None:
        return (
            f"**{target.text}.** There is no index on the disk: every line is read and checked, so that damage "
            "anywhere is found before anything is shown. The figure to reach then is the next one, a multiple of just "
            "reading, hashing and parsing."
        )
    return f"**{target.text}.** Beside that, every line is checked and taken into the index, in Python."


_REASONS: dict[str, Callable[[Target, Known], str]] = {
    "put": _put,
    "cost": _cost,
    "supersteps": _threads,
    "chat_list": _listing,
    "cold_open": _cold,
}


def _median(series: Series, store: str) -> float:
    found = series.spread(store)
    assert found
    return found.median
