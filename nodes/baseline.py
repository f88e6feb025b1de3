"""The checks once on the untouched tree, before any worker: what passes here is not proved by passing later."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ..state.guarding import Before, broken_demands, same_command
from ..state.ids import StepId
from ..state.pipeline import Blocked, PipelineState
from ..state.records import Check, Outcome
from ..state.status import Node, Route, Status
from ..state.task import Command, Contract, Task
from .approvals import ask_to_start, free_and_held, waits_for
from .checks.process import CheckStopped
from .checks.protected import keep_dirty, patterns_of
from .checks.round import Round
from .checks.tampering import programs_for
from .checks.workspace import changes_since, content_of, is_as_at_start
from .context import Call
from .isolate.grounds import at_head
from .move import Move
from .needs import need
from .workers.leftovers import kill_leftovers

_AS_FOUND = ", as check {} has found"
_STOPPED = Move(Status.DRAINING, Route.DRAIN, "the run was asked to stop before any worker was started")


def baseline(state: PipelineState, call: Call) -> Move:
    """Run the checks of the whole task, or record why not; then dispatch, or ask a person.

    Nothing of it is recorded before it is whole: a run that was killed or stopped here begins it anew.
    """
    if call.draining():
        return _STOPPED
    task = need(state.task, "task")
    this_round = Round(
        number=0,
        run=state.run_id,
        run_dir=call.context.run_dir(state.run_id),
        workspace=Path(state.workspace),
        limits=state.limits,
        call=call,
        node=Node.BASELINE,
    )
    kill_leftovers(this_round.run_dir)
    this_round.begin()
    try:
        before = _measured(state, task, this_round)
    except CheckStopped:
        return _STOPPED
    finally:
        kill_leftovers(this_round.run_dir)
    return _decided(state, task, before)


def _measured(state: PipelineState, task: Task, this_round: Round) -> Before:
    kept = keep_dirty(state, patterns_of(state, task, this_round.call.context.kinds), this_round.run_dir)
    now, programs = datetime.now(UTC), programs_for(this_round).of_task(task)
    if not state.guarding.baseline:
        return Before(
            skipped=state.guarding.no_baseline_by or "it was not asked for", kept=kept, programs=programs, at=now
        )
    with _where(state, this_round) as here:
        checks = tuple(_checks(task, here))
    left = _left(state, this_round) if any(check.argv for check in checks) else {}
    return Before(checks=checks, left=left, kept=kept, programs=programs, at=now)


@contextmanager
def _where(state: PipelineState, this_round: Round) -> Generator[Round]:
    """The round at the place where the work will be judged. Python's caches go elsewhere.

    A cache that was made a moment before a worker changes a file of the same size would hide the change from Python.
    """
    # Python makes the folder where it has something to put there.
    caches = this_round.folder / "pycache"
    here = replace(this_round, extra={"PYTHONPYCACHEPREFIX": str(caches)})
    try:
        if state.isolated is None:
            yield here
            return
        with at_head(state, here) as isolated:
            yield isolated
    finally:
        if not caches.is_symlink():
            shutil.rmtree(caches, ignore_errors=True)


def _checks(task: Task, here: Round) -> Iterator[Check]:
    """Each contract in turn. What another one has run already is not run again."""
    ran: dict[Command, tuple[Check, ...]] = {}
    for step, contract in task.contracts():
        known = [command for command in contract.verification if same_command(command) in ran]
        own = tuple(command for command in contract.verification if command not in known)
        found = tuple(here.contract(_of(contract, own), step, None))
        for command in own:
            ran.setdefault(same_command(command), tuple(check for check in found if check.ref == command.ref))
        yield from found
        for command in known:
            yield from (_again(check, command, step) for check in ran[same_command(command)])


def _of(contract: Contract, commands: tuple[Command, ...]) -> Contract:
    return contract.model_copy(update={"verification": commands})


def _again(check: Check, command: Command, step: StepId | None) -> Check:
    """What a check says for another command that reads the same."""
    suffix = check.id.removeprefix(f"0.{check.step or 'task'}.{check.ref}")
    return check.model_copy(
        update={
            "id": f"0.{step or 'task'}.{command.ref}{suffix}",
            "step": step,
            "ref": command.ref,
            "reason": f"{check.reason}{_AS_FOUND.format(check.id)}",
            "argv": (),
            "duration_s": None,
            **dict.fromkeys(("log", "log_sha256", "tests", "tests_sha256")),
        }
    )


def repeats(check: Check) -> bool:
    """True for a check that says what another one has found: nothing ran for it, and no event tells of it."""
    before, after = _AS_FOUND.split("{}")
    return check.round == 0 and not check.argv and before in check.reason and check.reason.endswith(after)


def _left(state: PipelineState, this_round: Round) -> dict[str, str]:
    """What the commands have left in the workspace; a worktree was put back."""
    if state.isolated is not None:
        return {}
    began, runs_dir = need(state.baseline, "baseline"), this_round.call.context.runs_dir
    if is_as_at_start(this_round.workspace, began, runs_dir=runs_dir):
        return {}
    found = changes_since(this_round.workspace, began, runs_dir=runs_dir)
    return {change.path: content_of(this_round.workspace / change.path) for change in found}


def _decided(state: PipelineState, task: Task, before: Before) -> Move:
    update: dict[str, object] = {"before": before}
    if broken := broken_demands(task, before):
        why = before.skipped and f": the checks did not run ({before.skipped})"
        reasons = tuple(f"{what} has to fail before the work, and did not{why}" for what in broken)
        question = "A card demands that a check fails before the work. Give up, mend the card and start a new run?"
        blocked = Blocked(question=question, reasons=reasons)
        return Move(Status.BLOCKED, Route.GREEN_BEFORE, "; ".join(reasons), {**update, "blocked": blocked})
    free, held = free_and_held(state, task, state.orders)
    if not free:
        blocked = ask_to_start(state, task, held[0])
        return Move(Status.BLOCKED, Route.APPROVAL_NEEDED, waits_for(blocked), {**update, "blocked": blocked})
    return Move(Status.FREEZE, Route.MEASURED, _in_short(before), update)


def _in_short(before: Before) -> str:
    if before.skipped:
        return f"the checks did not run before the work: {before.skipped}"
    passed = sum(check.outcome is Outcome.PASSED for check in before.checks)
    return f"before any work {passed} of {len(before.checks)} checks passed"
