"""One worktree of a run: made, put to a commit, and committed, each step safe to repeat after a kill.

Commits are made of a tree, parents, a time that the records hold, and one identity: made again, they get the same id.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ...failpoints import failpoint
from ...state.errors import WorkspaceError
from ..git import Said, checked
from ..workers.files import make_private_folder
from .repository import Repository

_OWN_INDEX = "waypost-index"
_OWN_LOCKS = (f"{_OWN_INDEX}.lock",)
_LOCKS = (*_OWN_LOCKS, "index.lock", "HEAD.lock")
_MARKERS = re.compile(rb"^(<{7}|>{7})( |$)", re.MULTILINE)
# A sparse checkout of the user must not make files of a whole worktree look deleted.
_WHOLE = ("-c", "core.sparseCheckout=false")


class CannotCommit(WorkspaceError):
    """git cannot make a commit of what stands in a worktree."""


@dataclass(frozen=True)
class Worktree:
    """A worktree at `path` on `branch`. Nothing but a run of Waypost, and a person it has asked, works in it."""

    repo: Repository
    path: Path
    branch: str

    @contextmanager
    def locked(self) -> Generator[Worktree]:
        """This worktree while the repository is locked."""
        with self.repo.locked() as repo:
            yield replace(self, repo=repo)

    def admin(self) -> Path | None:
        """The folder that git keeps about this worktree; None unless worktree and folder name each other.

        Asked before anything is changed: a worktree whose `.git` is broken would lead git to the repository around it,
        which may be the user's checkout.
        """
        try:
            named = (self.path / ".git").read_text(encoding="utf-8", errors="surrogateescape")
            folder = Path(named.removeprefix("gitdir: ").removesuffix("\n"))
            back = (folder / "gitdir").read_text(encoding="utf-8", errors="surrogateescape").removesuffix("\n")
            known = folder.parent.resolve() == self.repo.common / "worktrees"
            return folder if known and Path(back).resolve() == (self.path / ".git").resolve() else None
        except (OSError, ValueError):
            return None

    def try_git(self, *arguments: str, environment: Mapping[str, str] | None = None, stdin: bytes = b"") -> Said:
        """Run git on this worktree and no other. Raises WorkspaceError where it is none."""
        admin = self.admin()
        if admin is None:
            raise WorkspaceError(f"{self.path} is no worktree of {self.repo.common}")
        here = {"GIT_DIR": str(admin), "GIT_WORK_TREE": str(self.path), **(environment or {})}
        return self.repo.try_git(*_WHOLE, *arguments, folder=self.path, environment=here, stdin=stdin)

    def git(self, *arguments: str, environment: Mapping[str, str] | None = None, stdin: bytes = b"") -> Said:
        """As `try_git`. Raises WorkspaceError where git fails."""
        return checked(self.try_git(*arguments, environment=environment, stdin=stdin), self.path, arguments)

    def place(self, commit: str) -> None:
        """Make the worktree hold exactly `commit` on its branch, whatever stood there; ignored files are left.

        Call it only where everything of worth in it is committed.
        """
        on_branch = self._on_branch()
        if not on_branch and (self.admin() is None or self.try_git("rev-parse", "--verify", "--quiet", "HEAD").code):
            self._add(commit)
        self._unlock(_LOCKS)
        self._fresh_index()
        if not on_branch:
            self.git("symbolic-ref", "HEAD", f"refs/heads/{self.branch}")
        self.git("reset", "--hard", "--quiet", commit)
        failpoint("isolate.place.after_reset")
        self.git("clean", "-ffd", "--quiet")

    def _on_branch(self) -> bool:
        admin = self.admin()
        try:
            return admin is not None and (admin / "HEAD").read_text() == f"ref: refs/heads/{self.branch}\n"
        except (OSError, ValueError):
            return False

    def _fresh_index(self) -> None:
        # Entries can be flagged so that git leaves their files alone; the index of the last snapshot has no flags.
        admin = self.admin()
        if admin is not None and (admin / _OWN_INDEX).exists():
            shutil.copy2(admin / _OWN_INDEX, admin / "index.lock")
            os.replace(admin / "index.lock", admin / "index")

    def _add(self, commit: str) -> None:
        if self.path.is_symlink():
            self.path.unlink()
        elif self.path.exists():
            shutil.rmtree(self.path)
        failpoint("isolate.add.after_remove")
        self.repo.set_branch(self.branch, commit)
        failpoint("isolate.add.after_branch")
        make_private_folder(self.path.parent)
        # Forced twice: a registration that a killed git has left, perhaps locked, is taken over.
        self.repo.git(*_WHOLE, "worktree", "add", "--quiet", "--force", "--force", str(self.path), self.branch)
        failpoint("isolate.add.after_add")

    def head(self) -> str:
        """The commit that the worktree's HEAD stands at."""
        return self.git("rev-parse", "--verify", "HEAD^{commit}").text

    def snapshot(self, floor: str, message: str, at: datetime | None) -> str:
        """Commit everything that stands in the worktree and is not ignored; the commit, `floor` where nothing differs.

        Args:
            floor: a commit that the result has to hold; whoever worked here may have left it.
            at: the time of the commit; that of its parent if not given.

        Raises:
            CannotCommit: git refuses the files, such as a repository without a commit inside the worktree, or the
                worktree is gone.
        """
        if self.admin() is None:
            raise CannotCommit(f"{self.path} is gone, or is no worktree any more")
        self._unlock(_OWN_LOCKS)
        found = self.try_git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        parent = found.text if found.code == 0 and self.repo.has(floor, found.text) else floor
        tree = self._tree(parent)
        commit = parent
        if tree != self.git("rev-parse", f"{parent}^{{tree}}").text:
            commit = self.commit(tree, (parent,), message, at)
        failpoint("isolate.snapshot.after_commit")
        if not self._on_branch():
            self.git("symbolic-ref", "HEAD", f"refs/heads/{self.branch}")
        self.repo.set_branch(self.branch, commit)
        failpoint("isolate.snapshot.after_branch")
        return commit

    def _tree(self, parent: str) -> str:
        # An index of our own: in the worktree's, a worker can hide changed files from git.
        admin = self.admin()
        index = {"GIT_INDEX_FILE": str(admin / _OWN_INDEX)} if admin else {}
        self.git("read-tree", "--reset", parent, environment=index)
        added = self.try_git("add", "--all", environment=index)
        if added.code:
            last = added.err.splitlines()[-1] if added.err else "no output"
            raise CannotCommit(f"git cannot commit what stands in {self.path}", facts={"git": last})
        failpoint("isolate.snapshot.after_add")
        return self.git("write-tree", environment=index).text

    def commit(self, tree: str, parents: Sequence[str], message: str, at: datetime | None) -> str:
        """A commit of that tree, the same id for the same arguments; no branch moves."""
        times = self.git("show", "--no-patch", "--no-show-signature", "--format=%ct", *parents).text.split()
        seconds = int(at.timestamp()) if at else max(map(int, times))
        when = {f"GIT_{role}_DATE": f"{seconds} +0000" for role in ("AUTHOR", "COMMITTER")}
        named = [part for parent in parents for part in ("-p", parent)]
        text = message.encode("utf-8", "replace") + b"\n"
        return self.git("commit-tree", "--no-gpg-sign", tree, *named, environment=when, stdin=text).text

    def merge(self, head: str, commit: str, message: str) -> str | tuple[str, ...]:
        """Merge `commit` into the branch, which stands at `head`.

        Returns:
            The branch's new commit; or the files in conflict, which then stand in the worktree for a person to resolve.
        """
        self.place(head)
        if self.repo.has(commit, head):
            return head
        new = commit
        if not self.repo.has(head, commit):
            said = self.try_git("merge", "--no-ff", "--no-commit", "--no-verify-signatures", "--quiet", commit)
            failpoint("isolate.merge.after_merge")
            if files := self.unmerged():
                return files
            checked(said, self.path, ("merge",))
            new = self.commit(self.git("write-tree").text, (head, commit), message, None)
            failpoint("isolate.merge.after_commit")
        return self.advance(new)

    def put_by(self, head: str, ref: str) -> None:
        """Keep what stands here under a name of its own before it is thrown away, unless it is what `head` holds."""
        if self.admin() is None:
            return
        self._unlock(_OWN_LOCKS)
        tree = self._tree(head)
        if tree != self.git("rev-parse", f"{head}^{{tree}}").text:
            self.git("update-ref", ref, self.commit(tree, (head,), "What stood in the worktree", None))

    def resolved(self, head: str, commit: str, files: Sequence[str], message: str) -> str | tuple[str, ...] | None:
        """What a person has made of the conflict that `merge` left.

        Args:
            files: what was in conflict.

        Returns:
            The branch's new commit; the files that are still in conflict; None where the merge was taken back.
        """
        if self.admin() is None:
            return None
        self._unlock(_OWN_LOCKS)
        now = self.head()
        pending = self.try_git("rev-parse", "--verify", "--quiet", "MERGE_HEAD").text
        # A merge that is on the branch already was committed: by the person, or by us before a kill.
        merged = self.repo.has(commit, now)
        if not self.repo.has(head, now) or not (pending == commit or merged):
            return None
        if still := tuple(dict.fromkeys((*self.unmerged(), *filter(self._has_markers, files)))):
            return still
        tree = self._tree(now)
        failpoint("isolate.resolve.after_tree")
        new, same = now, tree == self.git("rev-parse", f"{now}^{{tree}}").text
        if not merged or not same:
            new = self.commit(tree, (now,) if merged else (now, commit), message, None)
        return self.advance(new)

    def advance(self, new: str) -> str:
        """Move the branch to `new` and the worktree with it."""
        self.repo.set_branch(self.branch, new)
        failpoint("isolate.merge.after_branch")
        self.place(new)
        return new

    def unmerged(self) -> tuple[str, ...]:
        """The files that git calls unmerged."""
        rows = self.git("ls-files", "--unmerged", "-z").out.split(b"\0")
        return tuple(dict.fromkeys(os.fsdecode(row.partition(b"\t")[2]) for row in rows if row))

    def _has_markers(self, file: str) -> bool:
        path = self.path / file
        return path.is_file() and not path.is_symlink() and _MARKERS.search(path.read_bytes()) is not None

    def uncommitted(self) -> tuple[str, ...]:
        """What differs from HEAD, even where a worker has told git to overlook it; ignored files are left out."""
        self._unlock(_OWN_LOCKS)
        head = self.head()
        old, new = self.git("rev-parse", f"{head}^{{tree}}").text, self._tree(head)
        names = self.git("diff-tree", "-r", "-z", "--name-only", old, new).out.split(b"\0")
        return tuple(os.fsdecode(name) for name in names if name)

    def changed(self, *, untracked: bool) -> tuple[str, ...]:
        """The files that differ from HEAD, with or without those that git does not know; ignored ones are left out."""
        return status_of(self.git, untracked=untracked)

    def _unlock(self, locks: Sequence[str]) -> None:
        # We hold the repository's lock, and so does every git that we started: the one that made this is dead.
        if (admin := self.admin()) is not None:
            for name in locks:
                (admin / name).unlink(missing_ok=True)


def status_of(run: Callable[..., Said], *, untracked: bool) -> tuple[str, ...]:
    """The paths that `git status` names, run by `run`."""
    said = run("status", "--porcelain=v1", "-z", "--no-renames", f"--untracked-files={'all' if untracked else 'no'}")
    return tuple(os.fsdecode(row[3:]) for row in said.out.split(b"\0") if row)
