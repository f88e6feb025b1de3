"""Which of the changed files the task allowed."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pathspec import PathSpec

from ...state.pipeline import PipelineState
from .workspace import Change


def allowed_globs(state: PipelineState) -> tuple[str, ...]:
    """The globs of every step that was dispatched so far; empty means that nothing is limited."""
    if state.task is None:
        return ()
    dispatched = {attempt.step for attempt in state.attempts}
    scopes = [step.allowed_paths or state.task.allowed_paths for step in state.task.steps if step.id in dispatched]
    if not all(scopes):
        return ()
    return tuple(dict.fromkeys(glob for scope in scopes for glob in scope))


def judge_changes(changes: Iterable[Change], globs: tuple[str, ...]) -> list[tuple[Change, bool]]:
    """Each change with whether the globs allow it. A path beside the workspace is never allowed."""
    spec = PathSpec.from_lines("gitignore", globs) if globs else None
    return [
        (change, not change.path.startswith("../") and (spec is None or spec.match_file(change.path)))
        for change in changes
    ]


def scope_log(judged: Iterable[tuple[Change, bool]]) -> bytes:
    """The record of a scope check: one JSON line per changed path."""
    lines = (
        json.dumps({"change": change.kind, "path": change.path, "allowed": allowed}, ensure_ascii=True)
        for change, allowed in judged
    )
    return "".join(line + "\n" for line in lines).encode()
