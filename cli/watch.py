"""`waypost watch`: a run or a batch that another process drives, followed on the disk. Writes nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..nodes.recall import BATCH, REQUEST
from ..state.batch import BatchState, BatchTask
from ..state.errors import RunNotFound, WaypostError
from ..state.ids import RunId
from ..state.ids import run_id as checked_run_id
from .batch_ending import exit_code_of
from .batch_text import told_counts
from .batch_view import BatchView
from .ending import exit_code, nobody_reads
from .follow import Follower
from .screen.tail import newest_of
from .seen import Seen, see
from .seen_batch import SeenBatch, see_batch
from .view import View
from .views import choose_batch_view, choose_run_view

_LOOK_EVERY_S = 0.2
# A process that has just made the folder of a run still has to load LangGraph before it takes the lease.
_BEGINS_WITHIN_S = 10.0


def watch(run: str | None, *, runs: Path, json: bool, quiet: bool) -> int:
    """Follow a run, or the newest one, until nobody drives it; the exit code is that of the run.

    Ctrl-C ends the watching, and leaves the run alone.
    """
    view = choose_run_view(json=json, quiet=quiet)
    try:
        seen = see(runs, run if run is not None else _newest(runs))
        if isinstance(seen, SeenBatch):
            return _watch_batch(seen, choose_batch_view(json=json, quiet=quiet))
        return _watch_run(seen, view)
    except BrokenPipeError:
        return nobody_reads()
    except WaypostError as error:
        return view.failed(error)


def _newest(runs: Path) -> RunId:
    """The run or batch that was asked for last."""
    newest = newest_of(path for name in (REQUEST, BATCH) for path in runs.absolute().glob(f"*/{name}"))
    if newest is None:
        raise RunNotFound(f"there is no run in {runs}", next_step="waypost run FILE, or name the folder with --runs")
    return checked_run_id(newest.parent.name)


def _watch_run(seen: Seen, view: View) -> int:
    state, follower = seen.state, Follower(seen.run_dir)
    view.begin(state.run_id, f"watching task {state.task_id} in {state.workspace}", seen.run_dir)

    def look() -> bool:
        for event in follower.news():
            view.event(event)
        now = follower.seen
        return follower.is_over and not (now is not None and _just_begun(now))

    with view:
        _until(look)
    last = follower.seen or seen
    view.ended(last.state, last.run_dir)
    return exit_code(last.state)


def _just_begun(seen: Seen) -> bool:
    created = seen.state.created_at
    return seen.writer is None and created is not None and time.time() - created.timestamp() < _BEGINS_WITHIN_S


def _watch_batch(seen: SeenBatch, view: BatchView) -> int:
    following = _Tasks(seen, view)
    view.batch_begins(seen.state, f"watching: {told_counts(seen.state)}")
    with view:
        _until(following.look)
    last = following.seen
    reports = tuple(sorted((last.folder / "reports").glob("*")))
    view.batch_ended(last.state, last.folder, reports)
    return exit_code_of(last.state)


class _Tasks:
    """The runs of a batch, each followed from its beginning."""

    def __init__(self, seen: SeenBatch, view: BatchView) -> None:
        self.seen = seen
        self._view = view
        self._followers: dict[str, Follower] = {}
        self._told: dict[str, object] = {}

    def look(self) -> bool:
        """Tell what is new; true once nobody drives the batch."""
        self.seen = see_batch(self.seen.folder)
        for task in self.seen.state.tasks:
            self._task(self.seen.state, task)
        return not self.seen.driven

    def _task(self, state: BatchState, task: BatchTask) -> None:
        end = state.ends.get(task.id)
        if end is not None and self._told.get(task.id) == end:
            return
        follower = self._followers.get(task.id)
        run_dir = self.seen.folder.parent / task.run_id
        if follower is None and (run_dir / REQUEST).exists():
            follower = self._followers[task.id] = Follower(run_dir)
            self._view.task_started(task)
        for event in follower.news() if follower is not None else ():
            self._view.task_event(task, event)
        if end is not None:
            self._told[task.id] = end
            self._view.task_ended(task, end)


def _until(over: Callable[[], bool]) -> None:
    """Look again and again; Ctrl-C ends it too."""
    pause = threading.Event()
    try:
        while not over():
            pause.wait(_LOOK_EVERY_S)
    except KeyboardInterrupt:
        return
