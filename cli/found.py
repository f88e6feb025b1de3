"""A run that was begun before: its newest state, and the context it goes on in."""

from __future__ import annotations

from pathlib import Path

from ..nodes.config import keep_config, kept_config, load_config
from ..nodes.context import RunContext
from ..nodes.recall import recall_run
from ..state.errors import RunNotFound
from ..state.ids import run_id as checked_run_id
from ..state.pipeline import PipelineState
from .compose import compose, open_saver
from .configured import context_of
from .drive import read_state


def configured(context: RunContext, state: PipelineState, *, reread: bool = False) -> RunContext:
    """The context that the run was started with, or with what its workspace configures now.

    Raises:
        ConfigError: what was kept, or is configured now, cannot be read.
    """
    run_dir = context.run_dir(state.run_id)
    config = None if reread else kept_config(run_dir)
    if config is None:
        config = load_config(Path(state.workspace))
        keep_config(run_dir, config)
    return context_of(context.runs_dir, config)


def last_state(run: str, runs: Path, context: RunContext) -> PipelineState:
    """The newest state of a run; what was asked for, where it was killed before its first stage.

    Raises:
        InvalidId, RunNotFound: there is no such run.
    """
    checked = checked_run_id(run)
    run_dir = context.run_dir(checked)
    with open_saver(runs, read_only=True) as saver:
        state = read_state(compose(saver, context), checked) if run_dir.is_dir() else None
    state = state or recall_run(run_dir)
    if state is None:
        raise RunNotFound(f"there is no run {checked} in {runs}", next_step=f"waypost status --runs {runs}")
    return state
