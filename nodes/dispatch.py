"""Hand one step to one worker, once. Safe to run again: an attempt that was started is found, never repeated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from typing_extensions import TypedDict

from ..failpoints import failpoint
from ..state.errors import WorkerUnknown
from ..state.events import AttemptAdopted, AttemptFinished, AttemptProgress, AttemptStarted
from ..state.job import Job
from ..state.records import Attempt, AttemptOutcome, Permissions, Usage
from ..state.status import Node, Route, Status
from .context import Call
from .conversation import with_session
from .isolate.steps import left_by, placed
from .move import Move
from .prompt import prompt_text
from .workers import PlainWorker, Report, Worker, WorkerRefused
from .workers.asked import read_request
from .workers.attempt import AttemptFolder, ExitRecord, Stage
from .workers.files import sha256_file
from .workers.follow import Follower
from .workers.forks import Forked
from .workers.launcher.main import NOTHING_STARTED
from .workers.leftovers import kill_leftovers

# A launcher that dies before it claims its attempt has started nothing: another may be started, but not for ever.
_LAUNCHES_MAX = 3
_KILLED = 137
_OUTCOMES = {
    "finished": AttemptOutcome.FINISHED,
    "timed_out": AttemptOutcome.TIMED_OUT,
    "too_much_output": AttemptOutcome.TOO_MUCH_OUTPUT,
    "stopped": AttemptOutcome.LOST,
    "not_started": AttemptOutcome.NOT_STARTED,
}


def dispatch(job: Job, call: Call) -> Move:
    """Bring the attempt of `job` to its end, or leave it in flight where the run drains."""
    folder = AttemptFolder(attempt_path(call.context.run_dir(job.run_id), job))
    with call.context.slots.one_of(job.run_id, job.max_parallel, call.draining) as held:
        attempt = left_by(job, call, _attempt(placed(job, call, folder.path), folder, call)) if held else None
    failpoint("dispatch.recorded")
    reason = f"step {job.step.id} attempt {job.order.number}: {attempt.outcome}" if attempt else "draining"
    update = {"attempts": (attempt,)} if attempt else {}
    return Move(Status.EXECUTE, Route.DISPATCHED, reason, update)


def attempt_path(run_dir: Path, job: Job) -> Path:
    """The folder of the attempt that `job` is for."""
    return run_dir / "dispatch" / job.step.id / f"attempt-{job.order.number}"


def _attempt(job: Job, folder: AttemptFolder, call: Call) -> Attempt | None:
    launches, following = 0, _progress(job, folder, call)
    # Asked again after every wait: our launcher may have found that another one, of a dead orchestrator, was first.
    while (stage := folder.stage()) in (Stage.UNCLAIMED, Stage.RUNNING):
        child = None
        if stage is Stage.RUNNING:
            failpoint("dispatch.adopted")
            call.say(AttemptAdopted(event="attempt_adopted", **_about(job)))
        elif call.draining():
            return None
        elif launches == _LAUNCHES_MAX:
            reason = f"{launches} launchers ended before they began; the last said: {folder.launcher_said()}"
            return _told(_record(job, call, AttemptOutcome.NOT_STARTED, reason=reason), job, call)
        else:
            launches += 1
            try:
                child = _launched(job, folder, call)
            except (WorkerRefused, WorkerUnknown) as error:
                return _record(job, call, AttemptOutcome.NOT_STARTED, reason=error.in_one_line())
            except OSError as error:
                # Without our word no launcher starts anything, if there is one at all.
                reason = f"it cannot be started: {error.strerror or error}"
                return _record(job, call, AttemptOutcome.NOT_STARTED, reason=reason)
        if not folder.wait(child, call.leaving, following):
            return _record(job, call, AttemptOutcome.RUNNING, reason="the run was asked to stop; the worker goes on")
        if child is not None and child.returncode not in (0, NOTHING_STARTED):
            # A launcher that was killed has told nothing: whoever killed it may have written the record.
            folder.refuse_record()
        failpoint("dispatch.waited")
    return _told(_ended(job, folder, call), job, call)


def _launched(job: Job, folder: AttemptFolder, call: Call) -> Forked:
    environment, worker = call.context.environment, _worker(job, call)
    job = with_session(job, worker, folder.path.parent)
    prompt = prompt_text(job, call.context.run_dir(job.run_id), call.context.prompt_template)
    folder.request(job, prompt, environment)
    failpoint("dispatch.requested")
    launch = worker.prepare(job, folder.path)
    failpoint("dispatch.prepared")
    call.say(AttemptStarted(event="attempt_started", kind=job.order.kind, **_about(job)))
    child = folder.start(job, launch, environment)
    failpoint("dispatch.launched")
    return child


def _worker(job: Job, call: Call) -> Worker:
    try:
        return call.context.workers[job.worker]
    except KeyError:
        known = ", ".join(sorted(call.context.workers))
        raise WorkerUnknown(f'there is no worker "{job.worker}"', facts={"known": known}) from None


def _progress(job: Job, folder: AttemptFolder, call: Call) -> Callable[[], None]:
    """What is done some times a second while the worker runs."""
    worker = call.context.workers.get(job.worker)
    if worker is None or getattr(type(worker), "progress", None) is PlainWorker.progress:
        return lambda: None

    def show(text: str) -> None:
        about = _about(job)
        about["text"] = text
        call.say(AttemptProgress(event="attempt_progress", **about))

    return Follower(folder.path / "stdout.log", worker.progress, show).poll


def _told(attempt: Attempt, job: Job, call: Call) -> Attempt:
    event = AttemptFinished(event="attempt_finished", outcome=attempt.outcome, **_about(job))
    if attempt.exit_code is not None:
        event["exit_code"] = attempt.exit_code
    if attempt.started_at and attempt.ended_at:
        event["duration_s"] = round((attempt.ended_at - attempt.started_at).total_seconds(), 3)
    if usage := attempt.usage.model_dump(exclude_none=True):
        event["usage"] = usage
    call.say(event)
    return attempt


def _ended(job: Job, folder: AttemptFolder, call: Call) -> Attempt:
    result = folder.result()
    if result is None:
        failpoint("dispatch.lost")
        # Also what its launcher could not take along: two living workers for one step never exist.
        kill_leftovers(call.context.run_dir(job.run_id), step=job.step.id)
        reason = "the launcher ended without a record: the worker is lost"
        started = folder.started()
        report = _report(job, folder, call, _KILLED)
        return _record(
            job,
            call,
            AttemptOutcome.LOST,
            reason=reason,
            report=report,
            started_at=started.started_at if started else None,
        )
    outcome = _OUTCOMES[result.outcome]
    if outcome is AttemptOutcome.NOT_STARTED:
        return _record(job, call, outcome, reason=result.reason, result=result)
    report = _report(job, folder, call, _KILLED if result.exit_code is None else result.exit_code)
    reason = result.reason
    if outcome is AttemptOutcome.FINISHED:
        outcome, reason = _judged(report, result)
    return _record(job, call, outcome, reason=reason, result=result, report=report)


def _report(job: Job, folder: AttemptFolder, call: Call, exit_code: int) -> Report:
    """The worker's own typed result; of one that did not end by itself only session and usage are used."""
    worker = call.context.workers.get(job.worker)
    if worker is None:
        return Report(missing=f'no worker "{job.worker}" is registered here that could read its result')
    return worker.report(_as_asked(job, folder), folder.path, exit_code)


def _as_asked(job: Job, folder: AttemptFolder) -> Job:
    """The job with the conversation that the attempt was told to go on with, which may have been found on disk."""
    try:
        return job.model_copy(update={"session": read_request(folder.path).session})
    except (OSError, ValueError):
        return job


def _judged(report: Report, result: ExitRecord) -> tuple[AttemptOutcome, str]:
    """A worker's own typed result can only make its attempt worse; a non-zero exit code stays what it is."""
    if report.failure:
        return AttemptOutcome.REPORTED_FAILURE, report.failure
    if report.missing and result.exit_code == 0:
        return AttemptOutcome.NO_RESULT, report.missing
    return AttemptOutcome.FINISHED, result.reason


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


class _About(TypedDict):
    run_id: str
    node: Node
    step: str
    attempt: int
    worker: str
    text: str


def _about(job: Job) -> _About:
    text = f"{job.step.title} [{job.worker}]"
    return _About(
        run_id=job.run_id,
        node=Node.DISPATCH,
        step=job.step.id,
        attempt=job.order.number,
        worker=job.worker,
        text=text,
    )
