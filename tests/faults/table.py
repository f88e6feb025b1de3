"""What all experiments found, as one table: for a terminal, and for a page in Markdown as it is."""

from __future__ import annotations

from typing import Any

OURS, THEIRS = "LedgerSaver", "SqliteSaver"
HEADINGS = ("experiment", "what was done", "violations", f"{THEIRS}'s violations", "seconds", "seed")
_NUMBERS = {"violations", "seconds", "seed"}


def table(found: dict[str, Any]) -> list[str]:
    """The lines of the table of a report as `run.py --json` writes it."""
    rows = [_row(name, each, found["seed"]) for name, each in found["experiments"].items()]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    rule = [
        "-" * (width - (name in _NUMBERS)) + ":" * (name in _NUMBERS)
        for name, width in zip(HEADINGS, widths, strict=True)
    ]
    return [_line(HEADINGS, widths), _line(rule, widths), *(_line(row, widths) for row in rows)]


def violations(found: dict[str, Any], subject: str) -> int:
    """How often a saver broke a promise in all experiments."""
    return sum(len(row["violations"]) for each in found["experiments"].values() for row in _rows(each, subject))


def _row(name: str, each: dict[str, Any], seed: int) -> list[str]:
    if "skipped" in each:
        return [name, f"skipped: {each['skipped']}", "", "", "", str(seed)]
    ours, theirs = _rows(each, OURS), _rows(each, THEIRS)
    broken = str(sum(len(row["violations"]) for row in ours))
    return [name, _done(ours), broken, _broken(theirs), f"{each['seconds']:.0f}", str(seed)]


def _rows(each: dict[str, Any], subject: str) -> list[dict[str, Any]]:
    return [row for row in each["outcomes"] if row["subject"] == subject]


def _done(rows: list[dict[str, Any]]) -> str:
    """The two counts that come first: of what, and how often."""
    return "; ".join(", ".join(f"{times:,} {what}" for what, times in [*row["counts"].items()][:2]) for row in rows)


def _broken(rows: list[dict[str, Any]]) -> str:
    """Violations in relation to the count that comes first."""
    told = [(len(row["violations"]), *next(iter(row["counts"].items()), ("", 0))) for row in rows]
    return "; ".join(f"{broken:,} in {times:,} {what}" for broken, what, times in told) or "-"


def _line(cells: Any, widths: list[int]) -> str:
    padded = [
        cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
        for cell, width, name in zip(cells, widths, HEADINGS, strict=True)
    ]
    return f"| {' | '.join(padded)} |"
