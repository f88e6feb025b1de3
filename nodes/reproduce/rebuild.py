"""Putting the files of a run together again, in a repository of our own that only reads the user's objects."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...state.errors import CannotReproduce, WorkspaceError
from ...state.verified import VerifiedTree
from ..checks.borrowed import Borrowed, PatchRefused, lend
from ..checks.repository import objects_of, top_of
from ..workers.files import make_private_folder, write_private

Stop = Callable[[], bool]


@dataclass(frozen=True)
class Rebuilt:
    """Files as they were verified.

    Attributes:
        top: the checkout; its HEAD is the commit that the change counts from, the change itself is not committed.
        workspace: where commands are run.
        tree: what git calls these files, worked out from what stands on the disk.
        submodules: paths of submodules, which stay empty.
    """

    top: Path
    workspace: Path
    tree: str
    submodules: tuple[str, ...]
    _own: Borrowed

    def holds(self, path: str) -> bool:
        """True where the recorded files have something at a path of the workspace."""
        folder = os.path.relpath(self.workspace, self.top)
        whole = os.path.normpath(os.path.join(folder, path))
        return bool(self._own.git("ls-tree", "-z", "--full-tree", self.tree, "--", whole))


def rebuild(repository: Path, tree: VerifiedTree, patch: bytes | None, into: Path) -> Rebuilt:
    """Check out the recorded commit below `into`, and apply the recorded change to it.

    Args:
        repository: a checkout of the repository; it is only read.
        patch: the recorded change; None where none was kept.
        into: an empty folder.

    Raises:
        CannotReproduce: commit or change are not to be had, or do not make the recorded files.
    """
    try:
        return _rebuild(top_of(repository), tree, patch, into)
    except PatchRefused as error:
        raise CannotReproduce(
            f"{error.what} to commit {tree.base}", facts=error.facts, next_step="waypost audit says what was changed"
        ) from None
    except WorkspaceError as error:
        raise CannotReproduce(
            f"the files of the run cannot be put together: {error.what}",
            facts=error.facts,
            next_step="give a checkout that holds the whole history: --repository DIR",
        ) from None


def _rebuild(repository: Path, tree: VerifiedTree, patch: bytes | None, into: Path) -> Rebuilt:
    top = into / "worktree"
    make_private_folder(top / ".git")
    lend(objects_of(repository), top / ".git", tree.base)
    own = Borrowed(top / ".git", top)
    if not own.has_commit(tree.base):
        raise CannotReproduce(
            f"commit {tree.base} is not in the repository {repository}",
            next_step="fetch it (git fetch), or give another checkout: --repository DIR",
        )
    (top / ".git" / "HEAD").write_text(f"{tree.base}\n")
    _make_index(own, tree, patch, into)
    own.git("checkout-index", "--all")
    found = _on_disk(own, tree.tree)
    if found != tree.tree:
        raise CannotReproduce("the files on this disk are not those recorded", facts=_both(tree.tree, found))
    listed = own.git("ls-files", "--stage", "-z").split(b"\0")
    submodules = tuple(os.fsdecode(row.partition(b"\t")[2]) for row in listed if row.startswith(b"160000 "))
    own.start(tree.base)
    own.try_git("update-index", "-q", "--refresh")
    workspace = Path(os.path.normpath(top / tree.folder))
    if not workspace.is_relative_to(top) or not workspace.is_dir():
        raise CannotReproduce(f"the recorded files have no folder {tree.folder}")
    return Rebuilt(top, workspace, found, submodules, own)


def _make_index(own: Borrowed, tree: VerifiedTree, patch: bytes | None, into: Path) -> None:
    if patch is not None:
        own.start(tree.base)
        write_private(into / "change.patch", patch)
        own.apply(into / "change.patch")
        if (made := own.write()) != tree.tree:
            raise CannotReproduce("the recorded change does not make the recorded files", facts=_both(tree.tree, made))
        return
    # An isolated run left its result as a commit, and a user may have committed that of any other.
    if not own.has_tree(tree.tree):
        raise CannotReproduce(
            f"no change was kept ({tree.why_no_patch}), and tree {tree.tree} is not in the repository",
            next_step="give a checkout that holds the result of the run: --repository DIR",
        )
    own.start(tree.tree)


def _on_disk(own: Borrowed, tree: str) -> str:
    """The tree of what really stands there: nothing that the index remembers of a file is believed."""
    own.start(tree)
    own.git("add", "--all", "--force")
    return own.write()


def _both(recorded: str, found: str) -> dict[str, str]:
    return {"recorded tree": recorded, "found tree": found}
