"""After a round that DONE can rest on: the files it has looked at are recorded, or the round has not passed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence, Set

from ..state.errors import WorkspaceError
from ..state.ids import CheckRef, StepId
from ..state.records import Check, CheckKind, Outcome
from ..state.task import Task
from ..state.verified import VerifiedTree
from .checks.round import Round
from .checks.snapshot import Snapshot
from .checks.tools import tools_of
from .ground import Ground
from .workers.files import write_private

TREE_REF = CheckRef("TREE")
PATCH = "change.patch"


def record_tree(task: Task, ground: Ground, checks: tuple[Check, ...]) -> tuple[tuple[Check, ...], VerifiedTree | None]:
    """The checks of a round, and what it has looked at where everything was looked at and passed.

    Where git cannot tell what that was, a check that says so joins the others: nothing is DONE that nobody can name.
    """
    this_round = ground.round
    # A step that only a person judges is looked at too; the person decides on the very files that are recorded now.
    shown = {asked.blank.step for asked in this_round.for_people}
    if not ground.whole or not _all_passed(task, checks, shown):
        return checks, None
    try:
        found = ground.snapshot(this_round.call.context.environment.masker())
    except WorkspaceError as error:
        reason = "; ".join([error.what, *(f"{label}: {fact}" for label, fact in error.facts.items())])
        unknown = this_round.git(TREE_REF, None, "the files that were verified", Outcome.UNVERIFIABLE, reason)
        return (*checks, unknown), None
    return checks, _kept(found, this_round, checks)


def _all_passed(task: Task, checks: Sequence[Check], shown: Set[StepId | None]) -> bool:
    looked_at = shown | {check.step for check in checks}
    good = all(check.outcome is Outcome.PASSED or check.kind is CheckKind.BASELINE for check in checks)
    return good and all(step.id in looked_at for step in task.steps)


def _kept(found: Snapshot, this_round: Round, checks: Sequence[Check]) -> VerifiedTree:
    tree = VerifiedTree(
        round=this_round.number,
        base=found.base,
        tree=found.tree,
        folder=found.folder,
        why_no_patch=found.why_no_patch,
        omitted=found.omitted,
        tools=tools_of(checks, this_round.workspace, this_round.call.context.environment.variables()),
    )
    if found.patch is None:
        return tree
    path = this_round.folder / PATCH
    write_private(path, found.patch)
    named = {
        "patch": str(path.relative_to(this_round.run_dir)),
        "patch_sha256": hashlib.sha256(found.patch).hexdigest(),
    }
    return tree.model_copy(update=named)
