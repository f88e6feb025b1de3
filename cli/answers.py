"""A person's answer to a run that waits: refused before anything is touched where the run does not ask for it."""

from __future__ import annotations

import getpass
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..nodes.choices import Choice, choices
from ..nodes.context import DEFAULT_RUNS_DIR
from ..nodes.evidence.decided import decision_statement
from ..state.errors import InputError
from ..state.pipeline import PipelineState
from ..state.status import ENDS, Status

APPROVALS = (Choice.APPROVE, Choice.REJECT)


def refuse_decision(state: PipelineState, decision: str, *, runs: Path) -> None:
    """Raises InputError where the run, as it stands, does not ask for this decision."""
    run = f"{state.run_id}{runs_option(runs)}"
    if state.status is not Status.BLOCKED:
        what = f"to {decision}" if decision in APPROVALS else "to decide"
        next_step = f"waypost status {run}" if state.status in ENDS else f"waypost resume {run}"
        raise InputError(f"run {state.run_id} is {state.status}, there is nothing {what}", next_step=next_step)
    offered = choices(state)
    if decision not in offered:
        raise InputError(
            f'run {state.run_id} does not ask for "{decision}" now',
            facts={"question": state.blocked.question if state.blocked else "", "offered": ", ".join(offered)},
            next_step=f"waypost resume {run}, it says what can be typed",
        )


def answer(
    state: PipelineState, decision: str, note: str, who: str | None = None, sign: Callable[[bytes], bytes] | None = None
) -> dict[str, Any]:
    """What resumes the interrupt of a blocked run; an approval says what it is about.

    Args:
        sign: gives the signed envelope around the decision; None to leave it unsigned.
    """
    approval = state.blocked.approval if state.blocked and decision in APPROVALS else None
    who = who or getpass.getuser()
    given = {"decision": decision, "who": who, "note": note, "about": approval.name if approval else None}
    if sign is not None:
        given["envelope"] = sign(decision_statement(state.run_id, decision, approval, who, note)).decode()
    return given


def refuse_if_moved(seen: PipelineState, now: PipelineState | None, *, runs: Path) -> None:
    """Raises InputError where somebody else has moved the run since it was looked at."""
    if now is None or len(now.transitions) == len(seen.transitions):
        return
    last = now.transitions[-1]
    raise InputError(
        f"run {seen.run_id} has moved on meanwhile: it is {now.status}, nothing was decided by you",
        facts={"last move": f"{last.source} -> {last.target} ({last.route}): {last.reason}"},
        next_step=f"waypost status {seen.run_id}{runs_option(runs)}",
    )


def runs_option(runs: Path) -> str:
    """How a command has to name the runs folder; nothing for the usual one."""
    folder = runs.absolute()
    here = _here()
    return "" if here and folder == here / DEFAULT_RUNS_DIR else f" --runs {shlex.quote(from_here(folder))}"


def from_here(path: Path) -> str:
    """A path as it can be typed in the current folder."""
    here = _here()
    return str(path.relative_to(here) if here and path.is_relative_to(here) else path)


def _here() -> Path | None:
    # The current folder may be gone: a worker can delete it.
    try:
        return Path.cwd()
    except OSError:
        return None
