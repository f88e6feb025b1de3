"""What git knows about the workspace: its commit, and what differs from the state before the first step."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...state.errors import WorkspaceError
from ...state.pipeline import Baseline
from ..git import git
from ..workers.files import sha256_file
from .commit_files import IGNORE_FILE, CommitFiles, files_of
from .happened import between, in_worktree
from .recent import Recent
from .repository import Places, PlacesAsked, Settings, located, settings_asked
from .staged import StagedAsked
from .unhidden import Unhidden, unhidden
from .untouched import Footprint, footprint, is_untouched

_RAW_DIFF = ("diff", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--ignore-submodules=none")
ABSENT = "absent"
MOST_FILE_BYTES = 16 << 30
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, order=True)
class Change:
    """One path that differs from the baseline, relative to the workspace (`../` where it lies beside it)."""

    path: str
    kind: str


@dataclass(frozen=True)
class Look:
    """The workspace as git sees it at one moment.

    Attributes:
        places: where the parts of its repository are.
        tree: the id of the tree of the commit of the baseline.
        files: those of that commit.
        found: what differs from that commit, also what differed when the run began.
    """

    places: Places
    tree: str
    files: CommitFiles
    found: tuple[Change, ...]


_Seen = tuple[CommitFiles, tuple[Change, ...]]


def read_baseline(workspace: Path, *, runs_dir: Path) -> Baseline:
    """The commit of the workspace and the files that differ from it now.

    Raises:
        WorkspaceError: no git repository, no commit yet, or git is missing.
    """
    if not workspace.is_dir():
        raise WorkspaceError(f"workspace {workspace} is no folder", next_step="give a git repository: --workspace DIR")
    try:
        asked, settings_said = PlacesAsked(workspace, "HEAD"), settings_asked(workspace)
        try:
            head = asked.wait()
        finally:
            said = settings_said.wait()
        _LAST_PLACES.keep(workspace, head.places)
    except WorkspaceError as error:
        if error.next_step:
            raise
        raise WorkspaceError(
            f"workspace {workspace} is no git repository with a commit",
            facts=error.facts,
            next_step="run `git init && git add -A && git commit -m start` there, or give another --workspace",
        ) from None
    settings = Settings(workspace, said)
    ignored = settings.ignored_outside(head.places.exclude)
    # Before git looks: what happens meanwhile may have been seen, or not.
    standing = _footprint(head.places, runs_dir)
    files, found = _look(workspace, head.places, Baseline(commit=head.commit, ignored=ignored), runs_dir)
    dirty = {change.path: content_of(workspace / change.path) for change in found}
    baseline = Baseline(
        commit=head.commit,
        dirty=dirty,
        ignored=ignored,
        files_sha256=files.sha256,
        conversions_sha256=settings.conversions_sha256(head.places.attributes),
    )
    if standing is not None:
        _STANDING.keep(_known_as(workspace, baseline), standing)
    return baseline


def is_as_at_start(workspace: Path, baseline: Baseline, *, runs_dir: Path) -> bool:
    """True where it is known without git that nothing was written in the checkout since the baseline was read here."""
    places, before = _LAST_PLACES.get(workspace), _STANDING.get(_known_as(workspace, baseline))
    if places is None or before is None:
        return False
    return is_untouched(before, places.top, places.index, left_out=runs_dir.resolve())


def _footprint(places: Places, runs_dir: Path) -> Footprint | None:
    return footprint(places.top, places.index, left_out=runs_dir.resolve())


def _known_as(workspace: Path, baseline: Baseline) -> tuple[Path, str]:
    """Two runs that begin with the same files are as good as one."""
    return workspace, baseline.model_dump_json()


def changes_since(
    workspace: Path, baseline: Baseline, *, runs_dir: Path, left: Mapping[str, str] = _NOTHING
) -> tuple[Change, ...]:
    """Every path that differs from the baseline, sorted: committed or not, tracked or not, ignored files left out.

    Args:
        left: path -> content of what commands of ours have left: a file is as before while it has that content.
    """
    return changes_in(look(workspace, baseline, runs_dir=runs_dir), workspace, baseline, left=left)


def changes_in(
    seen: Look, workspace: Path, baseline: Baseline, *, left: Mapping[str, str] = _NOTHING
) -> tuple[Change, ...]:
    """What of a look at the workspace differs from the baseline, as `changes_since` tells it."""
    now = {change.path: change for change in seen.found}
    changed = [c for path, c in now.items() if baseline.dirty.get(path) != content_of(workspace / path)]
    restored = [Change(path, "modified") for path in baseline.dirty if path not in now]
    found = tuple(sorted({*changed, *restored}))
    return tuple(c for c in found if c.path not in left or left[c.path] != content_of(workspace / c.path))


def look(workspace: Path, baseline: Baseline, *, runs_dir: Path) -> Look:
    """Look at the workspace. Raises WorkspaceError where git cannot tell."""
    asked = PlacesAsked(workspace, baseline.commit)
    expected = _LAST_PLACES.get(workspace)
    seen: _Seen | None = None
    try:
        if expected is not None:
            # The repository is most likely where it was; what was seen counts only if git says so.
            with contextlib.suppress(WorkspaceError):
                seen = _look(workspace, expected, baseline, runs_dir)
    finally:
        base = asked.wait()
    _LAST_PLACES.keep(workspace, base.places)
    if seen is None or base.places != expected:
        seen = _look(workspace, base.places, baseline, runs_dir)
    return Look(base.places, base.tree, *seen)


def commit_at(workspace: Path, baseline: Baseline) -> tuple[CommitFiles, Path]:
    """The files of the commit of the baseline, and the top of the checkout; git is asked where it was not yet.

    Raises:
        WorkspaceError: git cannot tell.
    """
    places = _LAST_PLACES.get(workspace) or located(workspace, baseline.commit).places
    return files_of(places.top, places.objects, baseline.commit, baseline.files_sha256), places.top


# Where the repositories of the workspaces were that were looked at last.
_LAST_PLACES: Recent[Path, Places] = Recent(64)
# What stood there when a baseline was read.
_STANDING: Recent[tuple[Path, str], Footprint] = Recent(64)


def of_the_work(workspace: Path, baseline: Baseline, paths: Collection[str], *, runs_dir: Path) -> list[str]:
    """Those of `paths`, which lie in the workspace, that the commit holds, or that no ignore file of it names.

    Raises:
        WorkspaceError: git cannot tell.
    """
    places = located(workspace, baseline.commit).places
    top, real = places.top, workspace.resolve()
    files = files_of(top, places.objects, baseline.commit, baseline.files_sha256)
    whole = {os.path.relpath(real / path, top.resolve()): path for path in paths}
    with unhidden(top, baseline.commit, files, places.objects, left_out=runs_dir.resolve()) as view:
        shown = view.not_ignored([os.fsencode(path) for path in whole], baseline.ignored)
    wanted = {os.fsdecode(path) for path in shown}
    return [path for name, path in whole.items() if name in wanted or files.holds(name)]


def _look(workspace: Path, places: Places, baseline: Baseline, runs_dir: Path) -> _Seen:
    top, runs, real = places.top, runs_dir.resolve(), workspace.resolve()
    files = files_of(top, places.objects, baseline.commit, baseline.files_sha256)
    with unhidden(top, baseline.commit, files, places.objects, left_out=runs) as view:
        staged = StagedAsked(places, baseline.commit)
        try:
            changed, others = view.differences(baseline.ignored)
        finally:
            alone = staged.wait()
        hidden = {os.fsdecode(path): "untracked" for path in _ignored_since(view, changed, baseline.ignored)}
    found = others | hidden | alone | changed
    changes = tuple(
        Change(os.path.relpath(top / path, real), kind)
        for path, kind in in_worktree(top, baseline.commit, found).items()
        if not (top / path).resolve().is_relative_to(runs)
    )
    return files, changes


def _ignored_since(view: Unhidden, changed: Mapping[str, str], patterns: tuple[str, ...]) -> list[bytes]:
    """The files that only ignore files hide which are not those of the commit, and these ignore files themselves.

    A new folder whose name begins with a dot may hide itself, as the caches of tools do.
    """
    rules = view.new_ignore_files()
    own = {folder for folder in map(_folder, rules) if _is_dot_folder(folder) and not view.files.holds_folder(folder)}
    caches = tuple(os.fsencode(folder) + b"/" for folder in own)
    rules = [path for path in rules if not path.startswith(caches)]
    new = view.not_ignored(rules, patterns) if rules else []
    if not new and not any(os.path.basename(path) == IGNORE_FILE for path in changed):
        return []
    return view.not_ignored([path for path in view.others() if not path.startswith(caches)], patterns)


def _folder(path: bytes) -> str:
    return os.fsdecode(os.path.dirname(path))


def _is_dot_folder(path: str) -> bool:
    return os.path.basename(path).startswith(".")


def changes_between(top: Path, old: str, new: str, *, folder: str) -> tuple[Change, ...]:
    """Every path that differs between two commits, relative to `folder` of the repository at `top`, sorted."""
    raw = git(top, *_RAW_DIFF, old, new, "--")
    return tuple(sorted(Change(os.path.relpath(path, folder), kind) for path, kind in between(raw).items()))


def content_of(path: Path) -> str:
    """What a path holds, as one word: the SHA-256 of a file, where a link leads, or ABSENT.

    Raises:
        WorkspaceError: it is too large to be looked at; a sparse file can seem to hold anything.
    """
    if path.is_symlink():
        return f"link to {os.readlink(path)}"
    if path.is_file() and (size := path.stat().st_size) > MOST_FILE_BYTES:
        raise WorkspaceError(f"{path} has {size} bytes, at most {MOST_FILE_BYTES} of one file are looked at")
    return sha256_file(path) if path.is_file() else ABSENT
