"""What an isolated run needs before it begins: a clean start, a branch to bring the result to, a free name."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from ...failpoints import failpoint
from ...state.errors import InputError, WorkspaceError
from ...state.ids import RunId
from ...state.isolation import Isolated, MergePolicy
from ...state.pipeline import Baseline
from .names import RUN_ROOT, STEP_ROOT, run_branch
from .repository import Repository

_SHOWN = 10


def begin(workspace: Path, baseline: Baseline, *, merge: MergePolicy, task_file: Path) -> Isolated:
    """Where an isolated run of this workspace starts; its branch is not made yet, and `branch` is still empty.

    Raises:
        InputError: the checkout holds work that the run would not see, or is on no branch, or a branch is in the way.
    """
    repo = Repository.at(workspace)
    real = workspace.resolve()
    _refuse_unseen_work(real, baseline, task_file)
    target = None if merge is MergePolicy.NONE else repo.branch_now()
    if merge is MergePolicy.FF and target is None:
        raise InputError(
            f"{repo.top} is on no branch (its HEAD is detached), so there is none to bring the result to",
            next_step="git switch BRANCH first, or leave the result on a branch of its own: --merge none",
        )
    for root in (RUN_ROOT, STEP_ROOT):
        if repo.commit_of(f"refs/heads/{root}"):
            raise InputError(
                f'there is a branch "{root}", and git allows no branch below it',
                next_step=f"rename it: git branch -m {root} NEW",
            )
    folder = PurePosixPath(real.relative_to(repo.top)).as_posix()
    if folder != "." and not repo.git("ls-tree", "-z", baseline.commit, "--", folder).out:
        raise InputError(f"commit {baseline.commit} does not hold the workspace {folder}", next_step="commit it first")
    rows = repo.git("ls-tree", "-r", "-z", baseline.commit).out.split(b"\0")
    submodules = tuple(os.fsdecode(row.partition(b"\t")[2]) for row in rows if row.startswith(b"160000 "))
    return Isolated(
        branch="", target=target, base=baseline.commit, head=baseline.commit, folder=folder, submodules=submodules
    )


def claim_branch(workspace: Path, isolated: Isolated, run: RunId) -> Isolated:
    """Make the branch of the run; nobody else's is ever taken.

    Raises:
        InputError: there is a branch of that name.
    """
    branch = run_branch(run)
    with Repository.at(workspace).locked() as repo:
        try:
            repo.set_branch(branch, isolated.head, old="")
        except WorkspaceError as error:
            raise InputError(
                f'the branch "{branch}" cannot be made',
                facts=error.facts,
                next_step=f"give another --run-id, or see what is on it: git log {branch}",
            ) from None
    failpoint("isolate.claim.after_branch")
    return isolated.model_copy(update={"branch": branch})


def forget_branch(workspace: Path, run: RunId) -> None:
    """Remove the branch that was made for a run which then never began: nothing was ever put on it.

    The caller knows that the id, and so the branch, is its own.
    """
    with Repository.at(workspace).locked() as repo:
        ref = f"refs/heads/{run_branch(run)}"
        commit = repo.commit_of(ref)
        if commit is not None:
            repo.git("update-ref", "-d", ref, commit)


def _refuse_unseen_work(workspace: Path, baseline: Baseline, task_file: Path) -> None:
    unseen = [path for path in sorted(baseline.dirty) if (workspace / path).resolve() != task_file]
    if not unseen:
        return
    more = f" and {len(unseen) - _SHOWN} more" if len(unseen) > _SHOWN else ""
    raise InputError(
        f"an isolated run starts from commit {baseline.commit}, and would not see what is not committed in {workspace}",
        facts={"not committed": ", ".join(unseen[:_SHOWN]) + more},
        next_step="git commit or git stash --include-untracked them first, or run without --isolate",
    )
