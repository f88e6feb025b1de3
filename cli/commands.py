"""What `run`, `resume`, `graph` and `schema` do. Each returns an exit code."""

from __future__ import annotations

import getpass
import json as jsonlib
from pathlib import Path
from typing import Any, Literal, cast

from langgraph.types import Command

from ..graphs.pipeline import build_pipeline
from ..nodes.context import RunContext
from ..nodes.formats.foreign import TaskSource
from ..nodes.prepare import AcceptedTask, new_run, recall_run
from ..state.errors import InputError, RunNotFound, WaypostError, WorkerUnknown
from ..state.ids import run_id as checked_run_id
from ..state.pipeline import Limits as LimitOptions
from ..state.pipeline import PipelineState
from ..state.status import ENDS, Status
from ..state.task import Task
from .compose import compose, open_saver
from .drive import drive, has_checkpoint, read_state
from .ending import exit_code
from .plan import print_plan
from .sources import AcceptOptions, SourceOptions, accept, open_source
from .view import View, choose_view
from .written import write_back

__all__ = ["AcceptOptions", "LimitOptions", "SourceOptions", "print_graph", "print_schema", "resume_run", "run_task"]


def run_task(
    task_file: Path,
    *,
    task: str | None,
    worker: str,
    workspace: Path,
    runs: Path,
    limits: LimitOptions,
    run: str | None,
    json: bool,
    sourced: SourceOptions,
    accepting: AcceptOptions,
) -> int:
    """Run one task from its first stage to its end. The plan of a file that is no card is shown and accepted first."""
    view = choose_view(json=json)
    try:
        context = RunContext(runs_dir=runs.absolute())
        if worker not in context.workers:
            known = ", ".join(sorted(context.workers))
            raise WorkerUnknown(
                f'there is no worker "{worker}"', facts={"known": known}, next_step="choose one with --worker"
            )
        source = open_source(task_file, sourced)
        accepted = None if source.is_card else _accepted(source, task, accepting, sourced, json=json)
        state = new_run(
            task_file,
            task=task,
            workspace=workspace,
            runs_dir=runs,
            worker=worker,
            limits=limits,
            run=run,
            accepted=accepted,
        )
        view.begin(state.run_id, f"task {state.task_id} in {state.workspace}")
        return _drive(runs, context, state.run_id, state, view)
    except WaypostError as error:
        return view.failed(error)


def _accepted(
    source: TaskSource, task: str | None, accepting: AcceptOptions, sourced: SourceOptions, *, json: bool
) -> AcceptedTask:
    asked = source.the_task(task)
    print_plan(source, [asked], whole=True, json=json)
    return accept(source, asked.id, accepting, sourced)


def resume_run(run: str, *, runs: Path, decision: str | None, note: str, json: bool) -> int:
    """Go on with a run, in whatever state the last process left it."""
    view = choose_view(json=json)
    try:
        context = RunContext(runs_dir=runs.absolute())
        state = _last_state(run, runs, context)
        if state.status in ENDS:
            return _close(state, context, view)
        if state.status is not Status.BLOCKED and decision is not None:
            raise InputError(
                f"run {run} is {state.status}, there is nothing to decide", next_step=f"waypost resume {run}"
            )
        if state.status is Status.BLOCKED and decision is None:
            view.ended(state, context.run_dir(state.run_id))
            return exit_code(state)
        answer = {"decision": decision, "who": getpass.getuser(), "note": note}
        view.begin(state.run_id, f"resumed at {state.status}")
        given = cast(Any, Command(resume=answer)) if decision is not None else None
        return _drive(runs, context, state.run_id, given, view, begin_with=state)
    except WaypostError as error:
        return view.failed(error)


def print_graph() -> int:
    """The LangGraph graph as Mermaid text, on stdout."""
    print(build_pipeline().get_graph().draw_mermaid(), end="")
    return 0


def print_schema(what: Literal["task", "state"]) -> int:
    """The JSON Schema of a model, on stdout."""
    model = Task if what == "task" else PipelineState
    print(jsonlib.dumps(model.model_json_schema(), indent=2))
    return 0


def _drive(
    runs: Path, context: RunContext, run: str, given: Any, view: View, *, begin_with: PipelineState | None = None
) -> int:
    with open_saver(runs) as saver:
        pipeline = compose(saver, context)
        if begin_with is not None and not has_checkpoint(pipeline, run):
            given = begin_with
        state = drive(pipeline, given, run=run, context=context, view=view)
        return _close(state, context, view)


def _close(state: PipelineState, context: RunContext, view: View) -> int:
    """Write a run that is DONE back into its task file, where that was asked for, and say how the run ended.

    Also of a run that ended before: a process that was killed in between has not written.
    """
    refused: WaypostError | None = None
    if state.status is Status.DONE and state.acceptance is not None and state.acceptance.write_back:
        try:
            view.wrote_back(write_back(state, context.run_dir(state.run_id)))
        except WaypostError as error:
            refused = error
    view.ended(state, context.run_dir(state.run_id))
    if refused is not None:
        raise refused
    return exit_code(state)


def _last_state(run: str, runs: Path, context: RunContext) -> PipelineState:
    """The newest state of a run; what was asked for, where it was killed before its first stage."""
    checked = checked_run_id(run)
    run_dir = context.run_dir(checked)
    with open_saver(runs, read_only=True) as saver:
        state = read_state(compose(saver, context), checked) if run_dir.is_dir() else None
    state = state or recall_run(run_dir)
    if state is None:
        raise RunNotFound(f"there is no run {checked} in {runs}", next_step=f"waypost status --runs {runs}")
    return state
