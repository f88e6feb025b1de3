"""What `waypost clean` does: remove what dead and ended isolated runs have left in git, and never anybody's work."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from ..checkpointing import LedgerSaver
from ..nodes.context import RunContext
from ..nodes.isolate.clean import Cleaner, Leftover
from ..nodes.isolate.names import worktrees
from ..nodes.isolate.repository import Repository
from ..nodes.recall import recall_run
from ..nodes.workers.attempt import AttemptFolder, Stage
from ..state.errors import RunNotFound, WaypostError, WorkspaceError
from ..state.ids import run_id as checked_run_id
from ..state.pipeline import PipelineState
from ..state.status import ENDS
from .compose import compose, open_saver
from .drive import read_state
from .ending import BLOCKED, DONE
from .view import choose_view

_LIVES = ("driven", "working")


def clean(run: str | None, *, runs: Path, dry_run: bool, force: bool, json: bool) -> int:
    """Clean one run, or all of a runs folder and what is left of runs whose folder is gone.

    Returns:
        0 where nothing is left, 2 for bad input, 3 where something was kept that holds work, or the one run that was
        named still lives or can be resumed.
    """
    view = choose_view(json=json)
    try:
        wanted = checked_run_id(run) if run else None
        with open_saver(runs, read_only=True) as saver:
            found = list(_clean_all(saver, RunContext(runs_dir=runs.absolute()), wanted, dry_run=dry_run, force=force))
        if wanted is not None and not found and not (runs / wanted).exists():
            raise RunNotFound(f"there is no run {wanted} in {runs}, and no branch of it here")
    except WaypostError as error:
        return view.failed(error)
    for item in found:
        _print(item, dry_run=dry_run, json=json)
    if not found and not json:
        print("nothing to clean")
    kept = [item for item in found if item.keep and (item.kind != "run" or wanted is not None)]
    return BLOCKED if kept else DONE


def _clean_all(
    saver: LedgerSaver, context: RunContext, wanted: str | None, *, dry_run: bool, force: bool
) -> Iterator[Leftover]:
    states = {path.name: _state(saver, context, path.name) for path in sorted(context.runs_dir.glob("*/"))}
    repositories = {repo.common: repo for repo in _repositories(states)}
    for repo in repositories.values():
        with repo.locked() as mine:
            cleaner = Cleaner(mine, force, dry_run)
            for run in sorted(cleaner.runs() | _with_worktrees(mine, states, context)):
                if wanted not in (None, run):
                    continue
                yield from _clean_one(cleaner, saver, context, run, states.get(run))


def _clean_one(
    cleaner: Cleaner, saver: LedgerSaver, context: RunContext, run: str, state: PipelineState | None
) -> Iterator[Leftover]:
    run_dir = context.runs_dir / run
    if other := cleaner.elsewhere(run, run_dir):
        yield Leftover(run, "run", run, f"its worktree stands in another runs folder: {other}")
        return
    why = _why_not(saver, run, run_dir, state)
    if why and (not cleaner.force or why.startswith(_LIVES)):
        yield Leftover(run, "run", run, why)
        return
    yield from cleaner.clean(run, run_dir)


def _why_not(saver: LedgerSaver, run: str, run_dir: Path, state: PipelineState | None) -> str:
    """Why a run has to be left alone; empty where it is over, or there is nothing left of it."""
    if not run_dir.is_dir():
        return ""
    writer = saver.writer(run) if run in set(saver.threads()) else None
    if writer is not None and writer.alive and not writer.released:
        return f"driven by pid {writer.pid}"
    for folder in sorted(run_dir.glob("dispatch/*/attempt-*")):
        if AttemptFolder(folder).stage() is Stage.RUNNING:
            return f"working: {folder.parent.name} {folder.name}"
    if state is None:
        return "" if not (run_dir / "request.json").exists() else "its ledger cannot be read"
    return "" if state.status in ENDS else f"{state.status}: it can be resumed"


def _with_worktrees(repo: Repository, states: dict[str, PipelineState | None], context: RunContext) -> set[str]:
    return {
        run
        for run, state in states.items()
        if state is not None and worktrees(context.runs_dir / run).exists() and _repository(state.workspace) == repo
    }


def _state(saver: LedgerSaver, context: RunContext, run: str) -> PipelineState | None:
    try:
        return read_state(compose(saver, context), checked_run_id(run)) or recall_run(context.runs_dir / run)
    except WaypostError:
        return None


def _repositories(states: dict[str, PipelineState | None]) -> Iterator[Repository]:
    """Where the isolated runs worked, and the repository that we are in."""
    places = {state.workspace for state in states.values() if state is not None and state.isolated is not None}
    for place in (*sorted(places), "."):
        if (repo := _repository(place)) is not None:
            yield repo


def _repository(workspace: str) -> Repository | None:
    try:
        return Repository.at(Path(workspace))
    except WorkspaceError:
        return None


def _print(item: Leftover, *, dry_run: bool, json: bool) -> None:
    did = "kept" if item.keep else ("would remove" if dry_run else "removed")
    if json:
        print(jsonlib.dumps({"event": "cleaned", "action": did, **asdict(item)}))
    else:
        print(f"{did} {item.kind} {item.name}{f': {item.keep}' if item.keep else ''}")
