"""`waypost run` of a file with several tasks, and `waypost resume` of such a batch."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from langchain_core.runnables import RunnableConfig

from ..checkpointing import LedgerSaver
from ..graphs.batch import BatchContext, BatchGraph, build_batch
from ..nodes.batch import HowToRun, contracts_of, new_batch
from ..nodes.config import Config, keep_config
from ..nodes.context import RunContext
from ..nodes.evidence.batch import REPORTS, are_written, write_batch_reports
from ..nodes.formats.foreign import TaskSource
from ..nodes.recall import is_batch
from ..state.batch import LOOKED_AT_AGAIN, BatchState, TaskStatus
from ..state.errors import InputError, Interrupted, WaypostError
from ..state.ids import RunId
from ..state.ids import run_id as checked_run_id
from ..state.isolation import Isolation, MergePolicy
from ..state.pipeline import PipelineState
from .answers import runs_option
from .batch_choose import choose
from .batch_ending import exit_code_of
from .batch_state import config_of, read_batch
from .batch_task import TaskRunner
from .batch_text import told_counts
from .batch_view import BatchView
from .books import Sign
from .collector import collected_rarely
from .compose import compose, open_saver
from .configured import context_of
from .drive import read_state
from .plan import print_plan
from .requests import ResumeRequest, RunRequest
from .sources import accept_plan
from .stopping import stopping
from .views import choose_batch_view
from .written import write_back_batch


def is_for_a_batch(asked: RunRequest, source: TaskSource) -> bool:
    """True where a file of several tasks is to be run, and not one task of it.

    Raises:
        InputError: an option of a batch stands beside `--task`.
    """
    given = {"--only": asked.only, "--from": asked.begin_at, "--fail-fast": asked.fail_fast}
    options = [name for name, value in given.items() if value]
    if asked.task is not None and options:
        raise InputError(f"{options[0]} is for several tasks, --task is for one", next_step="give one of them")
    return asked.task is None and (len(source.tasks) > 1 or bool(options))


def run_batch(asked: RunRequest, source: TaskSource, context: RunContext, config: Config) -> int:
    """Run many tasks of a file. The plan of a file that is no card is shown and accepted first.

    Raises:
        WaypostError: nothing was started.
    """
    parallel = asked.max_parallel
    choice = choose(source, asked.only, asked.begin_at, context.environment.masker())
    if source.is_card and asked.accepting.write_back:
        raise InputError("a card has no place for a status: --write-back cannot be used", next_step="leave it out")
    if not source.is_card and asked.shows_plan:
        ids = {one.task.id for one in choice.chosen}
        print_plan(source, [task for task in source.tasks if task.id in ids], whole=True, json=asked.json)
    state = new_batch(
        HowToRun(
            task_file=asked.task_file,
            workspace=asked.workspace,
            runs=asked.runs,
            worker=asked.worker,
            # The option counts tasks here: those side by side are not to multiply with their steps.
            limits=asked.limits if parallel is None else asked.limits.model_copy(update={"max_parallel": 1}),
            guarding=config.guarding(baseline=asked.baseline),
            isolate=Isolation(asked.isolate),
            merge=MergePolicy(asked.merge),
            max_parallel=parallel or 1,
            fail_fast=asked.fail_fast,
            write_back=asked.accepting.write_back,
            batch_id=asked.run_id,
        ),
        choice.chosen,
        choice.left_out,
        accept_plan(source, asked.accepting, asked.sourced),
    )
    keep_config(context.run_dir(RunId(state.batch_id)), config)
    view = choose_batch_view(json=asked.json, quiet=asked.quiet)
    at_a_time = f", {state.max_parallel} at a time" if state.max_parallel > 1 else ""
    view.batch_begins(state, f"{len(state.tasks)} tasks of {state.task_file} in {state.workspace}{at_a_time}")
    return _guarded(state, asked.runs, view, lambda: _drive(state, asked.runs, context, config, view, asked.sign))


def resumes_a_batch(asked: ResumeRequest) -> bool:
    """True where the id is that of a batch. Raises InvalidId."""
    return is_batch(asked.runs.absolute() / checked_run_id(asked.run_id))


def resume_batch(asked: ResumeRequest) -> int:
    """Go on with a batch: what was interrupted is resumed, what was blocked is looked at again.

    Raises:
        WaypostError: nothing was started.
    """
    folder = asked.runs.absolute() / checked_run_id(asked.run_id)
    with open_saver(asked.runs, read_only=True) as saver:
        state = read_batch(saver, folder)
    if asked.decision is not None:
        blocked = ", ".join(task.run_id for task in state.of_status(TaskStatus.BLOCKED)[:5]) or "none"
        raise InputError(
            f"{state.batch_id} is a batch: its runs are answered one by one",
            facts={"blocked": blocked},
            next_step="waypost resume RUN with your decision, then waypost resume the batch",
        )
    view = choose_batch_view(json=asked.json, quiet=asked.quiet)
    if _has_ended(state, folder):
        view.batch_ended(state, folder, tuple(sorted((folder / REPORTS).glob("*"))))
        return exit_code_of(state)
    config = config_of(state, folder, reread=asked.reread_config)
    context = context_of(asked.runs, config)
    view.batch_begins(state, f"resumed: {told_counts(state)}")
    return _guarded(state, asked.runs, view, lambda: _drive(state, asked.runs, context, config, view, asked.sign))


def _has_ended(state: BatchState, folder: Path) -> bool:
    ended = state.outcome() in (TaskStatus.DONE, TaskStatus.FAILED)
    looked_at = any(state.status_of(task.id) in LOOKED_AT_AGAIN for task in state.tasks)
    to_write = state.write_back and not state.written
    return ended and not looked_at and not to_write and are_written(state, folder)


def _guarded(state: BatchState, runs: Path, view: BatchView, work: Callable[[], int]) -> int:
    try:
        return work()
    except KeyboardInterrupt:
        next_step = f"waypost resume {state.batch_id}{runs_option(runs)}"
        return view.failed(Interrupted(f"batch {state.batch_id} was stopped by hand", next_step=next_step))
    except WaypostError as error:
        return view.failed(error)


def _drive(
    known: BatchState, runs: Path, context: RunContext, config: Config, view: BatchView, sign: Sign | None
) -> int:
    folder = context.run_dir(RunId(known.batch_id))
    with open_saver(runs) as saver:
        # From here on no other process runs a task of this batch.
        saver.acquire(known.batch_id)
        graph = build_batch(saver)
        state = read_batch(saver, folder)
        runner = TaskRunner(
            state, contracts_of(state, folder), saver, compose(saver, context), context, config, view, sign
        )
        folders = [context.run_dir(RunId(task.run_id)) for task in state.tasks]
        with collected_rarely(), stopping(context, folders, view), view, _threads(state) as threads:
            try:
                cast(Any, graph).invoke(
                    _given(graph, state),
                    _thread(state),
                    context=BatchContext(runner, threads, context.drain),
                    durability="sync",
                )
            except BaseException:
                # The runs that are worked on stop at their next checkpoint; they are waited for before this leaves.
                context.drain.set()
                raise
        state = read_batch(saver, folder)
        reports = write_batch_reports(state, folder)
        refused: WaypostError | None = None
        if state.write_back and state.outcome() is not TaskStatus.INTERRUPTED:
            try:
                _write_back(state, graph, _done_runs(state, saver, context), view)
            except WaypostError as error:
                refused = error
        view.batch_ended(state, folder, reports)
        if refused is not None:
            raise refused
        return exit_code_of(state)


def _threads(state: BatchState) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(state.max_parallel)


def _given(graph: BatchGraph, state: BatchState) -> BatchState | dict[str, Any]:
    """The whole state for a batch that has no checkpoint; else the ends that are taken back, to be looked at again."""
    if graph.get_state(_thread(state)).created_at is None:
        return state
    again = {id: None for id, end in state.ends.items() if end.status in LOOKED_AT_AGAIN}
    return {"ends": again, "over": False}


def _thread(state: BatchState) -> RunnableConfig:
    # Each task is one round of the graph, and there is one more at the end.
    return {"configurable": {"thread_id": state.batch_id}, "recursion_limit": len(state.tasks) + 10}


def _done_runs(state: BatchState, saver: LedgerSaver, context: RunContext) -> list[tuple[PipelineState, Path]]:
    pipeline = compose(saver, context)
    found = [read_state(pipeline, task.run_id) for task in state.of_status(TaskStatus.DONE)]
    return [(run, context.run_dir(run.run_id)) for run in found if run is not None]


def _write_back(state: BatchState, graph: BatchGraph, done: list[tuple[PipelineState, Path]], view: BatchView) -> None:
    written = write_back_batch(state, done)
    if written:
        graph.update_state(_thread(state), {"written": {str(one.path): one.sha256 for one in written}})
    for one in written:
        view.wrote_back(one)
