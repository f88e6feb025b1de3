"""What the tests of a check say about it, by what the card asks of it: one logic for the run and for an audit."""

from __future__ import annotations

from collections.abc import Collection

from ...state.records import Check, Outcome
from ...state.task import Command, Probe, Task, TestsMay
from ..needs import need
from .judge_tests import Judged, judge_originals, judge_tests
from .kinds.command import SUCCESS
from .kinds.kind import Kinds
from .seen_tests import Seen
from .watch_tests import is_pytest


def allowances(task: Task) -> frozenset[TestsMay]:
    """What the card accepts: a suite that several steps run is changed for all of them."""
    return frozenset(may for _, contract in task.contracts() for may in contract.changed_tests)


def declared_as(task: Task, check: Check) -> Command | Probe:
    """What the task says about a check that runs something."""
    contract = task.contract(check.step)
    found = next((command for command in contract.verification if command.ref == check.ref), None)
    return found or need(contract.probe(check.ref), f"check {check.ref}")


def judge_seen(
    task: Task, kinds: Kinds, check: Check, after: Seen | None, before_check: Check | None, before: Seen | None
) -> Judged | None:
    """The tests of a check that passed, against those that it ran before the work. None: there is nothing to compare.

    Args:
        after, before: what was seen of the check, and of `before_check`, the same before the work.
    """
    declared = declared_as(task, check)
    names = _named(kinds, declared)
    # Where a name is not found among what was seen, the whole run has to be in order.
    if names and after is not None and after.has_all(names):
        after, before = after.of(names), before.of(names) if before else None
    passed_before = before_check is not None and before_check.outcome is Outcome.PASSED
    return judge_tests(
        after,
        before,
        passed_before,
        allowances(task),
        ended=check.exit_code,
        may_fail=isinstance(declared, Command) and declared.exit_code != int(SUCCESS),
        direct=is_pytest(check.argv),
    )


def judge_rerun(
    task: Task, kinds: Kinds, ran: Check, seen: tuple[Seen | None, Seen | None, Seen | None], added: Collection[str]
) -> Judged:
    """How a check that passes ended with the first versions of the protected files.

    Args:
        ran: the check with the first versions.
        seen: the tests of it, those on the tree as it is, and those before the work.
        added: files that are new.
    """
    first, after, before = seen
    declared = declared_as(task, ran)
    if not is_pytest(ran.argv):
        # What was seen of the pytests that it starts can accuse it, and not excuse it.
        first = after = before = None
    if names := _named(kinds, declared):
        # Names that cannot be found among what was seen say nothing about it: then the report has to.
        if first is None or after is None or not after.has_all(names):
            first = after = before = None
        else:
            first, after, before = first.of(names), after.of(names), before.of(names) if before else None
    return judge_originals(ran, first, after, added, allowances(task), before=before)


def _named(kinds: Kinds, declared: Command | Probe) -> tuple[str, ...]:
    kind = kinds.get(declared.kind) if isinstance(declared, Probe) else None
    return kind.tests(declared) if kind is not None and isinstance(declared, Probe) else ()
