"""That a person froze the plan of a task before it was run, and what exactly that plan was."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, cast

from .model import Record
from .task import Task

# Where something stands in its file says nothing about what was asked.
_PLACES = frozenset({"line", "source"})


class Frozen(Record):
    """A plan that a run holds to.

    Attributes:
        path: the file that says so, absolute, with its SHA-256.
        digest: `task_digest` of the task that was frozen.
        who, at, note: who froze it, when and why.
    """

    path: str
    sha256: str
    digest: str
    who: str
    at: datetime
    note: str = ""


def task_digest(task: Task) -> str:
    """SHA-256 over all that a task asks for and how it is proved, without the lines of its file.

    It is over JSON with sorted keys, no spaces, and no character outside of ASCII.
    """
    told = json.dumps(_without_places(task.model_dump(mode="json")), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        # The arguments of a check have whatever names their kind gives them.
        return {key: item if key == "args" else _without_places(item) for key, item in items if key not in _PLACES}
    return [_without_places(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value
