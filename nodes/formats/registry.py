"""Which reader a task file goes to, and which of its tasks is meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...state.errors import TaskFileError
from ...state.task import Task
from ..checks.kinds import BUILTIN, Kinds
from ..checks.recent import Recent
from .amend import amended
from .card import make_tasks
from .markdown import read_markdown
from .raw import RawContract
from .source import SourceFile, read_source
from .structured import read_json, read_yaml

_READERS: Mapping[str, Callable[[SourceFile], list[RawContract]]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".json": read_json,
}


@dataclass(frozen=True)
class _Read:
    kinds: Kinds
    raws: list[RawContract]
    written: tuple[Task, ...]


# A run reads its file when it is made, and once more at its first stage.
_READ: Recent[tuple[str, str], _Read] = Recent(8)


def read_tasks(path: Path, kinds: Kinds = BUILTIN) -> tuple[Task, ...]:
    """Every task of a file, in file order; at least one. Checks that stand in `waypost.checks.toml` are in them.

    Args:
        kinds: the kinds of check that it may name.

    Raises:
        TaskFileError: the file cannot be read, or does not say a task completely.
    """
    file = read_source(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise file.error(
            None,
            f'has the unknown suffix "{path.suffix}"' if path.suffix else "has no suffix",
            known=", ".join(_READERS),
            next_step="rename the file after its format",
        )
    key = (file.path, file.sha256)
    known = _READ.get(key)
    if known is None or known.kinds is not kinds:
        raws = reader(file)
        known = _Read(kinds, raws, make_tasks(file, raws, kinds))
        _READ.keep(key, known)
    return amended(file, path, known.raws, known.written, kinds)


def read_task_file(path: Path, task_id: str | None = None, kinds: Kinds = BUILTIN) -> Task:
    """The one task of a file, or the one that `task_id` names.

    Raises:
        TaskFileError: as `read_tasks`, or there are several tasks and none was named, or no task has that id.
    """
    tasks = read_tasks(path, kinds)
    if task_id is None and len(tasks) == 1:
        return tasks[0]
    for task in tasks:
        if task.id == task_id:
            return task
    what = f"holds {len(tasks)} tasks" if task_id is None else f"holds no task {task_id!r}"
    raise TaskFileError(
        tasks[0].source.path,
        None,
        what,
        facts={"tasks": ", ".join(task.id for task in tasks)},
        next_step="choose one with --task",
    )
