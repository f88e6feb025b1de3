"""What a node returns: where it wants to move the run, why, and what it learned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..state.status import Route, Status


@dataclass(frozen=True)
class Move:
    """A wish, not a fact: the guard around every node checks it against the transition table.

    Attributes:
        target: the status the run shall have.
        route: the edge of the table that leads there.
        reason: one sentence for the record.
        update: state fields to write, without `status` and `transitions`: those belong to the guard.
    """

    target: Status
    route: Route
    reason: str
    update: dict[str, Any] = field(default_factory=dict[str, Any])
