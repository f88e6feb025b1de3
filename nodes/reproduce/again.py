"""The checks of a run once more, on files that were put together again, and what they say beside what was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ...state.errors import CannotReproduce
from ...state.ids import CriterionId, StepId
from ...state.pipeline import PipelineState
from ...state.records import Check, CheckKind, Outcome
from ...state.task import Task
from ...state.verified import VerifiedTree
from ..checks.round import Round
from ..context import Call
from ..excerpt import excerpt
from ..needs import need
from ..verdicts import judge
from ..workers.leftovers import kill_leftovers
from .rebuild import Rebuilt
from .world import changed_tools, why_not

_EXCERPT_BYTES = 2000


class Result(StrEnum):
    """What came of it: the worst that is true of one criterion."""

    SAME = "same"
    DIFFERENT = "different"
    COULD_NOT_RUN = "could not run"


@dataclass(frozen=True)
class CheckAgain:
    """One check beside its record. `name`: its id without the number of a round.

    Attributes:
        recorded: None where the run has no such check.
        world: why it could not do its work here; empty where it could.
        output: the telling part of what it printed, where it did not end as recorded.
    """

    name: str
    run: str
    recorded: Outcome | None
    now: Outcome
    reason: str
    world: str = ""
    output: str = ""

    @property
    def same(self) -> bool:
        """True where it ended as recorded."""
        return self.recorded is self.now


@dataclass(frozen=True)
class CriterionAgain:
    """One criterion: its verdict as recorded, and now. `world`: why it could not be judged here."""

    step: StepId | None
    id: CriterionId
    text: str
    recorded: Outcome | None
    now: Outcome
    reason: str
    world: tuple[str, ...] = ()

    @property
    def result(self) -> Result:
        """How the two compare."""
        if self.recorded is self.now:
            return Result.SAME
        return Result.COULD_NOT_RUN if self.world else Result.DIFFERENT


@dataclass(frozen=True)
class Reproduction:
    """Everything that was compared.

    Attributes:
        world: what is known to be different here, whether or not it made a difference.
    """

    run: str
    tree: VerifiedTree
    criteria: tuple[CriterionAgain, ...]
    checks: tuple[CheckAgain, ...]
    world: tuple[str, ...] = field(default=())

    @property
    def result(self) -> Result:
        """The worst of all criteria; a run without any has nothing that could be the same."""
        found = {one.result for one in self.criteria}
        if Result.DIFFERENT in found:
            return Result.DIFFERENT
        return Result.COULD_NOT_RUN if Result.COULD_NOT_RUN in found or not found else Result.SAME


def run_again(state: PipelineState, rebuilt: Rebuilt, folder: Path, call: Call) -> Reproduction:
    """Run the verification of a run again, as its task says it, and compare.

    Args:
        rebuilt: the files, put together again.
        folder: where outputs go; nothing is written anywhere else.

    Raises:
        CheckStopped: `call` was asked to stop.
    """
    task, tree = need(state.task, "task"), need(state.tree, "tree")
    this_round = Round(
        number=tree.round,
        run=state.run_id,
        run_dir=folder,
        workspace=rebuilt.workspace,
        limits=state.limits,
        call=call,
        holds=rebuilt.holds if state.isolated else None,
    )
    env = call.context.environment.variables()
    world = [f"submodule {path} is empty here" for path in rebuilt.submodules]
    world += changed_tools(tree, rebuilt.workspace, env)
    this_round.begin()
    try:
        found = tuple(_checks(state, task, this_round))
    finally:
        kill_leftovers(folder)
    checks = tuple(_beside(state, rebuilt, folder, check) for check in found)
    return Reproduction(state.run_id, tree, tuple(_criteria(state, task, found, checks)), checks, tuple(world))


def _checks(state: PipelineState, task: Task, this_round: Round) -> Iterator[Check]:
    """Steps in the order in which they were checked then, and the task last; outputs as the last command left them."""
    order = dict.fromkeys(check.step for check in state.checks if check.round == this_round.number and check.step)
    steps = [task.step(step) for step in order if step in {one.id for one in task.steps}]
    found = [check for step in steps for check in this_round.contract(step, step.id, None)]
    found += this_round.contract(task, None, None)
    for check in found:
        if check.kind is CheckKind.OUTPUT:
            contract = task.step(check.step) if check.step else task
            outputs = [item for item in contract.outputs if item.ref == check.ref]
            yield this_round.output(outputs[0], check) if outputs else check
        else:
            yield check


def _beside(state: PipelineState, rebuilt: Rebuilt, folder: Path, check: Check) -> CheckAgain:
    recorded = next((one for one in state.checks if one.id == check.id), None)
    same = recorded is not None and recorded.outcome is check.outcome
    log = folder / check.log if check.log else None
    world = "" if same else _world(rebuilt, check, recorded, log)
    output = excerpt(log, _EXCERPT_BYTES) if log is not None and not same else ""
    outcome = recorded.outcome if recorded else None
    name = check.id.partition(".")[2]
    return CheckAgain(name, check.run, outcome, check.outcome, check.reason, world, output)


def _world(rebuilt: Rebuilt, check: Check, recorded: Check | None, log: Path | None) -> str:
    if recorded is not None and recorded.kind is CheckKind.BASELINE:
        return "the command did not exist where the run was verified, and exists here"
    if check.kind is CheckKind.OUTPUT and check.outcome is not Outcome.PASSED:
        path = check.run.removeprefix("expected output ")
        return "" if rebuilt.holds(path) else f"{path} is not among the recorded files: git ignores it"
    return why_not(check, log, rebuilt.workspace)


def _criteria(
    state: PipelineState, task: Task, found: tuple[Check, ...], beside: Sequence[CheckAgain]
) -> Iterator[CriterionAgain]:
    plan = need(state.plan, "plan")
    if not plan.coverage:
        raise CannotReproduce(f"run {state.run_id} has no criterion that could be compared")
    now = {(v.step, v.criterion): v for v in judge(task, plan, found, ())}
    then = {(v.step, v.criterion): v for v in state.verdicts}
    worlds = {check.id: other.world for check, other in zip(found, beside, strict=True)}
    for row in plan.coverage:
        contract = task.step(row.step) if row.step else task
        text = next((one.text for one in contract.criteria if one.id == row.criterion), "")
        own = [check for check in found if check.step == row.step and check.ref in row.checks]
        why = [worlds[check.id] for check in own if worlds[check.id]]
        why += _not_run(state, row.step, row.checks, own)
        verdict, before = now.get((row.step, row.criterion)), then.get((row.step, row.criterion))
        yield CriterionAgain(
            step=row.step,
            id=row.criterion,
            text=text,
            recorded=before.outcome if before else None,
            now=verdict.outcome if verdict else Outcome.UNVERIFIABLE,
            reason=verdict.reason if verdict else "it was not judged",
            world=tuple(dict.fromkeys(why)),
        )


def _not_run(state: PipelineState, step: StepId | None, refs: Sequence[str], own: Sequence[Check]) -> Iterator[str]:
    """What the criterion rested on then, and nothing here can run: such as a decision of a person."""
    for ref in refs:
        recorded = any(check.step == step and check.ref == ref for check in state.checks)
        if recorded and not any(check.ref == ref for check in own):
            yield f"{ref} is nothing that can be run again"
