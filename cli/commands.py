"""What `run`, `resume` and `graph` do. Each returns an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from langgraph.types import Command

from ..graphs.pipeline import build_pipeline
from ..nodes.config import keep_config, load_config
from ..nodes.context import RunContext
from ..nodes.formats.foreign import TaskSource
from ..nodes.prepare import AcceptedTask, new_run
from ..state.errors import Interrupted, WaypostError, WorkerUnknown
from ..state.pipeline import PipelineState
from ..state.status import ENDS, Status
from .answers import answer, refuse_decision, refuse_if_moved, runs_option
from .batch import is_for_a_batch, resume_batch, resumes_a_batch, run_batch
from .books import Sign, close_books
from .compose import compose, open_saver
from .configured import context_of
from .drive import drive, has_checkpoint, read_state
from .ending import exit_code, nobody_reads
from .found import configured, last_state
from .plan import print_plan
from .requests import ResumeRequest, RunRequest
from .sources import accept, open_source
from .view import View
from .views import choose_run_view
from .written import write_back


def run_task(asked: RunRequest) -> int:
    """Run one task from its first stage to its end. The plan of a file that is no card is shown and accepted first."""
    view = choose_run_view(json=asked.json, quiet=asked.quiet)
    state: PipelineState | None = None
    try:
        config = load_config(asked.workspace.absolute(), prompt_template=asked.prompt_template)
        context = context_of(asked.runs, config)
        _refuse_unknown_worker(asked.worker, context)
        source = open_source(asked.task_file, asked.sourced)
        if is_for_a_batch(asked, source):
            return run_batch(asked, source, context, config)
        state = new_run(
            asked.task_file,
            task=asked.task,
            workspace=asked.workspace,
            runs_dir=asked.runs,
            worker=asked.worker,
            limits=asked.limits,
            run=asked.run_id,
            isolate=asked.isolate,
            merge=asked.merge,
            accepted=None if source.is_card and asked.accepting.digest is None else _accepted(source, asked),
            environment=context.environment,
            kinds=context.kinds,
            guarding=config.guarding(baseline=asked.baseline),
        )
        keep_config(context.run_dir(state.run_id), config)
        view.begin(state.run_id, f"task {state.task_id} in {state.workspace}", context.run_dir(state.run_id))
        return _drive(asked.runs, context, state.run_id, state, view, sign=asked.sign)
    except KeyboardInterrupt:
        if state is None:
            raise
        return view.failed(_interrupted(state, asked.runs))
    except BrokenPipeError:
        return nobody_reads()
    except WaypostError as error:
        return view.failed(error)


def _refuse_unknown_worker(worker: str, context: RunContext) -> None:
    if worker not in context.workers:
        known = ", ".join(sorted(context.workers))
        raise WorkerUnknown(
            f'there is no worker "{worker}"', facts={"known": known}, next_step="choose one with --worker"
        )


def _accepted(source: TaskSource, asked: RunRequest) -> AcceptedTask:
    task = source.the_task(asked.task)
    if asked.shows_plan:
        print_plan(source, [task], whole=True, json=asked.json)
    return accept(source, task.id, asked.accepting, asked.sourced)


def resume_run(asked: ResumeRequest) -> int:
    """Go on with a run, in whatever state the last process left it."""
    view = choose_run_view(json=asked.json, quiet=asked.quiet)
    runs, decision = asked.runs, asked.decision
    state: PipelineState | None = None
    try:
        if resumes_a_batch(asked):
            return resume_batch(asked)
        context = RunContext(runs_dir=runs.absolute())
        state = last_state(asked.run_id, runs, context)
        if decision is not None:
            refuse_decision(state, decision, runs=runs)
        elif state.status in ENDS or state.status is Status.BLOCKED:
            with open_saver(runs) as saver:
                saver.write_mirrors(state.run_id)
            return _close(state, context, view)
        context = configured(context, state, reread=asked.reread_config)
        view.begin(state.run_id, f"resumed at {state.status}", context.run_dir(state.run_id))
        note = context.environment.masker().text(asked.note)
        given: Any = None
        if decision is not None:
            given = cast(Any, Command(resume=answer(state, decision, note, asked.who, asked.sign)))
        return _drive(runs, context, state.run_id, given, view, begin_with=state, sign=asked.sign)
    except KeyboardInterrupt:
        if state is None:
            raise
        return view.failed(_interrupted(state, runs))
    except BrokenPipeError:
        return nobody_reads()
    except WaypostError as error:
        return view.failed(error)


def print_graph() -> int:
    """The LangGraph graph as Mermaid text, on stdout."""
    print(build_pipeline().get_graph().draw_mermaid(), end="")
    return 0


def _interrupted(state: PipelineState, runs: Path) -> Interrupted:
    next_step = f"waypost resume {state.run_id}{runs_option(runs)}"
    return Interrupted(f"run {state.run_id} was stopped by hand", next_step=next_step)


def _drive(
    runs: Path,
    context: RunContext,
    run: str,
    given: Any,
    view: View,
    *,
    begin_with: PipelineState | None = None,
    sign: Sign | None,
) -> int:
    with open_saver(runs) as saver:
        pipeline = compose(saver, context)
        if begin_with is not None:
            # Held from here on: what was looked at before is still what is answered, or nothing is answered.
            saver.acquire(run)
            if not has_checkpoint(pipeline, run):
                given = begin_with
            else:
                refuse_if_moved(begin_with, read_state(pipeline, run), runs=runs)
        state = drive(pipeline, given, run=run, context=context, view=view)
        if state.evidence and (state.status in ENDS or state.status is Status.BLOCKED):
            close_books(state, context.run_dir(state.run_id), sign)
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
