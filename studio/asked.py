"""What a person asks for in Studio: its forms are made from these models, field by field."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..cli.configured import context_of
from ..cli.sources import AcceptOptions, SourceOptions, accept, open_source
from ..nodes.config import keep_config, load_config
from ..nodes.context import RunContext
from ..nodes.prepare import AcceptedTask, new_run
from ..state.errors import InputError, WorkerUnknown
from ..state.isolation import Isolation, MergePolicy
from ..state.pipeline import Limits, PipelineState

WORKSPACE_VARIABLE = "WAYPOST_WORKSPACE"
_Model = TypeVar("_Model", bound=BaseModel)


class NewRun(BaseModel):
    """A task to run to done. Every criterion is checked by running the commands that the task names."""

    model_config = ConfigDict(extra="forbid", title="New run")

    task_file: str = Field(
        description="The task card, or task file of another tool; relative to the folder the server was started in."
    )
    task: str | None = Field(default=None, description="Which task of the file; needed if it holds several.")
    workspace: str = Field(
        default=".", description="The git repository to work in; the folder that the server was started in if left out."
    )
    worker: str = Field(default="shell", description="Who does the work: shell, claude, ...; see `waypost doctor`.")
    isolate: Isolation = Field(default=Isolation.NONE, description="Work in the checkout, or in git worktrees.")
    merge: MergePolicy = Field(default=MergePolicy.FF, description="Isolated and verified: fast-forward, or leave it.")
    accept: str | None = Field(
        default=None,
        description="Only for task files of other tools: the digest that `waypost plan` prints. It says that you have "
        "read the plan, and that its checks may be run.",
    )


class RunLimits(Limits):
    """What a new run may use. A run that goes on keeps the limits that it was started with."""

    model_config = ConfigDict(title="Limits of a new run")


def begin(given: object, limits: object, *, thread: str, runs: Path) -> PipelineState:
    """Make the run that a person asks for; its id is that of the thread.

    Raises:
        InputError: something of what was given cannot be used, or the thread has a run already.
    """
    asked = _checked(NewRun, given)
    here = Path(os.environ.get(WORKSPACE_VARIABLE) or ".").absolute()
    workspace, task_file = here / asked.workspace, here / asked.task_file
    config = load_config(workspace)
    context = context_of(runs, config)
    if asked.worker not in context.workers:
        known = ", ".join(sorted(context.workers))
        raise WorkerUnknown(f'there is no worker "{asked.worker}"', facts={"known": known})
    state = new_run(
        task_file,
        task=asked.task,
        workspace=workspace,
        runs_dir=runs,
        worker=asked.worker,
        limits=Limits(**_checked(RunLimits, limits or {}).model_dump()),
        run=thread,
        isolate=asked.isolate,
        merge=asked.merge,
        accepted=_accepted(asked, task_file),
        environment=context.environment,
    )
    keep_config(RunContext(runs_dir=runs).run_dir(state.run_id), config)
    return state


def _accepted(asked: NewRun, task_file: Path) -> AcceptedTask | None:
    source = open_source(task_file, SourceOptions())
    if source.is_card:
        return None
    if asked.accept is None:
        raise InputError(
            "nobody accepted the plan of this file: nothing was started",
            facts={"digest": source.digest},
            next_step=f"read it with waypost plan {task_file}, and give its digest in the field accept",
        )
    task = source.the_task(asked.task)
    return accept(source, task.id, AcceptOptions(digest=asked.accept), SourceOptions())


def _checked(model: type[_Model], given: object) -> _Model:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        facts = {".".join(map(str, item["loc"])) or "input": item["msg"] for item in error.errors()}
        raise InputError(
            f"this is no {model.model_config.get('title', model.__name__)}: nothing was started", facts=facts
        ) from None
