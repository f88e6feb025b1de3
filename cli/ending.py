"""What a process says of a run when it ends."""

from __future__ import annotations

from ..state.pipeline import PipelineState
from ..state.status import Status

DONE, FAILED, USAGE, BLOCKED, INTERRUPTED = 0, 1, 2, 3, 4


def exit_code(state: PipelineState) -> int:
    """0 DONE, 1 FAILED, 3 BLOCKED, 4 for anything that can be resumed."""
    return {Status.DONE: DONE, Status.FAILED: FAILED, Status.BLOCKED: BLOCKED}.get(state.status, INTERRUPTED)
