"""What the pages of one run show, worked out from its state and its files: templates only print it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..nodes.evidence.files import RunFolder, open_run_folder
from ..nodes.evidence.proof import CriterionRow, criterion_rows
from ..nodes.evidence.scope import Scope, read_scope
from ..state.errors import EvidenceError
from ..state.pipeline import PipelineState
from ..state.records import Attempt, Check, Decision, Outcome, Transition
from ..state.status import ENDS, Node
from ..state.task import Step
from .ansi import plain
from .dag import Dag, Item, lay_out
from .drawing import current
from .output import SEARCHED, SHOWN, Output, all_checks, last_lines, read_output

_MOVES, _LIVE_LINES, _OUTPUTS_OPEN = 200, 12, 3
_PAGE_BYTES = 3 << 20


@dataclass(frozen=True)
class StepRow:
    """A step, how it stands, and its attempts."""

    step: Step
    status: str
    attempts: tuple[Attempt, ...]
    in_flight: int | None
    criteria: tuple[CriterionRow, ...]


@dataclass(frozen=True)
class Moment:
    """One line of the timeline: a move, with the decision of a person that led to it, and how long it took."""

    number: int
    move: Transition
    decision: Decision | None
    took_s: float | None


@dataclass(frozen=True)
class Live:
    """Something that is at work: its name, where all of its output is, and the newest lines of it."""

    key: str
    name: str
    href: str
    lines: str


@dataclass(frozen=True)
class CheckRow:
    """A check with its output, None where it has none or the page is full. `open`: it is shown unfolded."""

    check: Check
    output: Output | None
    open: bool
    hits: int


def steps_of(state: PipelineState, *, driven: bool) -> tuple[StepRow, ...]:
    """The steps in file order.

    Args:
        driven: a process drives the run now; without one nobody knows whether a worker is still at work.
    """
    if state.task is None:
        return ()
    rows = criterion_rows(state, state.task)
    flying: dict[str, int] = {one.step: one.number for one in state.in_flight()} if state.status not in ENDS else {}
    return tuple(
        StepRow(
            step=step,
            status=_status(state, step, flying, driven=driven),
            attempts=state.attempts_of(step.id),
            in_flight=flying.get(step.id),
            criteria=tuple(row for row in rows if row.step == step.id),
        )
        for step in state.task.steps
    )


def task_criteria(state: PipelineState) -> tuple[CriterionRow, ...]:
    """The criteria of the task itself."""
    rows = criterion_rows(state, state.task) if state.task else ()
    return tuple(row for row in rows if row.step is None)


def dag_of(state: PipelineState, rows: tuple[StepRow, ...]) -> Dag | None:
    """The steps as a drawing, where one waits for another."""
    if not any(row.step.depends_on for row in rows):
        return None
    waves = [id for wave in state.plan.waves for id in wave] if state.plan else []
    order = {id: number for number, id in enumerate(waves)}
    items = [
        Item(row.step.id, plain(row.step.title), row.status, tuple(row.step.depends_on), f"#step-{row.step.id}")
        for row in sorted(rows, key=lambda row: order.get(row.step.id, len(order)))
    ]
    return lay_out(items)


def timeline(state: PipelineState) -> tuple[tuple[Moment, ...], int]:
    """The newest moves, the newest first, and how many older ones are left out."""
    older = max(0, len(state.transitions) - _MOVES)
    moves = [
        Moment(number, move, _decision(state, move), _took(state, number))
        for number, move in enumerate(state.transitions[older:], older + 1)
    ]
    return tuple(reversed(moves)), older


def at_work(state: PipelineState, folder: Path) -> tuple[Live, ...]:
    """The attempts that are being made now, or the checks, with the newest lines of what they print."""
    if state.status in ENDS:
        return ()
    with open_run_folder(folder) as run, contextlib.suppress(EvidenceError):
        match current(state):
            case Node.DISPATCH:
                return tuple(_live(run, order.step, order.number) for order in state.in_flight())
            case Node.BASELINE:
                return tuple(_live_checks(run, "checks/0000"))
            case Node.VERIFY:
                return tuple(_live_checks(run, f"checks/{state.round + 1:04d}"))
            case _:
                pass
    return ()


def checks_of(state: PipelineState, folder: Path, *, wanted: str, outcome: str) -> tuple[CheckRow, ...]:
    """The checks with their output, those before the work last; of a search, those that have what is searched for."""
    rows: list[CheckRow] = []
    words, opened, room = wanted.casefold(), 0, _PAGE_BYTES
    with open_run_folder(folder) as run:
        for check in sorted(all_checks(state), key=lambda check: check.round, reverse=True):
            if outcome and check.outcome != outcome:
                continue
            output, hits = _searched(run, check, words) if words else (None, 0)
            if words and not hits and words not in _about(check):
                continue
            if output is None and check.log and room > 0:
                output = read_output(run, check.log, check.log_sha256)
            room -= min(output.size, SHOWN) if output else 0
            # What fails before the work is as it should be.
            alarming = check.outcome is not Outcome.PASSED and check.round > 0
            is_open = bool(hits) or (alarming and opened < _OUTPUTS_OPEN)
            opened += is_open
            rows.append(CheckRow(check, output, is_open, hits))
    return tuple(rows)


def scope_of(state: PipelineState, folder: Path) -> tuple[Scope, str]:
    """What the newest scope check saw, or why that cannot be told."""
    try:
        with open_run_folder(folder) as run:
            return read_scope(state.checks, run), ""
    except EvidenceError as error:
        return Scope(None), error.what


def since(state: PipelineState) -> float:
    """Seconds since the last move."""
    begun = state.transitions[-1].at if state.transitions else state.created_at
    return max(0.0, (datetime.now(UTC) - begun).total_seconds()) if begun else 0.0


def _status(state: PipelineState, step: Step, flying: dict[str, int], *, driven: bool) -> str:
    if step.id in state.accepted:
        return "PASSED"
    if step.id in flying:
        at_work = "RUNNING" if driven else "INTERRUPTED"
        return at_work if current(state) == Node.DISPATCH else "ordered"
    if any(v.step == step.id and v.criterion is None and v.outcome is not Outcome.PASSED for v in state.verdicts):
        return next(v.outcome.value for v in state.verdicts if v.step == step.id and v.criterion is None)
    return "waiting" if not state.attempts_of(step.id) else "checked next"


def _decision(state: PipelineState, move: Transition) -> Decision | None:
    """What a person decided last before a move that follows from an answer."""
    if move.node is not Node.PERSON:
        return None
    return next((one for one in reversed(state.decisions) if one.route is move.route and one.at <= move.at), None)


def _took(state: PipelineState, number: int) -> float | None:
    before = state.transitions[number - 2].at if number > 1 else state.created_at
    return max(0.0, (state.transitions[number - 1].at - before).total_seconds()) if before else None


def _live(run: RunFolder, step: str, number: int) -> Live:
    folder = f"dispatch/{step}/attempt-{number}"
    told = (last_lines(run, f"{folder}/{name}", lines=_LIVE_LINES) for name in ("stdout.log", "stderr.log"))
    text = "\n".join(text for text in told if text)
    return Live(f"{step}-{number}", f"{step} attempt {number}", f"attempts/{step}/{number}", text)


def _live_checks(run: RunFolder, folder: str) -> Iterator[Live]:
    """Of a round that is not over: what each of its checks printed so far; they are recorded once all have ended."""
    for name in run.names(folder):
        if name.endswith(".log"):
            title = f"check {name.removesuffix('.log')}"
            yield Live(name.replace(".", "-"), title, "checks", last_lines(run, f"{folder}/{name}", lines=_LIVE_LINES))


def _about(check: Check) -> str:
    return f"{check.id} {check.run} {check.reason} {check.outcome} {check.stands_for or ''}".casefold()


def _searched(run: RunFolder, check: Check, words: str) -> tuple[Output | None, int]:
    """The lines of an output around what was found in it, and how often it was; None where it was not."""
    output = read_output(run, check.log, check.log_sha256, most=SEARCHED) if check.log else None
    hits = plain(f"{output.head}{output.tail}").casefold().count(words) if output else 0
    return (_within(output, words), hits) if output and hits else (None, 0)


def _within(output: Output, words: str) -> Output:
    """Of an output that is searched, the lines around what was found."""
    lines = f"{output.head}{output.tail}".splitlines()
    kept = sorted({near for at in _hits(lines, words) for near in range(max(0, at - 2), min(len(lines), at + 3))})
    parts: list[str] = []
    for position, at in enumerate(kept):
        if position and kept[position - 1] != at - 1:
            parts.append("⋯")
        parts.append(lines[at])
    return Output(output.path, output.size, "\n".join(parts), "", 0, output.trusted)


def _hits(lines: list[str], words: str) -> Iterator[int]:
    found = 0
    for number, line in enumerate(lines):
        if words in plain(line).casefold():
            found += 1
            yield number
        if found >= 200:
            return
