"""From what a file said to the Task it means. The one place that knows what a card's parts add up to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ...state import ids
from ...state.task import Source, Step, Task
from ..checks.kinds import BUILTIN, Kinds
from .build import build, check_id, one_line
from .demands import read_demands
from .paths import glob_complaint
from .proof import prove
from .raw import MAX_ENTRIES, RawContract, Words
from .source import SourceFile
from .terms import approval_points, refuse_for_whole_task

LONE_STEP = "S1"


def make_tasks(file: SourceFile, raws: Sequence[RawContract], kinds: Kinds = BUILTIN) -> tuple[Task, ...]:
    """The tasks of a file, in file order.

    Args:
        kinds: the kinds of check that it may name.

    Raises:
        TaskFileError: a part is missing, empty, ambiguous or impossible, or an id stands twice.
    """
    tasks = tuple(_task(file, raw, kinds) for raw in raws)
    _refuse_twice(file, "task", raws)
    return tasks


def _task(file: SourceFile, raw: RawContract, kinds: Kinds) -> Task:
    check_id(file, raw.id, ids.task_id)
    title = one_line(file, raw.title, f'the title of task "{raw.id.text}"')
    _require_goal(file, raw)
    if raw.steps and raw.actions:
        raise file.error(
            raw.actions[0].line,
            f'task "{raw.id.text}" has steps and Concrete Actions of its own',
            next_step="move these actions into a step",
        )
    refuse_for_whole_task(file, raw)
    steps = raw.steps or (_lone_step(raw),)
    nothing = replace(raw, criteria=(), outputs=(), verification=(), allowed_paths=(), limits=None)
    nothing = replace(nothing, red_before=(), protected_paths=(), changed_tests=())
    own = raw if raw.steps else nothing
    _refuse_twice(file, "step", steps)
    return build(
        file,
        raw.line,
        Task,
        id=raw.id.text,
        title=title,
        steps=tuple(_step(file, step, raw.allowed_paths, kinds) for step in steps),
        depends_on=_dependencies(file, raw.depends_on, ids.task_id),
        source=Source(path=file.path, sha256=file.sha256, line=raw.line),
        **_contract(file, own, kinds),
    )


def _lone_step(raw: RawContract) -> RawContract:
    """A task without steps is one step that carries all it says; its dependencies are tasks and stay there."""
    return replace(raw, id=Words(LONE_STEP, raw.line), depends_on=())


def _step(file: SourceFile, raw: RawContract, default_scope: tuple[Words, ...], kinds: Kinds) -> Step:
    check_id(file, raw.id, ids.step_id)
    title = one_line(file, raw.title, f'the title of step "{raw.id.text}"')
    if not raw.actions:
        raise file.error(
            raw.line,
            f'step "{raw.id.text}" has no Concrete Actions',
            next_step="say what is to be done, as a list or a fenced bash block",
        )
    scoped = replace(raw, allowed_paths=raw.allowed_paths or default_scope)
    return build(
        file,
        raw.line,
        Step,
        id=raw.id.text,
        title=title,
        actions=raw.actions,
        depends_on=_dependencies(file, raw.depends_on, ids.step_id),
        approval=approval_points(file, raw),
        **_contract(file, scoped, kinds),
    )


def _contract(file: SourceFile, raw: RawContract, kinds: Kinds) -> dict[str, object]:
    entries = (raw.actions, raw.criteria, raw.outputs, raw.verification, raw.depends_on, raw.allowed_paths)
    entries = (*entries, raw.red_before, raw.protected_paths, raw.changed_tests)
    if max(len(field) for field in entries) > MAX_ENTRIES:
        raise file.error(raw.line, f'"{raw.id.text}" has a field with more than {MAX_ENTRIES} entries')
    proved = prove(file, raw, kinds)
    return {
        "goal": raw.goal.text.strip() if raw.goal else "",
        "criteria": proved.criteria,
        "outputs": proved.outputs,
        "verification": proved.verification,
        "probes": proved.probes,
        "allowed_paths": _scope(file, raw.allowed_paths),
        "limits": raw.limits,
        **read_demands(file, raw, proved.criteria),
        "line": raw.line,
    }


def _scope(file: SourceFile, globs: tuple[Words, ...]) -> tuple[str, ...]:
    found = _once(file, globs, "allowed scope")
    for words in globs:
        complaint = glob_complaint(words.text)
        if complaint:
            raise file.error(words.line, f'allowed scope "{words.text}" {complaint}')
    return found


def _dependencies(file: SourceFile, names: tuple[Words, ...], check: Callable[[str], object]) -> tuple[str, ...]:
    for words in names:
        check_id(file, words, check)
    return _once(file, names, "dependency")


def _once(file: SourceFile, items: tuple[Words, ...], kind: str) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    for words in items:
        if words.text in seen:
            raise file.error(words.line, f'{kind} "{words.text}" stands twice')
        seen[words.text] = words.line
    return tuple(seen)


def _require_goal(file: SourceFile, raw: RawContract) -> None:
    if raw.goal is None or not raw.goal.text.strip():
        raise file.error(
            raw.goal.line if raw.goal else raw.line,
            f'task "{raw.id.text}" has no Goal',
            next_step="say in one or two sentences what shall be true in the end",
        )


def _refuse_twice(file: SourceFile, kind: str, raws: Sequence[RawContract]) -> None:
    seen: dict[str, int] = {}
    for raw in raws:
        if raw.id.text in seen:
            raise file.error(raw.id.line, f'{kind} id "{raw.id.text}" stands twice', first=f"line {seen[raw.id.text]}")
        seen[raw.id.text] = raw.id.line
