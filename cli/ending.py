"""What a process says of a run when it ends."""

from __future__ import annotations

import os

from ..state.pipeline import PipelineState
from ..state.status import Status

DONE, FAILED, USAGE, BLOCKED, INTERRUPTED = 0, 1, 2, 3, 4


def exit_code(state: PipelineState) -> int:
    """0 DONE, 1 FAILED, 3 BLOCKED, 4 for anything that can be resumed."""
    return {Status.DONE: DONE, Status.FAILED: FAILED, Status.BLOCKED: BLOCKED}.get(state.status, INTERRUPTED)


def nobody_reads() -> int:
    """The exit code of a run whose output nobody reads any more: it stopped where it was, and can be resumed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return INTERRUPTED
