"""Hand one step to one worker, once. Safe to run again: an attempt that was started is found, never repeated."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ..state.errors import WorkerUnknown
from ..state.events import Event, EventKind
from ..state.job import Job
from ..state.records import Attempt, AttemptOutcome, Permissions, Usage
from ..state.status import Node, Route, Status
from .context import Call
from .conversation import with_session
from .isolate.steps import left_by, placed
from .move import Move
from .prompt import prompt_text
from .workers import Report, Worker, WorkerRefused
from .workers.attempt import AttemptFolder, ExitRecord, Stage
from .workers.files import sha256_file
from .workers.leftovers import kill_leftovers


def dispatch(job: Job, call: Call) -> Move:
    """Bring the attempt of `job` to its end, or leave it in flight where the run drains."""
    folder = AttemptFolder(attempt_path(call.context.run_dir(job.run_id), job))
    attempt = left_by(job, call, _attempt(placed(job, call, folder.path), folder, call))
    reason = f"step {job.step.id} attempt {job.order.number}: {attempt.outcome}" if attempt else "draining"
    update = {"attempts": (attempt,)} if attempt else {}
    return Move(Status.EXECUTE, Route.DISPATCHED, reason, update)


def attempt_path(run_dir: Path, job: Job) -> Path:
    """The folder of the attempt that `job` is for."""
    return run_dir / "dispatch" / job.step.id / f"attempt-{job.order.number}"


def _attempt(job: Job, folder: AttemptFolder, call: Call) -> Attempt | None:
    stage = folder.stage()
    child = None
    if stage is Stage.UNCLAIMED:
        if call.draining():
            return None
        try:
            worker = _worker(job, call)
            job = with_session(job, worker, folder.path.parent)
            prompt = prompt_text(job, call.context.run_dir(job.run_id), call.context.prompt_template)
            folder.request(job, prompt)
            launch = worker.prepare(job, folder.path)
        except (WorkerRefused, WorkerUnknown) as error:
            return _record(job, call, AttemptOutcome.NOT_STARTED, reason=str(error))
        call.say(_event("attempt_started", job))
        child = folder.start(job, launch)
    elif stage is Stage.RUNNING:
        call.say(_event("attempt_adopted", job))
    if stage in (Stage.UNCLAIMED, Stage.RUNNING) and not folder.wait(child, call.leaving):
        return _record(job, call, AttemptOutcome.RUNNING, reason="the run was asked to stop; the worker goes on")
    ended = _ended(job, folder, call)
    event = _event("attempt_finished", job)
    event["outcome"] = ended.outcome if ended.exit_code is None else f"{ended.outcome}, exit code {ended.exit_code}"
    call.say(event)
    return ended


def _worker(job: Job, call: Call) -> Worker:
    try:
        return call.context.workers[job.worker]
    except KeyError:
        known = ", ".join(sorted(call.context.workers))
        raise WorkerUnknown(f'there is no worker "{job.worker}"', facts={"known": known}) from None


def _ended(job: Job, folder: AttemptFolder, call: Call) -> Attempt:
    result = folder.result()
    if result is None:
        kill_leftovers(call.context.run_dir(job.run_id), step=job.step.id)
        reason = "the launcher ended without a record: the worker is lost"
        report = _left_behind(job, folder, call)
        return _record(job, call, AttemptOutcome.LOST, reason=reason, report=report, started_at=folder.started_at())
    outcomes = {
        "finished": AttemptOutcome.FINISHED,
        "timed_out": AttemptOutcome.TIMED_OUT,
        "stopped": AttemptOutcome.LOST,
        "not_started": AttemptOutcome.NOT_STARTED,
    }
    outcome, reason, report = outcomes[result.outcome], result.reason, Report()
    if outcome is AttemptOutcome.FINISHED:
        outcome, reason, report = _reported(job, folder, call, result)
    elif outcome is not AttemptOutcome.NOT_STARTED:
        report = _left_behind(job, folder, call)
    return _record(job, call, outcome, reason=reason, result=result, report=report)


def _left_behind(job: Job, folder: AttemptFolder, call: Call) -> Report:
    """It did not come to its own end, but it may have named its conversation, and what it has used is used."""
    worker = call.context.workers.get(job.worker)
    return worker.report(job, folder.path, 1) if worker else Report()


def _reported(job: Job, folder: AttemptFolder, call: Call, result: ExitRecord) -> tuple[AttemptOutcome, str, Report]:
    """A worker's own typed result can only make its attempt worse; a non-zero exit code stays what it is."""
    worker = call.context.workers.get(job.worker)
    code = result.exit_code if result.exit_code is not None else 1
    if worker is None:
        report = Report(missing=f'no worker "{job.worker}" is registered here that could read its result')
    else:
        report = worker.report(job, folder.path, code)
    if report.failure:
        return AttemptOutcome.REPORTED_FAILURE, report.failure, report
    if report.missing and code == 0:
        return AttemptOutcome.NO_RESULT, report.missing, report
    return AttemptOutcome.FINISHED, result.reason, report


def _record(
    job: Job,
    call: Call,
    outcome: AttemptOutcome,
    *,
    reason: str,
    result: ExitRecord | None = None,
    report: Report | None = None,
    started_at: float | None = None,
) -> Attempt:
    run_dir = call.context.run_dir(job.run_id)
    path = attempt_path(run_dir, job)
    began = result.started_at if result else started_at
    # A worker that goes on still writes: the hash of its output is taken when it has ended.
    ended = outcome is not AttemptOutcome.RUNNING
    return Attempt(
        step=job.step.id,
        number=job.order.number,
        kind=job.order.kind,
        worker=job.worker,
        outcome=outcome,
        folder=str(path.relative_to(run_dir)),
        exit_code=result.exit_code if result else None,
        reason=reason,
        started_at=_time(began),
        ended_at=_time(result.ended_at if result else None),
        stdout_sha256=_hash(path / "stdout.log") if ended else None,
        stderr_sha256=_hash(path / "stderr.log") if ended else None,
        session=report.session if report else None,
        usage=report.usage if report else Usage(),
        permissions=report.permissions if report else Permissions(),
    )


def _hash(path: Path) -> str | None:
    return sha256_file(path) if path.is_file() else None


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _event(kind: EventKind, job: Job) -> Event:
    return Event(
        event=kind,
        run_id=job.run_id,
        node=Node.DISPATCH,
        step=job.step.id,
        attempt=job.order.number,
        text=f"{job.step.title} [{job.worker}]",
    )
