"""A run as a tree of its steps, with what goes on now, what has failed, and what is used up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.text import Text

from ...nodes.budget import run_allowance, used_of
from ...nodes.workers.attempt import AttemptFolder, Stage
from ...state.budget import Resource
from ...state.pipeline import PipelineState
from ...state.records import AttemptKind, Order, Outcome
from ...state.status import Status
from ...state.task import Step
from ..safe import one_line, output_line
from ..seen import Seen
from ..summary import failed_checks
from ..view import COLOURS
from .rows import Block, Sheet, elapsed, fitted
from .tail import Tails, last_lines, newest_of

_LINES, _LINES_OF_MANY, _MANY = 3, 1, 3
_ENDED = frozenset({Status.DONE, Status.FAILED, Status.BLOCKED})


@dataclass
class RunPicture:
    """Everything that is drawn of a run. Made anew whenever its ledger has grown."""

    seen: Seen
    tails: Tails
    _flying: dict[str, tuple[Order, AttemptFolder, Stage]] = field(init=False)
    _errors: dict[str | None, str] = field(init=False)

    def __post_init__(self) -> None:
        self.look_again()
        state, run_dir = self.seen.state, self.seen.run_dir
        failed = failed_checks(state, run_dir) if state.status is not Status.DONE else []
        self._errors = {
            check["step"]: output_line((check["error"] or f"{check['run']}: {check['reason']}").encode())
            for check in reversed(failed)
        }

    def look_again(self) -> None:
        """What is in flight may have come to its end without a line in the ledger."""
        self._flying = {order.step: (order, folder, stage) for order, folder, stage in self.seen.attempts()}

    def rows(self, sheet: Sheet, *, ended: bool) -> list[Text]:
        """The picture; without what still moves where the view has ended."""
        head, foot = list(self._head(sheet, ended=ended)), list(self._foot(sheet))
        room = sheet.height - len(head) - len(foot)
        return [*head, *fitted(list(self._steps(sheet, ended=ended)), max(1, room)), *foot]

    @property
    def _state(self) -> PipelineState:
        return self.seen.state

    def _head(self, sheet: Sheet, *, ended: bool) -> Iterator[Text]:
        state = self._state
        began = state.created_at.timestamp() if state.created_at else None
        until = state.transitions[-1].at.timestamp() if state.status in _ENDED and state.transitions else time.time()
        right = Text(state.status.value, style=f"bold {COLOURS.get(state.status.value, 'cyan')}")
        if began is not None:
            right.append(f"  {elapsed(until - began)}", style="dim")
        yield sheet.row(Text(state.run_id, style="bold"), right)
        if state.task is not None:
            yield sheet.row(Text(one_line(state.task.title)))

    def _steps(self, sheet: Sheet, *, ended: bool) -> Iterator[Block]:
        steps = self._state.task.steps if self._state.task else ()
        for number, step in enumerate(steps, 1):
            yield self._block(step, sheet, last=number == len(steps), ended=ended)

    def _block(self, step: Step, sheet: Sheet, *, last: bool, ended: bool) -> Block:
        glyphs = sheet.glyphs
        sign, style, folds = self._sign(step, sheet, ended=ended)
        left = Text(glyphs.last if last else glyphs.branch, style="dim")
        left.append(f"{sign} ", style=style).append(f"{step.id}  ", style="bold")
        left.append(one_line(step.title), style="dim" if folds == "steps to come" else "default")
        inset = Text(glyphs.space if last else glyphs.bar, style="dim")
        more = [inset.copy().append("  ").append_text(line) for line in self._below(step, sheet, ended=ended)]
        return Block(
            sheet.row(left, self._told(step, sheet, ended=ended)), tuple(sheet.row(row) for row in more), folds
        )

    def _sign(self, step: Step, sheet: Sheet, *, ended: bool) -> tuple[str, str, str | None]:
        """Sign, style, and how the step is counted where there is no room for it."""
        state, glyphs = self._state, sheet.glyphs
        if step.id in state.accepted:
            return glyphs.done, "green", "steps passed"
        approval = state.blocked.approval if state.blocked and state.status is Status.BLOCKED else None
        if approval is not None and approval.step == step.id:
            return glyphs.asks, "yellow", None
        in_hand = any(order.step == step.id for order in state.orders)
        if in_hand and state.status not in _ENDED and not ended:
            return glyphs.turning(), "cyan", None
        if step.id in self._errors or (in_hand and state.status in _ENDED):
            unverifiable = any(v.step == step.id and v.outcome is Outcome.UNVERIFIABLE for v in state.verdicts)
            return (glyphs.asks, "yellow", None) if unverifiable else (glyphs.failed, "red", None)
        return glyphs.waits, "dim", "steps to come"

    def _told(self, step: Step, sheet: Sheet, *, ended: bool) -> Text:
        """What stands at the right edge: attempts and time, or what the step waits for."""
        state = self._state
        attempts = state.attempts_of(step.id)
        took = sum((a.ended_at - a.started_at).total_seconds() for a in attempts if a.started_at and a.ended_at)
        number = len(attempts)
        if step.id in self._flying:
            order, folder, _ = self._flying[step.id]
            started = folder.started()
            kind = "" if order.kind is AttemptKind.CREATE else f" ({order.kind})"
            words = f"attempt {order.number}{kind}" if order.number > 1 else ""
            now = elapsed(time.time() - started.started_at) if started else "starting"
            return Text("  ".join(part for part in (words if sheet.wide else "", now) if part), style="cyan")
        if not attempts:
            missing = [other for other in step.depends_on if other not in state.accepted]
            return Text(f"waits for {', '.join(missing)}" if missing and sheet.wide else "", style="dim")
        in_hand = step.id not in state.accepted and any(order.step == step.id for order in state.orders)
        if in_hand and state.status not in _ENDED and not ended:
            return Text("checking", style="cyan")
        words = f"{number} attempts" if number > 1 and sheet.wide else ""
        return Text("  ".join(part for part in (words, f"{took:.1f} s") if part), style="dim")

    def _below(self, step: Step, sheet: Sheet, *, ended: bool) -> Iterator[Text]:
        error = self._errors.get(step.id)
        if error is not None and step.id not in self._state.accepted:
            yield Text(f"{sheet.glyphs.failed} {error}", style="red")
        if ended:
            return
        bar = sheet.glyphs.bar.strip()
        if step.id in self._flying:
            _, folder, stage = self._flying[step.id]
            if stage is Stage.RUNNING:
                count = _LINES_OF_MANY if len(self._flying) > _MANY or not sheet.wide else _LINES
                for line in self.tails.of(folder.path, self._state.worker, count):
                    yield Text(f"{bar} {line}", style="dim")
        elif self._state.status is Status.EXECUTE and not self._flying:
            yield from self._checking(step, sheet)

    def _checking(self, step: Step, sheet: Sheet) -> Iterator[Text]:
        """The check of the step that runs now, and what it has printed last."""
        found = _newest_log(self.seen.run_dir / "checks" / f"{self._state.round + 1:04}", step.id)
        if found is None:
            return
        ref = found.name.removeprefix(f"{step.id}.").partition(".")[0]
        run = next((command.run for command in step.verification if command.ref == ref), found.name)
        yield Text(f"check {one_line(run)}", style="cyan")
        for line in last_lines(found, 1):
            yield Text(f"{sheet.glyphs.bar.strip()} {line}", style="dim")

    def _foot(self, sheet: Sheet) -> Iterator[Text]:
        told = list(self._budget())
        if told:
            yield sheet.row(Text(sheet.glyphs.dot.join(told), style="dim"))

    def _budget(self) -> Iterator[str]:
        """What is used, of how much where there is a limit."""
        state = self._state
        allowed = run_allowance(state)
        running = [started.started_at for _, folder, _ in self._flying.values() if (started := folder.started())]
        for resource in (Resource.TIME, Resource.ATTEMPTS, Resource.TURNS, Resource.COST):
            used, limit = used_of(state, None, resource), allowed.limit(resource)
            used += sum(time.time() - began for began in running) if resource is Resource.TIME else 0
            used += len(running) if resource is Resource.ATTEMPTS else 0
            if used or limit is not None:
                yield f"{resource.value} {_amount(resource, used)}" + (
                    f" of {_amount(resource, limit)}" if limit is not None else ""
                )


def _amount(resource: Resource, value: float) -> str:
    if resource is Resource.TIME:
        return elapsed(value)
    return f"{value:.2f} USD" if resource is Resource.COST else f"{value:g}"


def _newest_log(folder: Path, step: str) -> Path | None:
    try:
        return newest_of(
            path for path in folder.iterdir() if path.name.startswith(f"{step}.") and path.suffix == ".log"
        )
    except OSError:
        return None
