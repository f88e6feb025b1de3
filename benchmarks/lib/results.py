"""What was measured: one figure for each store and round, and ratios that never leave their round."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Spread:
    """Median, least and most of some figures."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: list[float]) -> Spread:
        """Of at least one figure."""
        return cls(statistics.median(figures), min(figures), max(figures))


@dataclass
class Series:
    """One question put to several stores, round after round.

    Attributes:
        name: for `--only` and the raw data.
        title: the question.
        unit: of the figures.
        how: what was done, in a sentence or two.
        against: the stores the others are divided by in the table.
        figures: for each store one figure a round, None where it was not measured in that round.
    """

    name: str
    title: str
    unit: str
    how: str
    against: tuple[str, ...] = ()
    figures: dict[str, list[float | None]] = field(default_factory=dict[str, "list[float | None]"])
    rounds: int = 0

    def begin_round(self) -> None:
        """From here on figures belong to the next round."""
        self.rounds += 1

    def add(self, store: str, figure: float) -> None:
        """Note the figure of a store in this round."""
        row = self.figures.setdefault(store, [])
        row.extend([None] * (self.rounds - 1 - len(row)))
        row.append(figure)

    def spread(self, store: str) -> Spread | None:
        """The figures of a store over all rounds; None if there are none."""
        known = [figure for figure in self.figures.get(store, []) if figure is not None]
        return Spread.of(known) if known else None

    def ratio(self, store: str, other: str) -> Spread | None:
        """How many times the figure of the other, computed round by round; None if they share no round."""
        pairs = zip(self.figures.get(store, []), self.figures.get(other, []), strict=False)
        known = [mine / theirs for mine, theirs in pairs if mine is not None and theirs is not None and theirs > 0]
        return Spread.of(known) if known else None


@dataclass(frozen=True)
class Target:
    """A figure to reach: that of a store in a series, or its ratio to another's.

    Attributes:
        text: what the aim is, in words.
        limit: the figure.
        series, store: what is looked at.
        other: the store to divide by; None for the figure itself.
        at_least: the figure is a floor; otherwise a ceiling.
        unit: of the figure.
    """

    text: str
    limit: float
    series: str
    store: str
    other: str | None = None
    at_least: bool = False
    unit: str = "x"

    def measured(self, series: Series) -> Spread | None:
        """What was found; None if nothing."""
        return series.spread(self.store) if self.other is None else series.ratio(self.store, self.other)

    def reached(self, found: Spread) -> bool:
        """Whether the median is on the right side."""
        return found.median >= self.limit if self.at_least else found.median <= self.limit


@dataclass
class Section:
    """Series that were measured together, the targets they answer, and tables that are no series.

    Attributes:
        measured: when and under which load; empty while it is being measured.
    """

    name: str
    series: list[Series] = field(default_factory=list[Series])
    targets: list[Target] = field(default_factory=list[Target])
    notes: list[str] = field(default_factory=list[str])
    measured: str = ""

    @classmethod
    def of(cls, data: dict[str, Any]) -> Section:
        """Read what `asdict` made of one, through JSON."""
        series = [Series(**{**each, "against": tuple(each["against"])}) for each in data["series"]]
        targets = [Target(**each) for each in data["targets"]]
        return cls(data["name"], series, targets, data["notes"], data["measured"])
