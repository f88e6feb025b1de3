"""A few pictures of what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from lib.results import Series
from lib.stores import (
    ASYNC_SQLITE,
    BARE,
    LEDGER,
    LEDGER_ASYNC,
    MEMORY,
    MIRRORED,
    POSTGRES,
    PROCESS,
    PROCESS_MIRRORED,
    SQLITE,
)

_COLOURS = {
    LEDGER: "#0b6e4f", MIRRORED: "#5fb49c", PROCESS: "#1d3557", PROCESS_MIRRORED: "#7a9cc6", LEDGER_ASYNC: "#2a9d8f",
    MEMORY: "#9aa0a6", SQLITE: "#d1495b", ASYNC_SQLITE: "#edae49", POSTGRES: "#8d5a97", BARE: "#333333",
}  # fmt: skip


def draw(all_series: Mapping[str, Series], folder: Path) -> list[str]:
    """Write the pictures there is data for; gives their names."""
    plt.rcParams |= {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 130}
    pictures: dict[str, Callable[[Mapping[str, Series], Any], bool]] = {
        "put-and-disk": _put, "supersteps": _speeds, "chat": _chat, "long-thread": _long,
    }  # fmt: skip
    drawn: list[str] = []
    for name, picture in pictures.items():
        figure = plt.figure(figsize=(9, 3.4), layout="constrained")
        if picture(all_series, figure):
            figure.savefig(folder / f"{name}.png")
            drawn.append(name)
        plt.close(figure)
    return drawn


def _bars(axes: Any, series: Series, names: tuple[str, ...], *, log: bool = False) -> None:
    known = [(name, spread) for name in reversed(names) if (spread := series.spread(name))]
    for name, spread in known:
        error = [[spread.median - spread.least], [spread.most - spread.median]]
        axes.barh(name, spread.median, xerr=error, color=_COLOURS.get(name, "#bbbbbb"), error_kw={"lw": 0.8})
    axes.set_title(series.title, fontsize=9)
    axes.set_xlabel(series.unit)
    if log:
        axes.set_xscale("log")


def _put(found: Mapping[str, Series], figure: Any) -> bool:
    if "put" not in found:
        return False
    left, right = figure.subplots(1, 2)
    _bars(left, found["put"], (BARE, LEDGER, MIRRORED, PROCESS, SQLITE, ASYNC_SQLITE, POSTGRES, MEMORY))
    for name in (LEDGER, MIRRORED, SQLITE, ASYNC_SQLITE, POSTGRES):
        pairs = zip(found["put"].figures.get(name, []), found["put"].figures[BARE], strict=False)
        right.plot(
            [mine / bare for mine, bare in pairs if mine and bare], "o-", ms=3, lw=0.8, color=_COLOURS[name], label=name
        )
    right.axhline(1.3, color="black", lw=0.6, ls="--")
    right.set_title(f"put, times {BARE} of the same round (dashed: 1.3)", fontsize=9)
    right.set_xlabel("round")
    right.set_yscale("log")
    right.legend(fontsize=7, frameon=False)
    return True


def _speeds(found: Mapping[str, Series], figure: Any) -> bool:
    if "supersteps_sync_1" not in found:
        return False
    names = (PROCESS, LEDGER, MIRRORED, LEDGER_ASYNC, SQLITE, ASYNC_SQLITE, POSTGRES, MEMORY)
    figure.set_size_inches(9, 5.2)
    grid = figure.subplots(2, 3, sharey=True)
    for row, durability in zip(grid, ("sync", "async"), strict=True):
        for axes, threads in zip(row, (1, 8, 64), strict=True):
            series = found.get(f"supersteps_{durability}_{threads}")
            if series:
                _bars(axes, series, names)
                axes.set_title(f"{durability}, {threads} thread{'s' * (threads > 1)}", fontsize=9)
                axes.set_xlabel("super-steps per second")
    return True


def _chat(found: Mapping[str, Series], figure: Any) -> bool:
    if "chat_bytes" not in found:
        return False
    names = (LEDGER, MIRRORED, POSTGRES, SQLITE, MEMORY)
    axes = figure.subplots(1, 3 if "messages_bytes" in found else 2)
    for each, name in zip(axes, ("chat_bytes", "chat_list", "messages_bytes"), strict=False):
        _bars(each, found[name], names, log=True)
    return True


def _long(found: Mapping[str, Series], figure: Any) -> bool:
    if "along" not in found:
        return False
    left, right = figure.subplots(1, 2)
    for name, figures in found["along"].figures.items():
        left.plot(range(5, 101, 5), figures, "o-", ms=3, lw=0.9, color=_COLOURS[name], label=name)
    left.set_title(found["along"].title, fontsize=9)
    left.set_xlabel("part of the thread, %")
    left.set_ylabel("ms")
    left.set_ylim(bottom=0)
    left.legend(fontsize=7, frameon=False)
    _bars(right, found["cold_open"], tuple(found["cold_open"].figures), log=True)
    return True
