"""Ids are distinct types, and every id that becomes a file name is checked where it enters."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, NewType

from pydantic import AfterValidator

from .errors import InvalidId

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)

TASK_ID_MAX = 64
RUN_ID_MAX = 120
STEP_ID_MAX = 32


# A state is validated as a whole many times, and has few names.
@lru_cache(maxsize=4096)
def _safe_name(kind: str, value: str, limit: int) -> str:
    shown = value if len(value) <= 60 else value[:57] + "..."
    if not value:
        raise InvalidId(f"{kind} is empty", next_step="use letters, digits, '.', '_' and '-'")
    if len(value) > limit:
        raise InvalidId(f"{kind} {shown!r} has {len(value)} characters, at most {limit} are allowed")
    if not _SAFE_NAME.fullmatch(value) or value.endswith(".") or _RESERVED.fullmatch(value):
        raise InvalidId(
            f"{kind} {shown!r} is no safe name",
            facts={"allowed": "letters, digits, '.', '_' and '-', first a letter or digit, no '.' at the end"},
        )
    return value


def _task_id(value: str) -> str:
    return _safe_name("task id", value, TASK_ID_MAX)


def _step_id(value: str) -> str:
    return _safe_name("step id", value, STEP_ID_MAX)


def _run_id(value: str) -> str:
    return _safe_name("run id", value, RUN_ID_MAX)


def _criterion_id(value: str) -> str:
    return _safe_name("criterion id", value, STEP_ID_MAX)


def _check_ref(value: str) -> str:
    return _safe_name("check id", value, STEP_ID_MAX)


TaskId = NewType("TaskId", str)
StepId = NewType("StepId", str)
RunId = NewType("RunId", str)
CriterionId = NewType("CriterionId", str)
CheckRef = NewType("CheckRef", str)
"""What a card calls a check: V1 (a verification command), O1 (an expected output)."""

TaskIdField = Annotated[TaskId, AfterValidator(_task_id)]
StepIdField = Annotated[StepId, AfterValidator(_step_id)]
RunIdField = Annotated[RunId, AfterValidator(_run_id)]
CriterionIdField = Annotated[CriterionId, AfterValidator(_criterion_id)]
CheckRefField = Annotated[CheckRef, AfterValidator(_check_ref)]


def task_id(value: str) -> TaskId:
    """Check a task id. Raises InvalidId."""
    return TaskId(_task_id(value))


def run_id(value: str) -> RunId:
    """Check a run id. Raises InvalidId."""
    return RunId(_run_id(value))


def step_id(value: str) -> StepId:
    """Check a step id. Raises InvalidId."""
    return StepId(_step_id(value))


def compose_run_id(task: TaskId, started: datetime, commit: str) -> RunId:
    """`<TASK>_<YYYYMMDDTHHMMSSZ>_<short git sha>`: the id of a run and its LangGraph thread id."""
    return run_id(f"{task}_{started.astimezone(UTC):%Y%m%dT%H%M%SZ}_{commit[:7]}")
