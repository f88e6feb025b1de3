"""How ledgers are put into words: text of others without what could steer a terminal, and errors with exit code 2."""

from __future__ import annotations

import json as jsonlib
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any

from rich.text import Text

from ..state.errors import LedgerError, WaypostError
from .ending import USAGE
from .view import choose_view

BRIEF = 100


def answer(work: Callable[[], int], *, json: bool) -> int:
    """Do it; whatever is wrong with what was asked for, or with the ledger, is told and gives exit code 2."""
    try:
        return work()
    except WaypostError as error:
        return failed(error, json=json)
    except (RuntimeError, StopIteration, TypeError, ValueError, LookupError, AttributeError) as error:
        # Lines that are intact, and do not hold what a checkpoint holds: somebody made them to do harm.
        what = f"this ledger holds what no graph has written: {type(error).__name__}: {error}"
        return failed(LedgerError(what, next_step="waypost fsck RUN says more"), json=json)


def failed(error: WaypostError, *, json: bool) -> int:
    """Tell an error, as exit code 2: these commands have nothing that could be resumed or was refused."""
    error.exit_code = USAGE
    return choose_view(json=json).failed(error)


def print_json(record: Any) -> None:
    """One JSON object on one line, in ASCII."""
    print(jsonlib.dumps(record), flush=True)


def escaped(text: str, *, keep: str = "") -> str:
    """Text without what could steer a terminal, on one line unless line ends are kept."""
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def brief(value: Any, limit: int = BRIEF) -> str:
    """A value on one line; of a big one the beginning and its size."""
    text = jsonlib.dumps(value, ensure_ascii=False)
    return escaped(text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)")


def fitted(line: str) -> str:
    """A line as wide as the terminal at most, so that a table stays one; whole where no terminal shows it."""
    if not sys.stdout.isatty():
        return line
    text = Text(line)
    text.truncate(shutil.get_terminal_size().columns, overflow="ellipsis")
    return text.plain


def pretty(value: Any) -> str:
    """A value as indented JSON."""
    return escaped(jsonlib.dumps(value, ensure_ascii=False, indent=2), keep="\n")


def moment(time: str) -> str:
    """A time of the ledger, to the second."""
    return escaped(time[:19].replace("T", " "))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with aligned columns."""
    whole = [headings, *rows]
    widths = [max(len(row[column]) for row in whole) for column in range(len(headings))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in whole]
