"""What the state says of the run's branch after a merge, whoever made it."""

from __future__ import annotations

from typing import Any

from ...state.isolation import Isolated, Merge
from ...state.pipeline import PipelineState
from ...state.records import Attempt
from ..needs import need


def with_step(isolated: Isolated, head: str, attempt: Attempt) -> Isolated:
    """What an attempt left is on the branch, which is at `head` now."""
    commit = need(attempt.commit, "commit")
    merge = Merge(step=attempt.step, attempt=attempt.number, commit=commit, head=head)
    return moved(isolated, head, merges=(*isolated.merges, merge))


def with_target(isolated: Isolated, head: str, onto: str) -> Isolated:
    """The user's branch as it was at `onto` is on the branch, and the changes of the run count from there."""
    return moved(isolated, head, base=onto, onto=None)


def moved(isolated: Isolated, head: str, **changes: Any) -> Isolated:
    """The branch is at `head` now: no merge waits, and nothing is verified yet."""
    settled: dict[str, Any] = {"head": head, "merging": None, "conflicts": (), "verified": None}
    return isolated.model_copy(update={**settled, **changes})


def merge_message(state: PipelineState, commit: str) -> str:
    """The message of the merge of `commit`: a step's, or that of the user's branch."""
    isolated, task = need(state.isolated, "isolated"), need(state.task, "task")
    trailer = f"\n\nWaypost-Run: {state.run_id}"
    for attempt in state.attempts:
        if attempt.commit == commit:
            step = task.step(attempt.step)
            return f"Merge {step.id}: {step.title}{trailer}\nWaypost-Step: {step.id}\nWaypost-Attempt: {attempt.number}"
    return f"Merge {isolated.target} into {isolated.branch}{trailer}"
