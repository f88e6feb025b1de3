"""What a process says of a batch when it ends."""

from __future__ import annotations

from ..state.batch import BatchState, TaskStatus
from .ending import BLOCKED, DONE, FAILED, INTERRUPTED


def exit_code_of(state: BatchState) -> int:
    """0 only if every task is DONE; 4 where `waypost resume` goes on, 1 where one failed, 3 where people are needed."""
    codes = {TaskStatus.DONE: DONE, TaskStatus.FAILED: FAILED, TaskStatus.BLOCKED: BLOCKED}
    return codes.get(state.outcome(), INTERRUPTED)
