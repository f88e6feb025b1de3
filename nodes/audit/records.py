"""The records against each other: moves, mapping, checks and verdicts, all worked out again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...state.errors import IllegalTransition, TaskFileError
from ...state.guarding import broken_demands
from ...state.invariants import missing_for_done, missing_on_branch
from ...state.pipeline import PipelineState
from ...state.records import Check, CheckKind, Outcome, Transition, Verdict
from ...state.status import Node, Status, check_transition
from ...state.task import Command, Task
from ..evidence.before import all_checks
from ..evidence.proof import contracts as contracts_of
from ..plan import compile_plan
from ..verdicts import judge
from .finding import Finding, ok, wrong


def audit_records(state: PipelineState, history: Sequence[Sequence[Transition]]) -> Iterator[Finding]:
    """Everything that can be told from the state alone.

    Args:
        history: the transitions as each checkpoint of the ledger knew them, oldest first.
    """
    yield from _moves(state)
    yield from _history(state, history)
    if state.task is None:
        yield wrong("records", "task", f"run {state.run_id} has no task")
        return
    yield from _mapping(state, state.task)
    yield from _checks(state)
    yield from _verdicts(state, state.task)
    yield from _end(state)


def _moves(state: PipelineState) -> Iterator[Finding]:
    at = Status.PLANNING
    before: Transition | None = None
    for number, move in enumerate(state.transitions, 1):
        if move.source is not at and not _of_one_wave(before, move):
            yield wrong("records", f"transition {number}", f"starts at {move.source}, the one before ended at {at}")
            return
        try:
            check_transition(
                run_id=state.run_id, node=move.node, source=move.source, target=move.target, route=move.route
            )
        except IllegalTransition as error:
            yield wrong("records", f"transition {number}", error.what)
            return
        at, before = move.target, move
    if at is not state.status:
        yield wrong("records", "status", f"is {state.status}, the last transition went to {at}")
        return
    yield ok("records", "transitions", f"{len(state.transitions)} moves, each of them in the table, to {at}")


def _of_one_wave(before: Transition | None, move: Transition) -> bool:
    """Steps that are dispatched side by side each record the move that all of them make."""
    return before is not None and before.node is move.node is Node.DISPATCH and before.source is move.source


def _history(state: PipelineState, history: Sequence[Sequence[Transition]]) -> Iterator[Finding]:
    before: Sequence[Transition] = ()
    for number, moves in enumerate(history, 1):
        if tuple(moves[: len(before)]) != tuple(before):
            yield wrong("records", f"checkpoint {number}", "tells another past than the checkpoint before it")
            return
        before = moves
    if tuple(before) != state.transitions:
        yield wrong("records", "history", "the checkpoints do not lead to the newest state")
        return
    yield ok("records", "history", f"{len(history)} checkpoints tell one story")


def _mapping(state: PipelineState, task: Task) -> Iterator[Finding]:
    try:
        compiled = compile_plan(task)
    except TaskFileError as error:
        yield wrong("mapping", "plan", f"the task cannot be planned: {error.what}")
        return
    if compiled != state.plan:
        yield wrong("mapping", "plan", "is not what the task compiles to")
        return
    rows = len(compiled.coverage)
    yield ok("mapping", "plan", f"{rows} criteria are mapped to checks as the task says")


def _checks(state: PipelineState) -> Iterator[Finding]:
    ids = [check.id for check in all_checks(state)]
    for twice in sorted({name for name in ids if ids.count(name) > 1} if len(set(ids)) < len(ids) else ()):
        yield wrong("records", twice, "two checks have this id")
    complaints = [(check, what) for check in all_checks(state) if (what := _complaint(state, check))]
    for check, what in complaints:
        yield wrong("records", check.id, what)
    if not complaints:
        yield ok("records", "checks", f"{len(ids)} checks, each outcome follows from what is recorded beside it")


def _complaint(state: PipelineState, check: Check) -> str:
    """Why an outcome does not follow from the facts beside it; empty if it does."""
    passed = check.outcome is Outcome.PASSED
    if check.kind is CheckKind.COMMAND and not _exit_code_fits(state.task, check, passed):
        return f"is {check.outcome} with exit code {check.exit_code}"
    if check.round == 0 and check.kind is CheckKind.COMMAND and not check.argv:
        return _about_repeated(state, check)
    if check.kind is CheckKind.COMMAND and passed and not (check.argv and check.log and check.log_sha256):
        return "passed without a command line, or without a log"
    if check.kind is CheckKind.BASELINE and check.outcome is not Outcome.UNVERIFIABLE:
        return f"stands for a command that does not exist, and is {check.outcome}"
    if check.kind is CheckKind.WORKER:
        attempt = state.attempt(check.step or "", check.attempt or 0)
        if attempt is None or passed != attempt.succeeded:
            return f"is {check.outcome}, which the attempt does not bear out"
    return ""


def _about_repeated(state: PipelineState, check: Check) -> str:
    """A command that several steps name ran once before the work: what the record of another step says of that."""
    if check.outcome is Outcome.UNVERIFIABLE:
        return ""
    ran = state.before.of(state.task, check) if state.before and state.task else None
    if ran is None:
        return f"is {check.outcome}, and nothing of the kind ran before the work"
    return (
        "" if ran.outcome is check.outcome else f"is {check.outcome}, where {ran.id} ran the same and is {ran.outcome}"
    )


def _exit_code_fits(task: Task | None, check: Check, passed: bool) -> bool:
    """Whether a command can have that outcome with its exit code; its output is judged elsewhere."""
    command = _command(task, check)
    if command is None:
        return False
    fits = check.exit_code == command.exit_code
    return fits if passed else not fits or command.output is not None


def _command(task: Task | None, check: Check) -> Command | None:
    contracts = [one for step, one in contracts_of(task) if step == check.step] if task else []
    return next((c for one in contracts for c in one.verification if c.ref == check.ref), None)


def _verdicts(state: PipelineState, task: Task) -> Iterator[Finding]:
    if state.plan is None:
        return
    by_round: dict[int, list[Check]] = {}
    for check in state.checks:
        by_round.setdefault(check.round, []).append(check)
    again: tuple[Verdict, ...] = ()
    for number in sorted(by_round):
        again = judge(task, state.plan, by_round[number], again)
    if again == state.verdicts:
        yield ok("verdicts", "all", f"{len(again)} verdicts follow from {len(by_round)} rounds of checks")
        return
    recorded = {(verdict.step, verdict.criterion): verdict for verdict in state.verdicts}
    for verdict in again:
        name = f"{verdict.step or 'task'}{f'/{verdict.criterion}' if verdict.criterion else ''}"
        other = recorded.pop((verdict.step, verdict.criterion), None)
        if other != verdict:
            found = f"{other.outcome} ({other.reason})" if other else "nothing"
            yield wrong("verdicts", name, f"recorded is {found}, the checks say {verdict.outcome} ({verdict.reason})")
    for step, criterion in recorded:
        yield wrong("verdicts", f"{step or 'task'}/{criterion}", "is recorded, and no check leads to it")


def _end(state: PipelineState) -> Iterator[Finding]:
    if state.status is not Status.DONE:
        yield wrong("verdicts", "run", f"is {state.status}, not DONE: it proves nothing")
        return
    missing = missing_for_done(state.task, state.plan, state.attempts, state.checks, state.verdicts, state.decisions)
    missing += missing_on_branch(state.isolated, state.task, state.attempts)
    missing += [f"{what} did not fail before the work" for what in broken_demands(state.task, state.before)]
    for what in missing:
        yield wrong("verdicts", "run", f"DONE without proof: {what}")
    if not missing:
        yield ok("verdicts", "run", f"DONE, proved in round {state.round}")
