"""The files that were verified: the recorded change makes the recorded tree, and holds what scope has seen."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...state.errors import EvidenceError, WorkspaceError
from ...state.pipeline import PipelineState
from ...state.records import CheckKind
from ...state.status import Status
from ...state.verified import VerifiedTree
from ..checks.borrowed import Borrowed, Difference, PatchRefused, borrowed
from ..checks.scope import allowed_globs, judge_changes
from ..checks.workspace import ABSENT, Change
from ..evidence.files import RunFolder
from ..evidence.patch import read_patch
from .finding import Finding, not_checked, ok, wrong
from .outputs import audit_outputs
from .scope import rows_of

_MASK = "***"


@dataclass(frozen=True)
class _Known:
    """What changed in the run, as paths from the workspace, and who says so.

    Attributes:
        paths: changed for certain.
        unsure: differed from the commit before the run began; whether they changed in it cannot be told.
    """

    paths: frozenset[str]
    unsure: frozenset[str]
    source: str


def audit_tree(state: PipelineState, run: RunFolder, run_dir: Path, repository: Path | None) -> Iterator[Finding]:
    """The recorded tree against git and against the scope check of its round.

    Args:
        repository: a checkout of the repository; None where it is not at hand.
    """
    tree = state.tree
    if tree is None:
        if state.status is Status.DONE:
            yield wrong("scope", "tree", "the run does not record which files were verified")
        return
    if (complaint := _complaint(state, tree)) is not None:
        yield wrong("scope", "tree", complaint)
        return
    for path in tree.omitted:
        yield not_checked("scope", path, "differs, and is a repository of its own: its files are not in the change")
    known: _Known | None = None
    if repository is None:
        why = "the repository is not at hand (give a checkout of it with --repository)"
        yield not_checked("scope", "git", f"{why}: that the change leads to tree {tree.tree} is not known")
    else:
        try:
            with borrowed(repository, tree.base) as own:
                findings, known = _from_git(state, tree, own, run_dir)
            yield from findings
        except WorkspaceError as error:
            yield not_checked("scope", "git", f"the repository {repository} cannot be asked: {error.what}")
    if known is None:
        known = yield from _from_patch(state, tree, run)
    if known is not None:
        yield from _against_scope(state, tree, run, known)


def _complaint(state: PipelineState, tree: VerifiedTree) -> str | None:
    base = state.isolated.base if state.isolated else state.baseline.commit if state.baseline else None
    if tree.base != base:
        return f"counts from commit {tree.base}, the run from {base}"
    if tree.round != state.round:
        return f"is that of round {tree.round}, and round {state.round} is the newest"
    if (tree.patch is None) == (not tree.why_no_patch):
        return "has to have either a change, or a reason why none was kept"
    return None


def _from_git(
    state: PipelineState, tree: VerifiedTree, own: Borrowed, run_dir: Path
) -> tuple[list[Finding], _Known | None]:
    if not own.has_commit(tree.base):
        return [not_checked("scope", "git", f"the repository does not hold commit {tree.base}")], None
    own.start(tree.base)
    found: list[Finding] = []
    wanted = state.baseline.files_sha256 if state.baseline and tree.base == state.baseline.commit else None
    files = hashlib.sha256(own.git("ls-files", "--stage", "-z")).hexdigest()
    if wanted is not None and files != wanted:
        found.append(wrong("scope", "commit", f"{tree.base} held files {wanted} when the run began, and holds {files}"))
        return found, None
    if tree.patch is not None:
        try:
            own.apply(run_dir / tree.patch)
        except PatchRefused as error:
            said = "; ".join(str(fact) for fact in error.facts.values())
            return [*found, wrong("scope", tree.patch, f"does not apply to commit {tree.base}: {said}")], None
        if (made := own.write(complete=False)) != tree.tree:
            found.append(wrong("scope", tree.patch, f"makes tree {made}, recorded is {tree.tree}"))
            return found, None
        found.append(ok("scope", tree.patch, f"applied to commit {tree.base} it makes tree {tree.tree}"))
    elif not own.has_tree(tree.tree):
        why = f"no change is recorded ({tree.why_no_patch}), and the repository does not hold tree {tree.tree}"
        return [*found, not_checked("scope", "git", why)], None
    found += audit_outputs(state, tree, own)
    return found, _Known(frozenset(_changed_in_run(state, tree, own)), frozenset(_dirty(state)), "git")


def _changed_in_run(state: PipelineState, tree: VerifiedTree, own: Borrowed) -> Iterator[str]:
    before = _dirty(state)
    for one in own.differences(tree.base, tree.tree):
        path = _from_workspace(tree, one.path)
        if path not in before or before[path] not in _hashes(own, one):
            yield path


def _hashes(own: Borrowed, one: Difference) -> set[str]:
    """How the record of the start of a run would name what stands there now."""
    if one.kind == "deleted" or one.submodule:
        return {ABSENT}
    content = own.git("cat-file", "blob", one.ids[1])
    return {hashlib.sha256(content).hexdigest(), f"link to {os.fsdecode(content)}"}


def _from_patch(state: PipelineState, tree: VerifiedTree, run: RunFolder) -> Generator[Finding, None, _Known | None]:
    """Yields findings, returns what the change says by itself."""
    if tree.patch is None:
        yield not_checked("scope", "git", f"no change is recorded: {tree.why_no_patch}")
        return None
    try:
        rows = read_patch(io.BytesIO(run.read(tree.patch)))
    except EvidenceError as error:
        yield wrong("scope", tree.patch, error.what)
        return None
    paths = frozenset(_from_workspace(tree, os.fsdecode(row.path)) for row in rows)
    before = frozenset(_dirty(state))
    if both := sorted(paths & before):
        yield not_checked("scope", both[0], f"{len(both)} files differed from the commit before the run began, too")
    return _Known(paths - before, before, "the recorded change")


def _against_scope(state: PipelineState, tree: VerifiedTree, run: RunFolder, known: _Known) -> Iterator[Finding]:
    checks = [c for c in state.checks if c.kind is CheckKind.SCOPE and c.round == tree.round and c.step is None]
    if len(checks) != 1:
        yield wrong("scope", "tree", f"round {tree.round} has {len(checks)} scope checks of the task, not one")
        return
    try:
        rows = rows_of(checks[0], run)
    except EvidenceError:
        # Told by the look at the check itself.
        return
    if any(_MASK in row.change.path for row in rows):
        yield not_checked("scope", checks[0].id, "paths are masked in it: they cannot be compared with the change")
        return
    listed = {row.change.path for row in rows}
    omitted = {_from_workspace(tree, path) for path in tree.omitted}
    unseen = sorted(known.paths - listed)
    more = sorted(listed - known.paths - known.unsure - omitted)
    if unseen:
        judged = judge_changes([Change(path, "") for path in unseen], allowed_globs(state))
        outside = [one.path for one, allowed in judged if not allowed]
        what = f", {outside[:5]} of them outside the allowed scope" if outside else ""
        yield wrong("scope", checks[0].id, f"has not seen {unseen[:5]}, which {known.source} says changed{what}")
    if more:
        yield wrong("scope", checks[0].id, f"lists {more[:5]}, which {known.source} says did not change")
    if not unseen and not more:
        yield ok("scope", checks[0].id, f"lists the {len(listed)} files that {known.source} says changed")


def _dirty(state: PipelineState) -> dict[str, str]:
    """What stood in the tree before any worker: from before the run, and what the checks left that ran then."""
    if state.isolated or state.baseline is None:
        return {}
    return {**state.baseline.dirty, **(state.before.left if state.before else {})}


def _from_workspace(tree: VerifiedTree, path: str) -> str:
    return os.path.relpath(path, tree.folder)
