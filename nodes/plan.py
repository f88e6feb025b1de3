"""The second stage: freeze the order of the steps, and find out what could never be proved before paying for work."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from ..state.errors import TaskFileError
from ..state.ids import StepId
from ..state.pipeline import Blocked, PipelineState
from ..state.plan import Coverage, Gap, Plan
from ..state.status import Route, Status
from ..state.task import Contract, Criterion, Step, Task
from .approvals import free_and_held
from .budget import affordable
from .checks.kinds import Kinds
from .context import Call
from .move import Move
from .needs import need
from .orders import ready_orders


def plan(state: PipelineState, call: Call) -> Move:
    """Freeze the plan of the task, or stop where it contradicts itself or has something that nothing can prove."""
    task = need(state.task, "task")
    try:
        compiled = compile_plan(task)
        _refuse_unknown_kinds(task, call.context.kinds)
    except TaskFileError as error:
        return Move(Status.FAILED, Route.CONTRADICTORY, str(error))
    free, held = free_and_held(state, task, ready_orders(task, state.accepted, state.attempts))
    update: dict[str, object] = {"plan": compiled, "orders": affordable(state, free) or held}
    if compiled.gaps:
        blocked = _blocked(task, compiled)
        return Move(Status.BLOCKED, Route.UNVERIFIABLE, "; ".join(blocked.reasons), {**update, "blocked": blocked})
    waves = " then ".join(", ".join(wave) for wave in compiled.waves)
    return Move(Status.FREEZE, Route.FROZEN, f"{len(task.steps)} step(s) in order: {waves}", update)


def compile_plan(task: Task) -> Plan:
    """The plan of a task; the same task gives the same plan, byte for byte.

    Raises:
        TaskFileError: a dependency is unknown or goes in a circle, two steps claim one output, a field is empty,
            or a criterion names a check that does not exist.
    """
    for contract in (task, *task.steps):
        _refuse_empty(task, contract)
        _refuse_unknown_checks(task, contract)
    _refuse_unknown_dependencies(task)
    _refuse_shared_outputs(task)
    coverage = tuple(
        Coverage(step=_step_id(contract), criterion=criterion.id, checks=criterion.verified_by)
        for contract in (*task.steps, task)
        for criterion in contract.criteria
    )
    return Plan(waves=_waves(task), coverage=coverage, gaps=tuple(_gaps(task)))


def _waves(task: Task) -> tuple[tuple[StepId, ...], ...]:
    sorter = TopologicalSorter({step.id: step.depends_on for step in task.steps})
    try:
        sorter.prepare()
    except CycleError as error:
        raise _cycle(task, error.args[1]) from None
    waves: list[tuple[StepId, ...]] = []
    while sorter.is_active():
        ready = frozenset(sorter.get_ready())
        waves.append(tuple(step.id for step in task.steps if step.id in ready))
        sorter.done(*ready)
    return tuple(waves)


def _cycle(task: Task, found: list[str]) -> TaskFileError:
    # graphlib names the cycle against the dependencies, and begins anywhere: turn it, and begin with the first step.
    members = found[:0:-1]
    first = min(range(len(members)), key=lambda i: _position(task, members[i]))
    turned = [*members[first:], *members[:first]]
    names = " -> ".join(f'"{member}"' for member in (*turned, turned[0]))
    lines = ", ".join(f'"{member}" line {task.step(member).line}' for member in turned)
    return _error(
        task,
        task.step(turned[0]).line,
        f"the steps depend on each other in a circle: {names}",
        next_step='remove one of them from "Dependencies"',
        steps=lines,
    )


def _position(task: Task, step_id: str) -> int:
    return next(i for i, step in enumerate(task.steps) if step.id == step_id)


def _refuse_unknown_dependencies(task: Task) -> None:
    defined = [step.id for step in task.steps]
    for step in task.steps:
        for other in step.depends_on:
            if other == step.id:
                raise _error(task, step.line, f'step "{step.id}" depends on itself')
            if other in defined:
                continue
            if other in (task.id, *task.depends_on):
                raise _error(
                    task,
                    step.line,
                    f'step "{step.id}" depends on "{other}", which is a task',
                    next_step='name tasks in the "Dependencies" of the task; those of a step are steps',
                    steps=", ".join(defined),
                )
            raise _error(
                task,
                step.line,
                f'step "{step.id}" depends on "{other}", which this task does not define',
                next_step=f'add "#### Step {other}: ...", or remove it from "Dependencies" of step "{step.id}"',
                defined=", ".join(defined),
            )
    if task.id in task.depends_on:
        raise _error(task, task.line, f'task "{task.id}" depends on itself')


def _refuse_shared_outputs(task: Task) -> None:
    claimed: dict[str, Step] = {}
    for step in task.steps:
        for output in step.outputs:
            path = posixpath.normpath(output.path)
            first = claimed.setdefault(path, step)
            if first is not step:
                raise _error(
                    task,
                    output.line,
                    f'output "{output.path}" is claimed by step "{first.id}" and by step "{step.id}"',
                    next_step="let one step own it, and let the other depend on that step",
                )


def _refuse_empty(task: Task, contract: Contract) -> None:
    whole = not isinstance(contract, Step)
    name = f'task "{task.id}"' if whole else f'step "{contract.id}"'
    fields: list[tuple[str, str, int | None]] = [("title", contract.title, contract.line)]
    if whole:
        fields.append(("goal", contract.goal, contract.line))
    else:
        fields += [("action", action.text, action.line) for action in contract.actions]
        if not contract.actions:
            raise _error(task, contract.line, f"{name} has no Concrete Actions")
    fields += [("criterion", criterion.text, criterion.line) for criterion in contract.criteria]
    fields += [("command", command.run, command.line) for command in contract.verification]
    fields += [("output", output.path, output.line) for output in contract.outputs]
    fields += [("allowed scope", glob, contract.line) for glob in contract.allowed_paths]
    for what, text, line in fields:
        if not text.strip():
            raise _error(task, line, f"{name} has an empty {what}", next_step="fill it in, or remove it")


def _refuse_unknown_checks(task: Task, contract: Contract) -> None:
    defined = dict.fromkeys(contract.refs)
    for criterion in contract.criteria:
        for ref in criterion.verified_by:
            if ref not in defined:
                raise _error(
                    task,
                    criterion.line,
                    f'criterion "{criterion.id}" names the check "{ref}", which is not defined beside it',
                    next_step='add it to "Verification" or "Expected Outputs" of the same step or task',
                    defined=", ".join(defined) or "no checks",
                )


def _refuse_unknown_kinds(task: Task, kinds: Kinds) -> None:
    for contract in (task, *task.steps):
        for probe in contract.probes:
            if probe.kind not in kinds:
                raise _error(
                    task,
                    probe.line,
                    f'check "{probe.ref}" is of the kind "{probe.kind}", which nobody knows here',
                    next_step="install the package that offers it, or give it in RunContext(kinds=...)",
                    known=", ".join(kinds),
                )


def _gaps(task: Task) -> Iterator[Gap]:
    if not any(contract.criteria for contract in (task, *task.steps)):
        reason = f"task {task.id} has no acceptance criteria at all"
        yield Gap(step=None, criterion=None, reason=reason, line=task.line)
        return
    for step in task.steps:
        if not step.criteria:
            reason = f"step {step.id} has no acceptance criterion"
            yield Gap(step=step.id, criterion=None, reason=reason, line=step.line)
        yield from _unproved(step, f"step {step.id}")
    yield from _unproved(task, f"task {task.id}")


def _unproved(contract: Contract, name: str) -> Iterator[Gap]:
    for criterion in contract.criteria:
        if not criterion.verified_by:
            yield _unproved_gap(contract, criterion, name)


def _unproved_gap(contract: Contract, criterion: Criterion, name: str) -> Gap:
    reason = f"criterion {criterion.id} of {name} has no check"
    return Gap(step=_step_id(contract), criterion=criterion.id, reason=reason, line=criterion.line)


def _blocked(task: Task, compiled: Plan) -> Blocked:
    return Blocked(
        question=(
            f"Task {task.id} cannot be proved as its file stands. Give up, add the missing checks and start a new run?"
        ),
        reasons=tuple(f"{_where(task, gap.line)}: {gap.reason}; next: {_remedy(task, gap)}" for gap in compiled.gaps),
    )


def _remedy(task: Task, gap: Gap) -> str:
    if task.source.format != "card":
        return f'add [task."{task.id}"."{gap.criterion}"] with run = "COMMAND" to waypost.checks.toml beside the file'
    if gap.criterion:
        return 'add "Verified by `command`" to it'
    where = "it" if gap.step else "it or to each of its steps"
    return f'add an "Acceptance Criteria" list to {where}, each item with "Verified by `command`"'


def _step_id(contract: Contract) -> StepId | None:
    return contract.id if isinstance(contract, Step) else None


def _where(task: Task, line: int | None) -> str:
    return task.source.path if line is None else f"{task.source.path}:{line}"


def _error(task: Task, line: int | None, what: str, *, next_step: str = "", **facts: object) -> TaskFileError:
    return TaskFileError(task.source.path, line, what, facts=facts, next_step=next_step)
