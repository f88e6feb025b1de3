"""What follows from the tests that a command ran before the work, after it, and with the first versions of files."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ...state.records import Check, Outcome
from ...state.task import TestsMay
from .seen_tests import Loss, Seen, losses

_SHOWN = 10
MAY_FAIL = "**Changed Tests**: originals may fail"
MAY_GO = "**Changed Tests**: tests may go"
# Exit codes of pytest: all is well, and nothing was collected.
_RAN_NOTHING = frozenset({0, 5})


@dataclass(frozen=True)
class Judged:
    """An outcome with its reason, and the tests that it is about, one line each."""

    outcome: Outcome
    reason: str
    lines: tuple[str, ...] = ()


def judge_tests(
    after: Seen | None,
    before: Seen | None,
    passed_before: bool,
    may: Collection[TestsMay],
    *,
    ended: int | None = 0,
    may_fail: bool = False,
    direct: bool = True,
) -> Judged | None:
    """The tests of a check that passed, against those that it ran before the work. None: there is nothing to compare.

    Args:
        before: None where nothing was seen then.
        passed_before: whether the check passed then.
        ended: the exit code of its process, which the card asks for.
        may_fail: the card asks for another exit code than 0, so that tests that fail may be what it wants.
        direct: the check is itself the pytest; else it has started one or more, and alone knows what their ends mean.
    """
    if after is None:
        return None if before is None else _failed("pytest told of its tests before the work, and does not now")
    if before is not None and before.exit_code is None and passed_before:
        return None
    if after.exit_code is None:
        return _failed(f"its process ended with {ended}, and pytest never came to its end")
    if direct and (after.exit_code != ended or (after.failing and not may_fail)):
        failing = f", {len(after.failing)} failing" if after.failing else ""
        what = f"pytest itself ended with {after.exit_code}{failing}"
        return _failed(f"its process ended with {ended}, but {what}", after.failing)
    if direct and not after.existing and (before is None or before.existing):
        return _failed("it runs no test")
    if before is None:
        return Judged(Outcome.PASSED, f"{len(after.existing)} tests, not compared: none were seen before the work")
    if lost := losses(before, after):
        return _about_losses(lost, may)
    new = len(after.existing - before.existing)
    return Judged(Outcome.PASSED, f"{len(before.existing)} tests from before are all still run, {new} are new")


def judge_originals(
    ran: Check,
    first: Seen | None,
    after: Seen | None,
    added: Collection[str],
    may: Collection[TestsMay],
    *,
    before: Seen | None = None,
) -> Judged:
    """How a check that passes ended with the first versions of the protected files.

    Args:
        ran: the check with the first versions.
        first: the tests that it ran then; None where it is no pytest that could be watched: its outcome counts.
        after: the tests that it runs on the tree as it is.
        added: files that are new, whose tests say nothing about the old ones.
        before: the tests that it ran before the work; None where nobody looked.
    """
    if first is None:
        if ran.outcome is Outcome.PASSED:
            return Judged(Outcome.PASSED, "it passes with the first versions too")
        return _unless(may, f"it fails with the first versions ({ran.reason})")
    if first.exit_code is None:
        return _unless(may, "with the first versions pytest never came to its end")
    old = {id: outcome for id, outcome in first.outcomes.items() if id.partition("::")[0] not in added}
    # What fails on the tree as it is too is what the card asks for by its exit code.
    failing = tuple(id for id in Seen(old).failing if after is None or id not in after.failing)
    if failing:
        return _unless(may, f"with the first versions {len(failing)} tests fail: {_some(failing)}", failing)
    if missing := _missing(first, after, old, before):
        return _unless(may, f"with the first versions {len(missing)} tests do not run: {_some(missing)}", missing)
    if after is not None and (lost := losses(Seen(old), after)):
        return _about_losses(lost, may)
    if before is None and not first.outcomes and first.exit_code not in _RAN_NOTHING:
        return _unless(may, f"with the first versions pytest runs no test and ends with {first.exit_code}")
    if not old:
        return Judged(Outcome.PASSED, "none of the tests that it runs existed before")
    return Judged(Outcome.PASSED, f"the {len(old)} tests from before pass in their first versions too")


def _missing(first: Seen, after: Seen | None, old: Collection[str], before: Seen | None) -> tuple[str, ...]:
    """The tests from before that cannot be run in their first versions; one that is gone is told of elsewhere."""
    if before is None:
        return ()
    gone = before.existing - first.existing
    return tuple(sorted(gone & after.existing if after is not None and old else gone))


def _about_losses(lost: tuple[Loss, ...], may: Collection[TestsMay]) -> Judged:
    lines = tuple(f"{loss.id}: {loss.was} before, {loss.now} now" for loss in lost)
    what = f"{len(lost)} tests from before are gone or no longer run: {_some(lines)}"
    if TestsMay.TESTS_GO in may:
        return Judged(Outcome.PASSED, f"{what}; the card accepts that", lines)
    return Judged(Outcome.FAILED, f"{what}; where that is wanted, the card has to say: {MAY_GO}", lines)


def _unless(may: Collection[TestsMay], what: str, lines: tuple[str, ...] = ()) -> Judged:
    if TestsMay.ORIGINALS_FAIL in may:
        return Judged(Outcome.PASSED, f"{what}; the card accepts that", lines)
    return Judged(Outcome.FAILED, what, lines)


def _failed(what: str, lines: tuple[str, ...] = ()) -> Judged:
    return Judged(Outcome.FAILED, what, lines)


def _some(names: Iterable[str]) -> str:
    all_of_them = tuple(names)
    more = f" and {len(all_of_them) - _SHOWN} more" if len(all_of_them) > _SHOWN else ""
    return ", ".join(all_of_them[:_SHOWN]) + more
