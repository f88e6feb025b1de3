"""The user's repository, and the one lock under which Waypost changes it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ...state.errors import WorkspaceError
from ..git import Said, checked, git, try_git

IDENTITY = {
    f"GIT_{role}_{what}": text
    for role in ("AUTHOR", "COMMITTER")
    for what, text in (("NAME", "Waypost"), ("EMAIL", "waypost@localhost"))
}
_LOCK = "waypost.lock"
_LOCK_POLL_S = 0.02
_LOCK_TIMEOUT_S = 900.0


@dataclass(frozen=True)
class Repository:
    """A repository: its checkout that the user works in, and its common folder (`.git`).

    Attributes:
        lock: descriptor of the held lock. Every git command that we start holds it too: one that outlives us after
            `kill -9` still keeps others out, so a lock file of git's own that is left behind belongs to nobody.
    """

    top: Path
    common: Path
    lock: int | None = field(default=None, compare=False)

    @classmethod
    def at(cls, workspace: Path) -> Repository:
        """The repository of a folder. Raises WorkspaceError where there is none."""
        return cls(*_folders(workspace.absolute()))

    @contextmanager
    def locked(self) -> Generator[Repository]:
        """This repository while no other thread and no other Waypost changes it.

        Raises:
            WorkspaceError: somebody else has held the lock for very long.
        """
        path = self.common / _LOCK
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _take(handle, path)
            yield Repository(self.top, self.common, handle)
        finally:
            os.close(handle)

    def git(self, *arguments: str) -> Said:
        """Run git on the repository itself. Raises WorkspaceError where it fails."""
        return checked(self.try_git(*arguments), self.top, arguments)

    def try_git(
        self,
        *arguments: str,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> Said:
        """Run git in `folder`, the checkout of the user if not given, and tell how it ended."""
        keep = () if self.lock is None else (self.lock,)
        given = {**IDENTITY, **(environment or {})}
        return try_git(folder or self.top, *arguments, environment=given, stdin=stdin, keep_open=keep)

    def commit_of(self, name: str) -> str | None:
        """The commit that a name stands for, None where it stands for none."""
        said = self.try_git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return said.text if said.code == 0 else None

    def has(self, old: str, new: str) -> bool:
        """True where the history of commit `new` holds commit `old`, or both are one."""
        said = self.try_git("merge-base", "--is-ancestor", old, new)
        if said.code not in (0, 1):
            checked(said, self.top, ("merge-base",))
        return said.code == 0

    def branch_now(self) -> str | None:
        """The branch that the user's checkout is on; None where its HEAD is detached."""
        said = self.try_git("symbolic-ref", "--quiet", "--short", "HEAD")
        return said.text if said.code == 0 else None

    def set_branch(self, branch: str, commit: str, old: str | None = None) -> None:
        """Point a branch at a commit; with `old`, only if it stands there ("" for: only if there is none)."""
        # What a killed git left behind: only branches of ours are asked about, and we hold the lock.
        (self.common / "refs" / "heads" / f"{branch}.lock").unlink(missing_ok=True)
        expected = () if old is None else (old or "0" * len(commit),)
        self.git("update-ref", "-m", "waypost", f"refs/heads/{branch}", commit, *expected)


@lru_cache(maxsize=64)
def _folders(workspace: Path) -> tuple[Path, Path]:
    top = Path(os.fsdecode(git(workspace, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
    common = os.fsdecode(git(workspace, "rev-parse", "--git-common-dir").removesuffix(b"\n"))
    return top.resolve(), (workspace / common).resolve()


def _take(handle: int, path: Path) -> None:
    deadline = time.monotonic() + _LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise WorkspaceError(
                    f"another Waypost has held {path} for {_LOCK_TIMEOUT_S:g} s",
                    next_step=f"find out who it is: fuser {path}",
                ) from None
            time.sleep(_LOCK_POLL_S)
