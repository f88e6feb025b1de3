"""Times and durations as they stand in reports: the same on every machine."""

from __future__ import annotations

from datetime import UTC, datetime

NOT_RECORDED = "not recorded"


def moment(at: datetime | None) -> str:
    """ISO 8601 in UTC; a time without zone stays as it is."""
    if at is None:
        return NOT_RECORDED
    if at.tzinfo is None:
        return at.isoformat()
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def seconds(duration_s: float | None) -> str:
    """A duration with three decimals."""
    return NOT_RECORDED if duration_s is None else f"{duration_s:.3f} s"


def between(start: datetime | None, end: datetime | None) -> str:
    """The time from `start` to `end`."""
    return seconds((end - start).total_seconds() if start and end else None)
