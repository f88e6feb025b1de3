"""What was seen of the tests of a command, and what has become of those that it ran before."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from .kinds.junit import address_of

_NOT_RUN = frozenset({"skipped", "xfailed"})
FAILING = frozenset({"failed", "error"})


@dataclass(frozen=True)
class Seen:
    """The tests that one pytest ran.

    Attributes:
        outcomes: id, relative to where pytest was started -> passed, failed, error, skipped, xfailed or xpassed.
        exit_code: what pytest said when it came to its end; None where it never did.
    """

    outcomes: Mapping[str, str] = field(default_factory=dict[str, str])
    exit_code: int | None = None

    @property
    def failing(self) -> tuple[str, ...]:
        """The tests that failed, or could not be run."""
        return tuple(sorted(id for id, outcome in self.outcomes.items() if outcome in FAILING))

    @property
    def existing(self) -> frozenset[str]:
        """The tests that were run or left out on purpose; what could not be collected is no test."""
        return frozenset(id for id in self.outcomes if "::" in id)

    def of(self, names: Sequence[str]) -> Seen:
        """Only these tests, and what could not be collected: any of them can stand there.

        Args:
            names: as a card writes them; one without parameters stands for all cases of that test.
        """
        found = {
            id: outcome
            for id, outcome in self.outcomes.items()
            if "::" not in id or any(_stands_for(name, id) for name in names)
        }
        return Seen(found, self.exit_code)

    def has_all(self, names: Sequence[str]) -> bool:
        """True where each of the names stands for a test here."""
        return all(any(_stands_for(name, id) for id in self.existing) for name in names)


def _stands_for(name: str, id: str) -> bool:
    """A name is relative to the root of pytest, an id to where it was started, which can lie above it."""
    wanted, bracket, parameters = address_of(name).partition("[")
    found, _, its = address_of(id).partition("[")
    return (found == wanted or found.endswith(f".{wanted}")) and (not bracket or its == parameters)


@dataclass(frozen=True, order=True)
class Loss:
    """A test that no longer says what it said: `now` is gone, skipped or xfailed."""

    id: str
    was: str
    now: str


def read_seen(data: bytes) -> Seen | None:
    """What a file of `watch_tests` says; None where pytest never began.

    Raises:
        ValueError: it holds something else.
    """
    try:
        return _seen([cast("dict[str, Any]", json.loads(line)) for line in data.splitlines()])
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"it does not hold tests: {type(error).__name__} {error}") from None


def _seen(rows: list[dict[str, Any]]) -> Seen | None:
    """Of several pytests that one command has started, all tests; the end only where each has come to its end."""
    by_process: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_process.setdefault(str(row.get("process", "")), []).append(row)
    found = [_of_process(own) for own in by_process.values()]
    if not found:
        return None
    outcomes: dict[str, str] = {}
    for one in found:
        for id, outcome in one.outcomes.items():
            outcomes[id] = _worse(outcomes.get(id), outcome)
    codes = [one.exit_code for one in found]
    return Seen(outcomes, None if None in codes else max(code for code in codes if code is not None))


def _of_process(rows: list[dict[str, Any]]) -> Seen:
    root = next((str(row["path"]) for row in rows if row.get("event") == "root"), ".")
    outcomes: dict[str, str] = {}
    exit_code: int | None = None
    for row in rows:
        if row.get("event") == "finish":
            exit_code = int(row["exit_code"])
        elif row.get("event") == "test":
            id = _from_start(root, str(row["id"]))
            outcomes[id] = _worse(outcomes.get(id), _outcome(row))
        elif row.get("event") not in ("start", "root"):
            raise ValueError("somebody else has written into it")
    return Seen(outcomes, exit_code)


def losses(before: Seen, after: Seen) -> tuple[Loss, ...]:
    """The tests of `before` that are gone, or are newly skipped or expected to fail."""
    found: list[Loss] = []
    for id in sorted(before.existing):
        was, now = before.outcomes[id], after.outcomes.get(id, "gone")
        if now == "gone" or (now in _NOT_RUN and was not in _NOT_RUN):
            found.append(Loss(id, was, now))
    return tuple(found)


def _from_start(root: str, id: str) -> str:
    path, mark, rest = id.partition("::")
    return posixpath.normpath(posixpath.join(root, path)) + mark + rest


def _outcome(row: Mapping[str, Any]) -> str:
    outcome, when = str(row["outcome"]), row["when"]
    if row["xfail"]:
        return "xfailed" if outcome == "skipped" else "xpassed"
    if outcome == "failed" and when != "call":
        return "error"
    return outcome


def _worse(old: str | None, new: str) -> str:
    """A test that passed and could not be torn down is an error; a test that is run again counts as it ended last."""
    return old if old in FAILING and new == "skipped" else new
