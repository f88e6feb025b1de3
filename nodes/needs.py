"""Parts of the state that an earlier node must have written."""

from __future__ import annotations

from typing import TypeVar

from ..state.errors import StateError

_T = TypeVar("_T")


def need(value: _T | None, name: str) -> _T:
    """`value`, which must be there by now. Raises StateError naming the field."""
    if value is None:
        raise StateError(f'the state has no "{name}" at this stage', next_step="start a new run of the task")
    return value
