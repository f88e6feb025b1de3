"""What a worker is told, as a file one can read: the contract of the step, and for rework what really failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..state.job import Job
from ..state.records import Check
from ..state.task import ActionKind

_TAIL_BYTES = 4000


def prompt_text(job: Job, run_dir: Path) -> str:
    """The text of `prompt.md`; real failing output is read from the logs that the checks name."""
    return "\n".join(_lines(job, run_dir)) + "\n"


def _lines(job: Job, run_dir: Path) -> Iterator[str]:
    step, order = job.step, job.order
    yield f"# Task {job.task_id}: {job.task_title}"
    yield f"\n{job.task_goal}\n"
    yield f"## Step {step.id}: {step.title} (attempt {order.number}, {order.kind})"
    yield f"\n{step.goal}\n"
    yield "## Concrete actions\n"
    for action in step.actions:
        yield action.text if action.kind is ActionKind.PROSE else f"```{action.kind}\n{action.text.rstrip()}\n```"
    yield "\n## Acceptance criteria\n"
    refs = {command.ref: command.run for command in step.verification}
    for criterion in step.criteria:
        proofs = ", ".join(refs.get(ref, ref) for ref in criterion.verified_by)
        yield f"- {criterion.id}: {criterion.text} (proved by: {proofs or 'nothing'})"
    if step.outputs:
        yield "\n## Expected outputs\n"
        yield from (f"- {output.path}" for output in step.outputs)
    if step.allowed_paths:
        yield "\n## Change nothing outside\n"
        yield from (f"- {glob}" for glob in step.allowed_paths)
    if order.feedback:
        yield "\n## A person looked at the result, and it has to be changed\n"
        yield order.feedback
    if job.failing:
        yield "\n## What failed, and has to be mended now\n"
        for check in job.failing:
            yield from _failure(check, run_dir)


def _failure(check: Check, run_dir: Path) -> Iterator[str]:
    yield f"### {check.outcome}: {check.run}\n"
    yield f"{check.reason}\n"
    if check.log:
        yield "````text"
        yield tail(run_dir / check.log)
        yield "````\n"


def tail(path: Path, limit: int = _TAIL_BYTES) -> str:
    """The last `limit` bytes of a log as text, marked where it was cut; a missing file is said, not hidden."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - limit))
            text = file.read().decode("utf-8", "replace").rstrip("\n")
    except OSError as error:
        return f"(log not readable: {error.strerror})"
    return text if size <= limit else f"[... {size - limit} bytes before this are in {path.name}]\n{text}"
