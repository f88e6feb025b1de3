"""The fields Limits and Approval: what a step may use, and when a person has to agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ...state.budget import Allowance
from ...state.task import ApprovalPoint
from .amounts import count, dollars, seconds
from .inline import shorten
from .raw import RawContract, Words
from .source import SourceFile

_LIMITS: dict[str, tuple[str, Callable[[str], float | None]]] = {
    "time": ("time_s", seconds),
    "turns": ("turns", count),
    "cost": ("cost_usd", dollars),
    "attempts": ("attempts", count),
}
_EXAMPLE = "time: 30 min, turns: 40, cost: 2.50 USD, attempts: 3"
_POINTS = ", ".join(point.value.replace("_", " ") for point in ApprovalPoint)


def read_limits(file: SourceFile, items: Iterable[Words]) -> Allowance | None:
    """The limits that these items name; None where there is no item.

    Raises:
        TaskFileError: a limit is unknown, stands twice, or is no amount above 0.
    """
    found: dict[str, float] = {}
    for words in items:
        for part in words.text.removesuffix(".").split(","):
            name, colon, value = (piece.strip() for piece in part.partition(":"))
            known = _LIMITS.get(name.casefold())
            if not colon or known is None:
                raise file.error(words.line, f'"{shorten(part.strip())}" is no limit', expected=_EXAMPLE)
            field, read = known
            if field in found:
                raise file.error(words.line, f'the limit "{name}" stands twice')
            amount = read(value)
            if amount is None:
                raise file.error(words.line, f'{name} "{shorten(value)}" is no limit above 0', expected=_EXAMPLE)
            found[field] = amount
    return Allowance.model_validate(found) if found else None


def approval_points(file: SourceFile, raw: RawContract) -> tuple[ApprovalPoint, ...]:
    """When a person has to agree, in the order of the work.

    Raises:
        TaskFileError: a point is unknown, or stands twice.
    """
    found: set[ApprovalPoint] = set()
    for words in raw.approval:
        name = "_".join(words.text.casefold().replace("_", " ").split())
        if name not in tuple(ApprovalPoint):
            raise file.error(words.line, f'"{shorten(words.text)}" is no point for an approval', known=_POINTS)
        if name in found:
            raise file.error(words.line, f'approval "{words.text}" stands twice')
        found.add(ApprovalPoint(name))
    return tuple(point for point in ApprovalPoint if point in found)


def split_points(items: Sequence[Words]) -> tuple[Words, ...]:
    """Each point by itself: they stand in list items, or with commas or "and" between them."""
    return tuple(
        Words(part.strip(), words.line)
        for words in items
        for part in words.text.removesuffix(".").replace(" and ", ",").split(",")
    )


def refuse_for_whole_task(file: SourceFile, raw: RawContract) -> None:
    """Raises TaskFileError where a task with steps says Approval: it would be nobody's."""
    if raw.steps and raw.approval:
        raise file.error(
            raw.approval[0].line,
            f'task "{raw.id.text}" has steps and an Approval of its own',
            next_step="move it into the steps that a person has to approve",
        )
