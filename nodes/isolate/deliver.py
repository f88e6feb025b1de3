"""Bring a verified commit to the user's branch: by a fast-forward of a clean checkout, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...failpoints import failpoint
from ...state.isolation import Isolated
from ...state.pipeline import Blocked
from .repository import Repository
from .worktree import status_of

_SHOWN = 20


@dataclass(frozen=True)
class Delivered:
    """How it ended: the user's branch stands at the verified commit, or a person is asked.

    Attributes:
        onto: the commit that the user's branch has moved to, where the question is about that.
    """

    blocked: Blocked | None = None
    onto: str | None = None


def deliver(repo: Repository, isolated: Isolated) -> Delivered:
    """Fast-forward the user's branch to the head of the run's branch, overwriting nothing of the user's."""
    target, head = str(isolated.target), isolated.head
    now, tip = repo.branch_now(), repo.commit_of(f"refs/heads/{isolated.target}")
    by_hand = f"or take it yourself: git merge {isolated.branch}"
    if tip == head:
        return Delivered()
    if now != target:
        where = f"on branch {now}" if now else "on no branch"
        question = f"Switch back (git switch {target}) and recheck, {by_hand}"
        return _ask(question, [f"{repo.top} is {where}, not on {target}"])
    if tip != isolated.base:
        return _moved(repo, isolated, str(tip))
    if lock := _foreign_lock(repo):
        question = f"Another git works in {repo.top}, or was killed there. If none does, remove the file and recheck"
        return _ask(question, [f"{lock} exists"])
    if changed := status_of(repo.git, untracked=False):
        question = f"Commit or stash your changes in {repo.top} and recheck, {by_hand}"
        return _ask(question, [f"changed in your checkout: {file}" for file in changed])
    failpoint("isolate.deliver.before")
    said = repo.try_git("merge", "--ff-only", "--no-overwrite-ignore", "--no-autostash", "--quiet", head)
    failpoint("isolate.deliver.after")
    if said.code or repo.commit_of("HEAD") != head:
        lines = said.err.splitlines() or [f"git merge --ff-only {head} ended with exit code {said.code}"]
        return _ask(f"git does not fast-forward {target} in {repo.top}. Mend that and recheck, {by_hand}", lines)
    return Delivered()


def _moved(repo: Repository, isolated: Isolated, tip: str) -> Delivered:
    target, base = isolated.target, isolated.base
    reason = f"{target} was at {base} and is now at {tip}"
    if not repo.has(base, tip):
        question = f"{target} no longer holds the commit that the run began with. Put it back and recheck, or give up"
        return _ask(question, [reason, f"the result is on branch {isolated.branch} at {isolated.head}"])
    log = repo.git("log", "--oneline", "--no-decorate", "--no-show-signature", f"-{_SHOWN}", f"{base}..{tip}").text
    question = (
        f"{target} moved on while the run worked. Recheck: these commits are merged into {isolated.branch} and all "
    )
    return Delivered(_blocked(question + "is verified again; or give up?", [reason, *log.splitlines()]), tip)


def _foreign_lock(repo: Repository) -> Path | None:
    path = repo.top / repo.git("rev-parse", "--git-path", "index.lock").text
    return path if path.exists() else None


def _ask(question: str, reasons: Sequence[str]) -> Delivered:
    return Delivered(_blocked(f"{question}?" if not question.endswith("?") else question, reasons))


def _blocked(question: str, reasons: Sequence[str]) -> Blocked:
    more = [f"and {len(reasons) - _SHOWN} more"] if len(reasons) > _SHOWN else []
    return Blocked(question=question, reasons=(*reasons[:_SHOWN], *more))
