"""Bringing the run of one task of a batch to its next stop: begun, gone on with, or only read."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from ..checkpointing import LedgerSaver
from ..failpoints import failpoint
from ..graphs.compiled import Pipeline
from ..nodes.batch import clear_half_made
from ..nodes.choices import Choice, choices
from ..nodes.config import Config, keep_config, kept_config
from ..nodes.context import RunContext
from ..nodes.evidence.manifest import MANIFEST, decode_manifest
from ..nodes.evidence.write import report_folder
from ..nodes.isolate.names import run_branch
from ..nodes.isolate.repository import Repository
from ..nodes.prepare import AcceptedTask, new_run
from ..nodes.recall import recall_run
from ..nodes.turns import TURNS
from ..state.batch import BatchState, BatchTask, TaskEnd, TaskStatus
from ..state.errors import EvidenceError, InputError, StateError, WaypostError
from ..state.events import Event
from ..state.ids import RunId
from ..state.isolation import Isolation
from ..state.pipeline import PipelineState
from ..state.status import Status
from .batch_view import BatchView
from .books import Sign, close_books
from .drive import read_state
from .ending import INTERRUPTED
from .ledger_facts import mark_of
from .summary import headline

_STOPS = {Status.DONE: TaskStatus.DONE, Status.FAILED: TaskStatus.FAILED, Status.BLOCKED: TaskStatus.BLOCKED}
_TRIES, _PAUSE_S = 5, 0.2


class TaskRunner:
    """Runs tasks of one batch, each in the thread it is called from. The caller holds the lease of the batch."""

    def __init__(
        self,
        batch: BatchState,
        contracts: Mapping[str, AcceptedTask],
        saver: LedgerSaver,
        pipeline: Pipeline,
        context: RunContext,
        config: Config,
        view: BatchView,
        sign: Sign | None,
    ) -> None:
        self._batch = batch
        self._contracts = contracts
        self._saver = saver
        self._pipeline = pipeline
        self._context = context
        self._config = config
        self._view = view
        self._sign = sign
        self._catching_up = threading.Lock()

    def __call__(self, task: BatchTask) -> TaskEnd:
        """Run a task until it stops. An error of Waypost is told as how it ended: the other tasks go on."""
        began = datetime.now(UTC)
        self._view.task_started(task)
        try:
            try:
                with TURNS.taken():
                    state = self._run(task)
                status, reason = _STOPS.get(state.status, TaskStatus.INTERRUPTED), _reason(state)
                began = state.created_at or began
            finally:
                # A person may answer this run while the others go on.
                self._saver.release(task.run_id)
        except WaypostError as error:
            status = TaskStatus.INTERRUPTED if error.exit_code == INTERRUPTED else TaskStatus.BLOCKED
            reason = error.render()
        shown = self._context.environment.masker().text(reason)
        one_line = "; ".join(line.strip() for line in shown.splitlines())
        end = TaskEnd(status=status, reason=one_line, started_at=began, ended_at=datetime.now(UTC))
        self._view.task_ended(task, end)
        return end

    def _run(self, task: BatchTask) -> PipelineState:
        run_dir = self._context.run_dir(RunId(task.run_id))
        state = self._found(task, run_dir)
        if state is None:
            clear_half_made(self._batch, task, self._context.runs_dir)
            state = self._begin(task)
        if kept_config(run_dir) is None:
            keep_config(run_dir, self._config)
        if state.status not in _STOPS or self._moved_by_the_batch(state):
            self._saver.acquire(task.run_id)
            begun = self._saver.get_tuple(_thread(task)) is not None
            now = read_state(self._pipeline, task.run_id) if begun else None
            if now is None or now.status not in _STOPS:
                now = self._stream(task, None if begun else state)
            state = self._caught_up(task, now)
        # Whoever has driven it to its end may have been killed before it could show that.
        self._saver.write_mirrors(task.run_id)
        self._close(state, run_dir)
        return state

    def _found(self, task: BatchTask, run_dir: Path) -> PipelineState | None:
        """The newest state of the run; what was asked for, where it was killed before its first checkpoint."""
        state = (read_state(self._pipeline, task.run_id) if run_dir.is_dir() else None) or recall_run(run_dir)
        if state is not None and (state.task_file, state.task_id) != (self._batch.task_file, task.id):
            raise StateError(
                f"run {task.run_id} is not the one that the batch began",
                facts={
                    "batch": f"{task.id} of {self._batch.task_file}",
                    "run": f"{state.task_id} of {state.task_file}",
                },
            )
        return state

    def _begin(self, task: BatchTask) -> PipelineState:
        """Make the run. Where another one brings its result to the checkout just now, this is tried again."""
        batch = self._batch
        tries = _TRIES if batch.isolate is Isolation.WORKTREE and batch.max_parallel > 1 else 1
        while True:
            tries -= 1
            try:
                made = new_run(
                    batch.task_file,
                    workspace=batch.workspace,
                    runs_dir=self._context.runs_dir,
                    worker=batch.worker,
                    limits=batch.limits,
                    run=task.run_id,
                    guarding=batch.guarding,
                    isolate=batch.isolate,
                    merge=batch.merge,
                    accepted=self._contracts[task.id],
                    environment=self._context.environment,
                    kinds=self._context.kinds,
                )
            except InputError:
                if not tries:
                    raise
                self._context.drain.wait(_PAUSE_S)
            else:
                failpoint("batch.task.made")
                return made

    def _stream(self, task: BatchTask, given: Any) -> PipelineState:
        """Run to the next stop. What the view raises stops the run at its next checkpoint, and is raised then."""
        failed: list[BaseException] = []

        def hear(event: Event) -> None:
            self._context.listen(event)
            try:
                self._view.task_event(task, event)
            except BaseException as error:
                failed.append(error)
                self._context.drain.set()

        # Events are heard where they are said: each that LangGraph streamed would wake a thread to hand it over.
        context = replace(self._context, listen=hear)
        for _ in self._pipeline.stream(given, _thread(task), context=context, stream_mode=[], durability="sync"):
            continue
        if failed:
            raise failed[0]
        state = read_state(self._pipeline, task.run_id)
        if state is None:
            raise StateError(f"run {task.run_id} left no checkpoint")
        return state

    def _caught_up(self, task: BatchTask, state: PipelineState) -> PipelineState:
        """Answer the one question that the batch itself has caused: the branch moved on, to another task's result.

        The run takes that in and verifies everything again, as a person's recheck would. One run at a time does so.
        """
        while self._moved_by_the_batch(state) and not self._context.drain.is_set():
            with self._catching_up:
                note = "the branch moved on to the result of another task of this batch"
                who = f"waypost batch {self._batch.batch_id}"
                answer = {"decision": Choice.RECHECK.value, "who": who, "note": note}
                state = self._stream(task, Command(resume=answer))
        return state

    def _moved_by_the_batch(self, state: PipelineState) -> bool:
        isolated = state.isolated
        if state.status is not Status.BLOCKED or isolated is None or isolated.onto is None:
            return False
        if isolated.merging is not None or Choice.RECHECK not in choices(state):
            return False
        ours = {run_branch(task.run_id) for task in self._batch.tasks if task.run_id != state.run_id}
        repo = Repository.at(Path(self._batch.workspace))
        said = repo.git("for-each-ref", f"--points-at={isolated.onto}", "--format=%(refname:short)", "refs/heads")
        return bool(ours.intersection(said.text.split("\n")))

    def _close(self, state: PipelineState, run_dir: Path) -> None:
        """Attest a run that has stopped, unless that was done after its last checkpoint."""
        if state.status not in _STOPS or not state.evidence or state.task is None:
            return
        try:
            manifest = decode_manifest((run_dir / report_folder(state.task) / MANIFEST).read_bytes())
        except (OSError, EvidenceError):
            manifest = None
        if manifest is None or manifest.ledger != mark_of(run_dir)[0]:
            close_books(state, run_dir, self._sign)


def _thread(task: BatchTask) -> RunnableConfig:
    return {"configurable": {"thread_id": task.run_id}}


def _reason(state: PipelineState) -> str:
    if state.status is Status.BLOCKED and state.blocked is not None:
        return f"{headline(state)}: {state.blocked.question}"
    return headline(state)
