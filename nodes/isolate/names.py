"""Where the worktrees of a run stand, and what its branches are called."""

from __future__ import annotations

from pathlib import Path

# The run's branch is a file below `waypost/`, so no branch can lie below it: those of steps have a root of their own.
RUN_ROOT = "waypost"
STEP_ROOT = "waypost-step"


def run_branch(run: str) -> str:
    """The branch that holds what was merged."""
    return f"{RUN_ROOT}/{_part(run)}"


def step_branch(run: str, step: str) -> str:
    """The branch that one step works on."""
    return f"{STEP_ROOT}/{_part(run)}/{_part(step)}"


def step_branches(run: str) -> str:
    """What the names of all step branches of a run begin with."""
    return f"{STEP_ROOT}/{_part(run)}/"


def put_by_ref(run: str, commit: str) -> str:
    """What a person had begun to resolve of the merge of `commit`, and did not use."""
    return f"{put_by_refs(run)}{commit}"


def put_by_refs(run: str) -> str:
    """What the names of all such references of a run begin with."""
    return f"refs/{RUN_ROOT}/{_part(run)}/"


def of_branch(branch: str) -> str:
    """The run that a branch of ours is named after."""
    return branch.split("/")[1].replace("%2E", ".")


def worktrees(run_dir: Path) -> Path:
    """The folder of all worktrees of a run."""
    return run_dir / "worktrees"


def run_worktree(run_dir: Path) -> Path:
    """The worktree that merges are made and verified in."""
    return worktrees(run_dir) / "run"


def step_worktree(run_dir: Path, step: str) -> Path:
    """The worktree that one step works in."""
    return worktrees(run_dir) / "steps" / step


def _part(name: str) -> str:
    # git refuses ".." and a ".lock" at the end; "%" is in no id, so two ids never meet in one branch.
    return name.replace(".", "%2E") if ".." in name or name.endswith(".lock") else name
