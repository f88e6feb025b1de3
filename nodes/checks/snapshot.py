"""The files that a round has looked at, as a tree and as a change: enough to put them together again elsewhere."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from ..workers.launcher.masking import Masker
from .borrowed import SMALL_BYTES, Borrowed, borrowed
from .workspace import Look

MOST_CHANGE_BYTES = 64 << 20
"""How many bytes both sides of a change may hold, so that it is kept as a patch."""
_MOST_TOOL_BYTES = 64 << 20


@dataclass(frozen=True)
class Snapshot:
    """A tree, where it counts from, and the patch between the two.

    Attributes:
        patch: its bytes; None where it is not to be kept, which `why_no_patch` explains.
        omitted: paths that differ, and that are not in the tree as they stand there.
    """

    base: str
    tree: str
    folder: str
    patch: bytes | None
    why_no_patch: str = ""
    omitted: tuple[str, ...] = ()


def snapshot_of_workspace(workspace: Path, base: str, seen: Look, *, masker: Masker) -> Snapshot:
    """The files of a workspace as they are now: those that `seen` names, whatever git is told to overlook.

    Args:
        base: the commit that `seen` counts from.

    Raises:
        WorkspaceError: git cannot tell, or cannot hold one of the files.
    """
    top, real = seen.places.top, workspace.resolve()
    paths = [os.path.normpath(real / change.path) for change in seen.found]
    paths = [os.fsencode(os.path.relpath(path, top.resolve())) for path in paths]
    inside = [path for path in paths if not _is_foreign(top, path)]
    folder = os.path.relpath(real, top.resolve())
    omitted = {os.fsdecode(path) for path in paths} - {os.fsdecode(path) for path in inside}
    made = Snapshot(base, seen.tree, folder, b"", omitted=tuple(sorted(map(_readable, omitted))))
    if not inside:
        return made
    size = sum(_size(top, path) for path in inside)
    small = size <= MOST_CHANGE_BYTES
    # Contents are stored once, and stand in the patch once more.
    in_memory = 2 * size + len(seen.files.index) <= SMALL_BYTES
    with borrowed(top, base, top, objects=seen.places.objects, small=in_memory) as own:
        own.begin(seen.files.index)
        own.stage(inside, keep=small)
        made = replace(made, tree=own.write(complete=small), patch=None)
        return _with_patch(own, made, masker) if small else replace(made, why_no_patch=_too_large(size))


def snapshot_of_commit(top: Path, base: str, head: str, *, folder: str, masker: Masker) -> Snapshot:
    """The files of a commit. Raises WorkspaceError where git cannot tell."""
    with borrowed(top, base) as own:
        tree = own.git("rev-parse", "--verify", f"{head}^{{tree}}").decode().strip()
        return _with_patch(own, Snapshot(base, tree, folder, None), masker)


def _with_patch(own: Borrowed, made: Snapshot, masker: Masker) -> Snapshot:
    changed = own.differences(made.base, made.tree)
    omitted = tuple(sorted({*made.omitted, *(_readable(one.path) for one in changed if one.submodule)}))
    made = replace(made, omitted=omitted)
    size = own.bytes_of(changed)
    if size > MOST_CHANGE_BYTES:
        return replace(made, why_no_patch=_too_large(size))
    path = own.folder / "change.patch"
    own.write_patch(made.base, made.tree, path)
    patch = path.read_bytes()
    if masker.bytes(patch) != patch:
        return replace(made, why_no_patch="it holds what looks like a secret")
    return replace(made, patch=patch)


def _too_large(size: int) -> str:
    return f"the change is about {size} bytes, and {MOST_CHANGE_BYTES} are kept at most"


def _is_foreign(top: Path, path: bytes) -> bool:
    """True for a repository inside the repository: its files are in no tree of this one."""
    whole = os.path.join(os.fsencode(top), path)
    return os.path.isdir(whole) and not os.path.islink(whole) and os.path.lexists(os.path.join(whole, b".git"))


def _size(top: Path, path: bytes) -> int:
    try:
        return os.lstat(os.path.join(os.fsencode(top), path)).st_size
    except OSError:
        return 0


def _readable(path: str) -> str:
    """A path as text, also where it is no UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
