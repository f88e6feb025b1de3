"""What a run tells, read from its ledger and the files of its attempts: the same events, for who did not start it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ..nodes.baseline import repeats
from ..nodes.workers.attempt import Stage
from ..state.errors import RunNotFound
from ..state.events import AttemptFinished, AttemptStarted, CheckFinished, Event, EvidenceWritten, NodeFinished
from ..state.pipeline import PipelineState
from ..state.records import Attempt, AttemptKind, AttemptOutcome, CheckKind, Transition
from ..state.status import Node, Route
from ..state.task import MANUAL
from .seen import Seen, see_run

# No event tells of the end of a worker, of the scope, or of what a person decides as of a check.
_TOLD_CHECKS = frozenset(CheckKind) - {CheckKind.WORKER, CheckKind.SCOPE}
_Moment = tuple[datetime, int, Event]


class Follower:
    """Gives the events of a run since it was last asked, from the first one on. Reads only.

    A stage is told when it has ended, as are checks: when they begin does not stand on the disk.
    """

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._moves = self._checks = 0
        self._told_before = False
        self._started: set[tuple[str, int]] = set()
        self._ended: set[tuple[str, int]] = set()
        self._reports: tuple[str, ...] = ()
        self.seen: Seen | None = None

    def news(self) -> list[Event]:
        """What has happened meanwhile, oldest first.

        Raises:
            RunNotFound: it was removed meanwhile.
            LedgerError, StateError: it cannot be read.
        """
        seen = see_run(self._run_dir)
        if seen is None and self.seen is not None:
            raise RunNotFound(f"{self._run_dir} was removed while it was watched")
        if seen is None:
            return []
        self.seen = seen
        moments = [*self._of_checks(seen.state), *self._of_attempts(seen.state), *self._of_moves(seen.state)]
        moments += self._of_flying(seen)
        # Sorted by when it was; what is of one moment in the order of the stages.
        return [event for _, _, event in sorted(moments, key=lambda moment: moment[:2])]

    @property
    def is_over(self) -> bool:
        """Whether nobody drives the run, so that nothing more will come."""
        return self.seen is None or not self.seen.driven

    def _of_attempts(self, state: PipelineState) -> Iterator[_Moment]:
        for attempt in state.attempts:
            key = (attempt.step, attempt.number)
            began = attempt.started_at or _last(state)
            if key not in self._started and attempt.outcome is not AttemptOutcome.NOT_STARTED:
                self._started.add(key)
                yield began, 1, _started(state, attempt.step, attempt.number, attempt.kind, attempt.worker, began)
            if key not in self._ended and attempt.outcome is not AttemptOutcome.RUNNING:
                self._ended.add(key)
                yield attempt.ended_at or began, 2, _finished(state, attempt)

    def _of_flying(self, seen: Seen) -> Iterator[_Moment]:
        state = seen.state
        for order, folder, stage in seen.attempts():
            started = folder.started()
            if stage is Stage.RUNNING and started is not None and (order.step, order.number) not in self._started:
                self._started.add((order.step, order.number))
                began = datetime.fromtimestamp(started.started_at, UTC)
                yield began, 1, _started(state, order.step, order.number, order.kind, state.worker, began)

    def _of_checks(self, state: PipelineState) -> Iterator[_Moment]:
        ends = _rounds(state)
        before = state.before.checks if state.before and not self._told_before else ()
        self._told_before = state.before is not None
        for check in (*before, *state.checks[self._checks :]):
            if check.kind in _TOLD_CHECKS and check.probe != MANUAL and not repeats(check):
                at = ends.get(check.round, _last(state))
                event = CheckFinished(
                    event="check_finished",
                    at=_iso(check.started_at or at),
                    run_id=state.run_id,
                    node=Node.BASELINE if check.round == 0 else Node.VERIFY,
                    check=check.id,
                    text=check.run,
                    outcome=check.outcome,
                    duration_s=check.duration_s or 0.0,
                )
                if check.step:
                    event["step"] = check.step
                yield at, 3, event
        self._checks = len(state.checks)

    def _of_moves(self, state: PipelineState) -> Iterator[_Moment]:
        for move in state.transitions[self._moves :]:
            yield move.at, 4, _moved(state, move)
        self._moves = len(state.transitions)
        reports = tuple(file.sha256 for file in state.evidence)
        if reports and reports != self._reports:
            self._reports, last = reports, state.transitions[-1]
            for file in state.evidence:
                told = EvidenceWritten(event="evidence_written", run_id=state.run_id, node=last.node, text=file.path)
                yield last.at, 5, told


def _text(state: PipelineState, step: str, worker: str) -> str:
    found = next((one for one in state.task.steps if one.id == step), None) if state.task else None
    return f"{found.title if found else step} [{worker}]"


def _started(
    state: PipelineState, step: str, number: int, kind: AttemptKind, worker: str, began: datetime
) -> AttemptStarted:
    return AttemptStarted(
        event="attempt_started",
        at=_iso(began),
        run_id=state.run_id,
        node=Node.DISPATCH,
        step=step,
        attempt=number,
        worker=worker,
        text=_text(state, step, worker),
        kind=kind,
    )


def _finished(state: PipelineState, attempt: Attempt) -> AttemptFinished:
    event = AttemptFinished(
        event="attempt_finished",
        run_id=state.run_id,
        node=Node.DISPATCH,
        step=attempt.step,
        attempt=attempt.number,
        worker=attempt.worker,
        text=_text(state, attempt.step, attempt.worker),
        outcome=attempt.outcome,
    )
    if attempt.exit_code is not None:
        event["exit_code"] = attempt.exit_code
    if usage := attempt.usage.model_dump(exclude_none=True):
        event["usage"] = usage
    if attempt.started_at and attempt.ended_at:
        event["duration_s"] = round((attempt.ended_at - attempt.started_at).total_seconds(), 3)
    if attempt.ended_at:
        event["at"] = _iso(attempt.ended_at)
    return event


def _moved(state: PipelineState, move: Transition) -> NodeFinished:
    return NodeFinished(
        event="node_finished",
        at=_iso(move.at),
        run_id=state.run_id,
        node=move.node,
        outcome=f"{move.target} ({move.route})",
        text=move.reason,
    )


def _rounds(state: PipelineState) -> dict[int, datetime]:
    """When each round of checks ended: each ends with a move of its own."""
    ends = [move.at for move in state.transitions if move.route is Route.CHECKED]
    # Round 0 is that before the work; a baseline that was stopped has recorded no checks.
    before = [move.at for move in state.transitions if move.node is Node.BASELINE and move.route is not Route.DRAIN]
    return dict(enumerate([*(before[-1:] or [_last(state)]), *ends]))


def _last(state: PipelineState) -> datetime:
    return state.transitions[-1].at if state.transitions else datetime.now(UTC)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
