"""Live progress: what nodes say while they work. Never evidence: the ledger is."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

EventKind = Literal[
    "node_started",
    "node_finished",
    "attempt_started",
    "attempt_adopted",
    "attempt_progress",
    "attempt_finished",
    "check_started",
    "check_finished",
    "evidence_written",
]


class Event(TypedDict):
    """One line of progress, as streamed by `stream_mode="custom"` and by `waypost run --json`.

    Attributes:
        event: what happened.
        node: the stage it happened in.
        step, attempt: the step and the number of the attempt, where there is one.
        worker: who makes the attempt.
        check: the id of the check.
        usage: what an attempt used, as far as its worker says: turns, cost_usd, input_tokens, output_tokens.
        text: the command, check, reason or path it is about.
        outcome: how it ended, for the `_finished` events.
        duration_s: seconds it took, for the `_finished` events.
    """

    event: EventKind
    run_id: str
    node: str
    step: NotRequired[str]
    attempt: NotRequired[int]
    worker: NotRequired[str]
    check: NotRequired[str]
    usage: NotRequired[dict[str, float]]
    text: NotRequired[str]
    outcome: NotRequired[str]
    duration_s: NotRequired[float]
