"""Checks that say nothing, whatever the work is: seen from their words alone, and told before and after a run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from ...state.ids import CriterionId, StepId
from ...state.task import Command, Contract, Criterion, Task

# Programs that end with 0 whatever they are given.
_ALWAYS = frozenset({"true", ":", "echo", "printf", "sleep", "date", "pwd"})
_PRINTS = frozenset({"echo", "printf"})
_SYNTAX = frozenset("|&;<>()$`*?[]{}~\n")
_WHATEVER = re.compile(r"(?:\|\||;)\s*(?:true|:|exit(?:\s+0)?)\s*$|^\s*exit(?:\s+0)?\s*$")


def weak_criteria(task: Task) -> Iterator[tuple[CriterionId, StepId | None, str]]:
    """The criteria that rest on nothing which could fail, each with why."""
    for step, contract in task.contracts():
        for criterion in contract.criteria:
            if (what := weakness(contract, criterion)) is not None:
                yield criterion.id, step, what


def weakness(contract: Contract, criterion: Criterion) -> str | None:
    """Why the checks of a criterion would pass without any work; None where one of them could fail."""
    commands = {command.ref: command for command in contract.verification}
    if not criterion.verified_by or not all(ref in commands for ref in criterion.verified_by):
        return None
    own = [commands[ref] for ref in criterion.verified_by]
    if not all(_cannot_fail(command) for command in own):
        return None
    return f"{', '.join(command.run for command in own)} cannot fail, so that it passes proves nothing"


def _cannot_fail(command: Command) -> bool:
    if command.exit_code != 0 or command.equivalents:
        return False
    if _WHATEVER.search(command.run) and command.output is None:
        return True
    try:
        words = shlex.split(command.run)
    except ValueError:
        return False
    program = words[0].rpartition("/")[2] if words else ""
    if program not in _ALWAYS or _SYNTAX & set(command.run):
        return False
    # A pattern that is asked of its output is found in its own words, or never.
    return command.output is None or program in _PRINTS
