"""A run in one line: the few facts that a list shows, from plain values of the newest checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .status import Status

CHANNELS = frozenset({"run_id", "task_id", "task", "status", "accepted", "created_at", "blocked"})
"""What `RunSummary.of` needs of a state."""


@dataclass(frozen=True)
class RunSummary:
    """What a list shows of a run.

    Attributes:
        accepted, steps: how many steps have passed, of how many.
        created_at: in ISO 8601; None where it is not known.
        waits_for: what a person is needed for; None where nobody is.
    """

    task_id: str | None
    title: str
    status: str
    accepted: int
    steps: int
    created_at: str | None
    waits_for: str | None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> RunSummary | None:
        """The summary of a state as plain JSON; None where that is not the state of a run.

        Raises:
            LookupError, TypeError, AttributeError: it only looks like one.
        """
        if "run_id" not in values:
            return None
        task: Mapping[str, Any] = values.get("task") or {}
        status = str(values["status"])
        return cls(
            task_id=values.get("task_id"),
            title=task.get("title", ""),
            status=status,
            accepted=len(values.get("accepted") or ()),
            steps=len(task.get("steps", ())),
            created_at=values.get("created_at"),
            waits_for=_waits_for(values.get("blocked")) if status == Status.BLOCKED else None,
        )


def _waits_for(blocked: Mapping[str, Any] | None) -> str:
    approval = (blocked or {}).get("approval")
    if not approval:
        return "a decision"
    if approval["point"] == "before_dispatch":
        return f"approval: dispatch of {approval['step']}"
    return f"approval: acceptance of {approval['step']} attempt {approval['attempt']} round {approval['round']}"
