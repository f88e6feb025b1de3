"""Run the acceptance commands ourselves. What a worker says about its work is not read here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ..state.errors import WorkspaceError
from ..state.ids import StepId
from ..state.pipeline import PipelineState
from ..state.records import Check, Outcome
from ..state.status import Route, Status
from ..state.task import ApprovalPoint, Task
from ..state.verified import VerifiedTree
from .checks.fingerprint import work_sha256
from .checks.process import CheckStopped
from .checks.round import Round
from .checks.tampering import Tampering
from .context import Call
from .ground import Ground, SharedGround, passed_or_replaced
from .isolate.grounds import isolated_ground
from .manual import asks_people, decided_before
from .move import Move
from .needs import need
from .record_tree import record_tree
from .verdicts import judge
from .workers.leftovers import kill_leftovers


def verify(state: PipelineState, call: Call) -> Move:
    """One round of checks over the steps that were just worked on.

    When they all pass and nothing is left to do, every other step is checked again and the task itself after it:
    DONE rests on one round over the final files, not on what was true some steps ago.
    """
    flying = state.in_flight()
    if flying or call.draining():
        names = ", ".join(f"{order.step} attempt {order.number}" for order in flying) or "nothing"
        stopped = "".join(f"; stopped: {order.step} attempt {order.number}" for order in state.stopped())
        return Move(Status.DRAINING, Route.DRAIN, f"the run was asked to stop; in flight: {names}{stopped}")
    task, plan = need(state.task, "task"), need(state.plan, "plan")
    this_round = Round(
        number=state.round + 1,
        run=state.run_id,
        run_dir=call.context.run_dir(state.run_id),
        workspace=Path(state.workspace),
        limits=state.limits,
        call=call,
    )
    ground = isolated_ground(state, this_round) if state.isolated else SharedGround(state, this_round)
    kill_leftovers(this_round.run_dir)
    this_round.begin()
    try:
        checks, tree = ground.settled(partial(_look, state, task, ground))
    except CheckStopped:
        return Move(Status.DRAINING, Route.DRAIN, "the run was asked to stop during verification")
    work = _work(state, task, call)
    decided, undecided = decided_before(state, this_round, work)
    checks = (*checks, *decided)
    passed = sum(check.outcome is Outcome.PASSED for check in checks)
    return Move(
        Status.ACCEPT,
        Route.CHECKED,
        f"round {this_round.number}: {passed} of {len(checks)} checks passed"
        + (f", {len(undecided)} wait for a person" if undecided else ""),
        {
            "checks": checks,
            "verdicts": judge(task, plan, checks, state.verdicts),
            "work_sha256": work,
            "undecided": undecided,
            "tree": tree,
            **ground.update(checks),
        },
    )


def _work(state: PipelineState, task: Task, call: Call) -> str | None:
    """What a person will be shown, so that an approval can be bound to it; None where nobody is asked.

    An isolated run shows commits, which cannot change.
    """
    by_people = any(ApprovalPoint.BEFORE_ACCEPTANCE in step.approval for step in task.steps) or asks_people(task)
    if state.isolated or not by_people:
        return None
    try:
        return work_sha256(Path(state.workspace), need(state.baseline, "baseline"), runs_dir=call.context.runs_dir)
    except WorkspaceError:
        return None


def _look(state: PipelineState, task: Task, ground: Ground) -> tuple[tuple[Check, ...], VerifiedTree | None]:
    try:
        try:
            checks = tuple(_checks(state, task, ground))
        finally:
            killed = kill_leftovers(ground.round.run_dir)
        checks = ground.looked_at_again(task, checks, disturbed=killed > 0)
    finally:
        ground.leave()
    return record_tree(task, ground, checks)


def _checks(state: PipelineState, task: Task, ground: Ground) -> Iterator[Check]:
    good = True
    in_hand = [order.step for order in state.orders]
    tampering = Tampering(state, task, ground.round.call.context.kinds)
    ran: dict[StepId, tuple[Check, ...]] = {}
    for step_id in in_hand:
        attempt = state.attempts_of(step_id)[-1]
        worker = ground.round.worker(attempt)
        yield worker
        good = good and worker.outcome is Outcome.PASSED
        if worker.outcome is Outcome.PASSED:
            ran[step_id] = tuple(ground.of_step(task.step(step_id), attempt))
            yield from ran[step_id]
            good = good and all(passed_or_replaced(check) for check in ran[step_id])
    for check in ground.scope():
        yield check
        good = good and check.outcome is Outcome.PASSED
    for step_id in in_hand if good else ():
        for check in tampering.look(ground.place(step_id), ran[step_id]):
            yield check
            good = good and check.outcome is Outcome.PASSED
    others = [step for step in task.steps if step.id not in in_hand]
    if not good or not ground.whole or any(step.id not in state.accepted for step in others):
        return
    for step in others:
        checks = tuple(ground.of_step(step, state.attempts_of(step.id)[-1]))
        yield from checks
        yield from tampering.look(ground.place(step.id), checks)
    checks = tuple(ground.of_task(task))
    yield from checks
    yield from tampering.look(ground.place(None), checks)
