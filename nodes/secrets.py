"""Keeping secrets out of everything that is written: out of records, events, and the task as it was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from ..state.errors import TaskFileError
from ..state.events import Event
from ..state.task import Action, ActionKind, Task
from .workers.launcher.masking import Masker

_Model = TypeVar("_Model", bound=BaseModel)

# Words of people and programs in records of the state; whatever else stands there is made by Waypost itself.
_WORDS = frozenset({"reason", "reasons", "note", "question"})
_PROSE = frozenset({"title", "goal", "text"})
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|\$\([^)]*\)|\$\w+")


def hide_in_update(update: Mapping[str, Any], masker: Masker) -> dict[str, Any]:
    """An update of the state with the secrets in its reasons, notes and questions hidden."""
    return {name: _hidden(value, masker) for name, value in update.items()}


def hide_in_event(event: Event, masker: Masker) -> Event:
    """A progress event with the secrets in its text hidden."""
    shown = {name: _clean_text(masker, value) if isinstance(value, str) else value for name, value in event.items()}
    return cast(Event, shown)


def without_secrets(task: Task, masker: Masker) -> Task:
    """The task with the secrets in its prose hidden.

    Raises:
        TaskFileError: a secret stands in something that is executed or compared. Hidden it would mean something
            else: `! grep -q SECRET file` would pass for the wrong reason.
    """
    return _clean(task, masker, task, None)


def _hidden(value: Any, masker: Masker) -> Any:
    if isinstance(value, tuple):
        return tuple(_hidden(item, masker) for item in cast(tuple[Any, ...], value))
    if not isinstance(value, BaseModel):
        return value
    changes: dict[str, Any] = {}
    for name in _WORDS.intersection(type(value).model_fields):
        words = getattr(value, name)
        clean = _clean_text(masker, words) if isinstance(words, str) else tuple(_clean_text(masker, w) for w in words)
        if clean != words:
            changes[name] = clean
    return value.model_copy(update=changes) if changes else value


@lru_cache(maxsize=4096)
def _clean_text(masker: Masker, text: str) -> str:
    """Every update has all verdicts, and most of them say the same."""
    return masker.text(text)


def _clean(value: _Model, masker: Masker, task: Task, line: int | None) -> _Model:
    line = getattr(value, "line", None) or line
    executed = isinstance(value, Action) and value.kind is not ActionKind.PROSE
    changes: dict[str, Any] = {}
    for name in type(value).model_fields:
        part = getattr(value, name)
        if name == "source":
            continue
        if isinstance(part, str) and name in _PROSE and not executed:
            clean: Any = masker.text(part)
        elif isinstance(part, str):
            clean = _refused(part, masker, task, line, name)
        elif isinstance(part, tuple):
            items = cast(tuple[Any, ...], part)
            clean = tuple(
                _clean(item, masker, task, line)
                if isinstance(item, BaseModel)
                else _refused(item, masker, task, line, name)
                for item in items
            )
        else:
            continue
        if clean != part:
            changes[name] = clean
    return value.model_copy(update=changes) if changes else value


def _refused(text: object, masker: Masker, task: Task, line: int | None, field: str) -> object:
    # A variable's name is no secret, wherever it stands.
    bare = _PLACEHOLDER.sub("", text) if isinstance(text, str) else ""
    if masker.text(bare) != bare:
        raise TaskFileError(
            task.source.path,
            line,
            "a secret stands in the card, where it would be executed and kept",
            facts={"found in": field, "reads": masker.text(bare)[:200]},
            next_step="put it into an environment variable, and write the variable's name here",
        )
    return text
