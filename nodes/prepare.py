"""Making a new run: everything that can be wrong with what the user gave is found here, before anything is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .._version import __version__
from ..state.acceptance import Acceptance
from ..state.errors import InputError, RunExists
from ..state.guarding import Guarding
from ..state.ids import RunId, compose_run_id, run_id
from ..state.isolation import Isolated, Isolation, MergePolicy
from ..state.pipeline import Limits, PipelineState
from ..state.task import Task
from .checks.kinds import BUILTIN, Kinds
from .checks.workspace import read_baseline
from .context import DEFAULT_RUNS_DIR
from .formats import read_task_file
from .freeze import held_to
from .isolate.begin import begin, claim_branch
from .plan import compile_plan
from .recall import REQUEST
from .secrets import without_secrets
from .workers.environment import Environment
from .workers.files import make_private_folder, write_private
from .workers.forks import FORK_SERVER

_IGNORE_ALL = "# Runs of Waypost: records, not sources.\n*\n"


@dataclass(frozen=True)
class AcceptedTask:
    """A task of a foreign file, and that its plan was accepted."""

    task: Task
    acceptance: Acceptance


def new_run(
    task_file: str | Path,
    *,
    task: str | None = None,
    workspace: str | Path = ".",
    runs_dir: str | Path = DEFAULT_RUNS_DIR,
    worker: str = "shell",
    limits: Limits | None = None,
    run: str | None = None,
    isolate: Isolation | str = Isolation.NONE,
    merge: MergePolicy | str = MergePolicy.FF,
    accepted: AcceptedTask | None = None,
    environment: Environment | None = None,
    kinds: Kinds = BUILTIN,
    guarding: Guarding | None = None,
) -> PipelineState:
    """The first state of a new run, ready for `graph.invoke`; its folder `runs_dir/<run id>` is made and claimed.

    Args:
        task_file: a card in Markdown, YAML or JSON.
        task: which task of the file; needed where it holds several.
        workspace: the git repository to work in; its commit and its changed files are recorded.
        run: the run id; made of task, time and commit if not given.
        isolate: `worktree` lets every step work in a git worktree of its own, on a branch of the run.
        merge: what follows once all of an isolated run is verified: `ff` fast-forwards the branch that the workspace is
            on, `none` leaves the result on the branch of the run.
        accepted: the task itself, where `task_file` is no card; its plan was shown and accepted.
        environment: names the secret variables, whose values may not stand in the card.
        kinds: the kinds of check that the card may name; those of the context that the run is invoked with.
        guarding: whether the checks run once before the work, and which files are protected besides the usual ones.

    Raises:
        InputError: the file, the task, the workspace, the runs folder or the id cannot be used (see its leaves), or the
            task is not what was frozen beside its file.
    """
    where, runs = Path(workspace).absolute(), Path(runs_dir).absolute()
    wanted = None if run is None else run_id(run)
    source = Path(task_file).resolve()
    written = accepted.task if accepted is not None else read_task_file(Path(task_file), task, kinds)
    parsed = without_secrets(written, (environment or Environment()).masker())
    compile_plan(parsed)
    frozen = held_to(Path(task_file), parsed, kinds)
    # It gets ready while git looks at the workspace.
    FORK_SERVER.warm_up()
    baseline = read_baseline(where, runs_dir=runs)
    isolated = None
    if Isolation(isolate) is Isolation.WORKTREE:
        isolated = begin(where, baseline, merge=MergePolicy(merge), task_file=source)
    now = datetime.now(UTC)
    claimed = claim_folder(runs, wanted, compose_run_id(parsed.id, now, baseline.commit))
    if isolated is not None:
        isolated = _branch_or_nothing(where, isolated, runs / claimed)
    state = PipelineState(
        run_id=claimed,
        task_file=str(source),
        task_id=parsed.id,
        task=parsed if accepted is not None else None,
        acceptance=accepted.acceptance if accepted is not None else None,
        frozen=frozen,
        workspace=str(where.resolve()),
        worker=worker,
        limits=limits or Limits(),
        baseline=baseline,
        isolated=isolated,
        guarding=guarding or Guarding(),
        created_at=now,
        writer_version=__version__,
    )
    ask(runs / claimed, {REQUEST: state.model_dump_json(indent=2).encode() + b"\n"})
    return state


def _branch_or_nothing(workspace: Path, isolated: Isolated, folder: Path) -> Isolated:
    """Claim the branch of the run; its folder does not stay behind without one."""
    try:
        return claim_branch(workspace, isolated, RunId(folder.name))
    except InputError:
        folder.rmdir()
        raise


def ask(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write what is asked for into a claimed folder, which is not left behind if nothing can be resumed from it.

    Args:
        files: content by name, in the order in which they are written; with the last one it can be resumed.
    """
    *_, last = files
    try:
        for name, content in files.items():
            # The names are synced with the first line of the ledger in the folder; before that nothing has run.
            write_private(folder / name, content, sync=True, sync_name=False)
    except BaseException:
        if not (folder / last).exists():
            shutil.rmtree(folder, ignore_errors=True)
        raise


def make_runs_folder(runs: Path) -> None:
    """Make the folder of all runs where it is not there: private, and ignored by git. Raises OSError."""
    if not runs.exists():
        make_private_folder(runs)
        (runs / ".gitignore").write_text(_IGNORE_ALL, encoding="utf-8")


def claim_folder(runs: Path, wanted: RunId | None, composed: RunId) -> RunId:
    """Make the folder of the run; a name that is taken gets a number, so that two runs never share a folder."""
    try:
        make_runs_folder(runs)
        for number in range(1, 1000):
            candidate = wanted or (composed if number == 1 else run_id(f"{composed}-{number}"))
            try:
                os.mkdir(runs / candidate, 0o700)
                return candidate
            except FileExistsError:
                if wanted is not None:
                    raise RunExists(
                        f"run {wanted} stands in {runs} already", next_step=f"waypost resume {wanted}"
                    ) from None
    except OSError as error:
        raise InputError(
            f"the runs folder {runs} cannot be used: {error.strerror}", next_step="give a writable folder: --runs DIR"
        ) from None
    raise InputError(f"{runs} holds a thousand runs named {composed}", next_step="give a --run-id")
