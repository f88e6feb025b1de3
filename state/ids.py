"""Ids are distinct types, and every id that becomes a file name is checked where it enters."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, NewType
from uuid import UUID, uuid5

from pydantic import AfterValidator

from .errors import InvalidId

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)

TASK_ID_MAX = 64
RUN_ID_MAX = 120
_SERVER_THREADS = UUID("0c0ff6a7-6a2e-5c0c-9a53-6f1de1cf7b0e")
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
ServerThread = NewType("ServerThread", str)
"""The id under which a LangGraph server knows a run: always a UUID."""
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


def server_thread(run: str) -> ServerThread:
    """The thread id of a run on a LangGraph server, which takes UUIDs only: the run's own id where that is one."""
    return ServerThread(run if is_server_thread(run) else str(uuid5(_SERVER_THREADS, run)))


def is_server_thread(text: str) -> bool:
    """Whether this is a UUID as a LangGraph server writes it."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
