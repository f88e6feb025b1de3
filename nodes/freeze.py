"""A plan that a person froze, as a file beside the task file: a run whose task is another one is not started."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

import orjson
from pydantic import Field, ValidationError

from ..state.errors import InputError, TaskFileError
from ..state.frozen import Frozen, task_digest
from ..state.model import Record
from ..state.task import Contract, Task
from .checks.kinds import Kinds
from .checks.looking import title_of
from .formats.source import CARD_LIMITS, read_source
from .workers.files import write_private

SUFFIX = ".frozen.json"
_FORMAT = "waypost-frozen-plan/1"
_SHOWN = 5


class FrozenCriterion(Record):
    """One row of the mapping: a criterion and its checks in words, and why it is UNVERIFIABLE where it has none."""

    step: str | None
    criterion: str
    text: str
    checks: tuple[str, ...]


class FrozenTask(Record):
    """One task as it was frozen. The digest decides; the rest is for a reader."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    who: str = Field(min_length=1, max_length=200)
    at: datetime
    note: str = Field(default="", max_length=10_000)
    criteria: tuple[FrozenCriterion, ...]


class FrozenPlan(Record):
    """The file: the tasks of one task file that were frozen."""

    format: Literal["waypost-frozen-plan/1"] = _FORMAT
    tasks: dict[str, FrozenTask]


def frozen_beside(task_file: Path) -> Path:
    """Where the frozen plan of a task file or folder stands."""
    return task_file.with_name(task_file.resolve().name + SUFFIX)


def read_frozen(task_file: Path) -> tuple[Path, FrozenPlan, str] | None:
    """The frozen plan beside a task file, with its path and SHA-256; None where there is none.

    Raises:
        TaskFileError: it cannot be read, or is no frozen plan: what it was to hold could not be held.
    """
    path = frozen_beside(task_file)
    if not path.exists() and not path.is_symlink():
        return None
    file = read_source(path, CARD_LIMITS, follow_links=False)
    try:
        return path, FrozenPlan.model_validate_json(file.text), file.sha256
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TaskFileError(
            str(path),
            None,
            f"this is no frozen plan: {where}: {first['msg']}",
            next_step="restore it, or remove it and freeze the plan again: waypost plan FILE --freeze",
        ) from None


def freeze(task_file: Path, tasks: Iterable[Task], kinds: Kinds, *, who: str, at: datetime, note: str) -> Path:
    """Write the plan of these tasks down. Other tasks that were frozen stay as they are.

    Raises:
        TaskFileError: what stands there is no frozen plan.
        InputError: it cannot be written.
    """
    known = read_frozen(task_file)
    found = dict(known[1].tasks) if known else {}
    for task in tasks:
        found[str(task.id)] = FrozenTask(
            digest=task_digest(task), who=who, at=at, note=note, criteria=tuple(_rows(task, kinds))
        )
    path = frozen_beside(task_file)
    plan = FrozenPlan(tasks=dict(sorted(found.items())))
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    try:
        write_private(path, orjson.dumps(plan.model_dump(mode="json"), option=options), sync=True)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
    return path


def held_to(task_file: Path, task: Task, kinds: Kinds) -> Frozen | None:
    """What a run of the task has to hold to; None where no plan of the file was frozen.

    Raises:
        TaskFileError: the frozen plan cannot be read.
        InputError: the task is another one than was frozen, or was not frozen with the others.
    """
    known = read_frozen(task_file)
    if known is None:
        return None
    path, plan, sha256 = known
    frozen, found = plan.tasks.get(str(task.id)), task_digest(task)
    again = f"look at it with waypost plan {task_file}, and freeze it again with --freeze; or remove {path.name}"
    if frozen is None:
        tasks = ", ".join(plan.tasks)
        raise InputError(f"task {task.id} is not in the frozen plan {path}", facts={"frozen": tasks}, next_step=again)
    if frozen.digest != found:
        raise InputError(
            f"task {task.id} is not what {frozen.who} froze: nothing was started",
            facts={"frozen": frozen.digest, "found": found, "plan": str(path), **_differences(frozen, task, kinds)},
            next_step=again,
        )
    return Frozen(
        path=str(path.absolute()), sha256=sha256, digest=found, who=frozen.who, at=frozen.at, note=frozen.note
    )


def criterion_checks(contract: Contract, refs: Iterable[str], kinds: Kinds) -> list[str]:
    """Checks of a contract in words, one each."""
    words = {
        str(command.ref): _command(command.run, command.exit_code, command.output) for command in contract.verification
    }
    words |= {str(probe.ref): title_of(kinds, probe) for probe in contract.probes}
    words |= {str(output.ref): f"{output.path} has to be there" for output in contract.outputs}
    return [words.get(ref, ref) for ref in refs]


def _command(run: str, exit_code: int, output: str | None) -> str:
    return run + (f", exit code {exit_code}" if exit_code else "") + (f", output {output}" if output else "")


def _rows(task: Task, kinds: Kinds) -> Iterable[FrozenCriterion]:
    for step, contract in (*((str(step.id), step) for step in task.steps), (None, task)):
        for criterion in contract.criteria:
            checks = tuple(criterion_checks(contract, criterion.verified_by, kinds))
            yield FrozenCriterion(step=step, criterion=str(criterion.id), text=criterion.text, checks=checks)


def _differences(frozen: FrozenTask, task: Task, kinds: Kinds) -> dict[str, str]:
    """What a reader can be told: criteria whose text or checks are others."""
    before = {(row.step, row.criterion): row for row in frozen.criteria}
    now = {(row.step, row.criterion): row for row in _rows(task, kinds)}
    names = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    told = [" ".join(filter(None, name)) for name in names]
    if not told:
        return {"changed": "no criterion and no check; the goal, actions, scope, limits or approvals"}
    facts = {"changed": ", ".join(told[:_SHOWN]) + (f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else "")}
    for name in names[:1]:
        facts |= {"was": _shown(before.get(name)), "is": _shown(now.get(name))}
    return facts


def _shown(row: FrozenCriterion | None) -> str:
    return "not there" if row is None else f"{row.text} -- {'; '.join(row.checks) or 'no check'}"
