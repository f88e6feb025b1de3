"""Expected outputs of a run, looked up in the files that were verified."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ...state.pipeline import PipelineState
from ...state.records import CheckKind, Outcome
from ...state.task import Task
from ...state.verified import VerifiedTree
from ..checks.borrowed import Borrowed
from .finding import Finding, not_checked, ok, wrong


def audit_outputs(state: PipelineState, tree: VerifiedTree, own: Borrowed) -> Iterator[Finding]:
    """Every output that passed in the round of the tree is in it, and is not empty; one that git ignores is told.

    Args:
        own: holds the recorded tree.
    """
    good = 0
    for check in state.checks:
        if (check.kind, check.round, check.outcome) != (CheckKind.OUTPUT, tree.round, Outcome.PASSED):
            continue
        path = _path(state.task, check.step, check.ref)
        if path is None:
            yield wrong("outputs", check.id, f"passed, and the task names no output {check.ref}")
            continue
        sizes = _sizes(own, tree, path)
        if not sizes:
            yield not_checked("outputs", check.id, f"{path} is not among the recorded files: git ignores it")
        elif not any(sizes):
            yield wrong("outputs", check.id, f"passed, and {path} is empty in the recorded files")
        else:
            good += 1
    if good:
        yield ok("outputs", "all", f"{good} expected outputs are among the recorded files, and not empty")


def _path(task: Task | None, step: str | None, ref: str) -> str | None:
    if task is None:
        return None
    contract = task.step(step) if step is not None else task
    return next((output.path for output in contract.outputs if output.ref == ref), None)


def _sizes(own: Borrowed, tree: VerifiedTree, path: str) -> list[int]:
    """The size of each file at a path of the workspace, or below it; a link counts as what it is."""
    whole = os.path.normpath(os.path.join(tree.folder, path))
    rows = own.git("ls-tree", "-r", "-l", "-z", "--full-tree", tree.tree, "--", whole).split(b"\0")
    fields = [row.partition(b"\t")[0].split() for row in rows if row]
    return [int(size) for _mode, kind, _id, size in fields if kind == b"blob"]
