"""The page: targets first, then a table for each question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib.reasons import reasons
from lib.results import Section, Series, Spread, Target

_INTRO = """# Checkpointers, measured

Written by `benchmarks/checkpointers.py`. All stores take turns within each round, beginning with another one each
time, and a ratio is always of two figures of the same round: a sync takes a fraction of a millisecond or several,
from one minute to the next, so figures of different rounds or days say nothing about each other. Shown are the
median and, in brackets, the least and the most of all rounds."""


def page(sections: Sequence[Section], facts: Mapping[str, str], plots: Sequence[str]) -> str:
    """The whole page as Markdown."""
    parts = [_INTRO, _facts(facts), _targets(sections), reasons(sections)]
    parts += [f"![{name}]({name}.png)" for name in plots]
    for section in sections:
        parts += [_series(series, section.measured) for series in section.series]
        parts += section.notes
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(facts: Mapping[str, str]) -> str:
    return "\n".join(["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in facts.items())])


def _targets(sections: Sequence[Section]) -> str:
    rows = [
        _target(target, series)
        for section in sections
        for target in section.targets
        for series in section.series
        if series.name == target.series
    ]
    if not rows:
        return ""
    return "\n".join(
        ["## Targets", "", "| what | to reach | measured | reached |", "| --- | ---: | ---: | --- |", *rows]
    )


def _target(target: Target, series: Series) -> str:
    found = target.measured(series)
    sign = "at least" if target.at_least else "at most"
    wanted = f"{sign} {_number(target.limit)} {target.unit}"
    if found is None:
        return f"| {target.text} | {wanted} | not measured | |"
    return f"| {target.text} | {wanted} | {shown(found)} {target.unit} | {'yes' if target.reached(found) else 'no'} |"


def _series(series: Series, measured: str) -> str:
    against = [other for other in series.against if other in series.figures]
    head = ["store", series.unit, *(f"times {other}" for other in against)]
    rows = [_row(series, store, against) for store in series.figures]
    rule = "| --- |" + " ---: |" * (len(head) - 1)
    rounds = f"{series.rounds} rounds" if series.rounds > 1 else "One round"
    how = f"{series.how} {rounds}, {measured}."
    return "\n".join([f"## {series.title}", "", how, "", f"| {' | '.join(head)} |", rule, *rows])


def _row(series: Series, store: str, against: Sequence[str]) -> str:
    cells = [shown(series.spread(store))]
    cells += ["" if store == other else shown(series.ratio(store, other)) for other in against]
    return f"| {store} | {' | '.join(cells)} |"


def shown(spread: Spread | None) -> str:
    """Median and range."""
    if spread is None:
        return ""
    if spread.least == spread.most:
        return _number(spread.median)
    return f"{_number(spread.median)} ({_number(spread.least)} to {_number(spread.most)})"


def _number(figure: float) -> str:
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.3g}" if abs(figure) < 10 else f"{figure:.1f}"
