"""Which of the changed files the task allowed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pathspec import PathSpec

from ...state.pipeline import PipelineState
from ...state.records import Check, CheckKind
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


def changed_paths(checks: Iterable[Check], run_dir: Path) -> list[str] | None:
    """The paths of the newest scope check with what happened to each, from its log; None where that is not readable."""
    newest = next((check for check in reversed(tuple(checks)) if check.kind is CheckKind.SCOPE), None)
    try:
        lines = (run_dir / newest.log).read_text(encoding="utf-8").splitlines() if newest and newest.log else None
        rows = None if lines is None else [json.loads(line) for line in lines]
        return None if rows is None else [f"{row['path']} ({row['change']})" for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        return None
