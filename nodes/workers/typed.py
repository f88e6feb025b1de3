"""The typed events of workers that are written in Python and run in a process of their own.

Such a worker prints one JSON object a line to its standard output, and as its last line a `result`. Nothing else gets
there: what libraries and agents print goes to standard error. A process that ended without a `result` has not
reported, whatever its exit code is.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, Literal, TextIO, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...state.records import Denial, Permissions, Usage
from .files import sha256_file
from .worker import Report

PERMISSIONS = "permissions.jsonl"

_TAIL_BYTES = 1 << 16
_TEXT_AT_MOST = 400
_PROGRESS_AT_MOST_BYTES = 16 << 20
_DENIALS_SHOWN = 20


class Result(BaseModel):
    """The last event: how the work ended, in the words of the process itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["result"] = "result"
    ok: bool = Field(strict=True)
    reason: str = ""
    session: str | None = None
    usage: Usage = Usage()


class EventWriter:
    """Prints events, one a line, from any thread. Progress is cut short, and left out once there is very much of it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._left = _PROGRESS_AT_MOST_BYTES
        self._lock = threading.Lock()

    def progress(self, kind: str, text: str) -> None:
        """Say what is going on, for people."""
        line = _line({"type": kind, "text": text if len(text) <= _TEXT_AT_MOST else f"{text[:_TEXT_AT_MOST]}..."})
        with self._lock:
            if self._left < 0:
                return
            self._left -= len(line)
            self._write(line if self._left >= 0 else _line({"type": "note", "text": "further progress is not kept"}))

    def result(self, result: Result) -> None:
        """Say how it ended. Nothing may follow."""
        with self._lock:
            self._write(_line(result.model_dump(mode="json")))

    def _write(self, line: str) -> None:
        self._stream.write(line)
        self._stream.flush()


def own_stdout() -> EventWriter:
    """Keep standard output for events; whatever else is printed in this process from now on goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    return EventWriter(os.fdopen(kept, "w", encoding="utf-8"))


def read_report(folder: Path) -> Report:
    """What the ended process left in the folder of its attempt. Never raises; memory does not grow with the files."""
    permissions = _permissions(folder / PERMISSIONS)
    try:
        result = Result.model_validate_json(_last_line(folder / "stdout.log"))
    except (OSError, ValidationError):
        return Report(missing="it ended without a typed result as its last line of output", permissions=permissions)
    failure = "" if result.ok else result.reason or "it reported a failure without a reason"
    return Report(failure=failure, session=result.session, usage=result.usage, permissions=permissions)


def progress_text(line: bytes) -> str | None:
    """What a person is shown of one event; None for what is no event, and for the result."""
    if len(line) > _TAIL_BYTES:
        return None
    event = _object(line)
    kind, text = event.get("type"), event.get("text")
    if not isinstance(kind, str) or not isinstance(text, str) or not text:
        return None
    return text if kind == "message" else f"{kind}: {text}"


def _last_line(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        data = file.read(_TAIL_BYTES)
    # Without its line end the last line may be half of one.
    return data[:-1].rpartition(b"\n")[2] if data.endswith(b"\n") else b""


def _permissions(path: Path) -> Permissions:
    asked = denied = 0
    denials: list[Denial] = []
    try:
        sha256 = sha256_file(path)
        with path.open("rb") as file:
            while line := file.readline(_TAIL_BYTES):
                row = _object(line)
                asked += 1
                if row.get("allowed") is not True:
                    denied += 1
                    if len(denials) < _DENIALS_SHOWN:
                        denials.append(
                            Denial(what=f"{row.get('action')} {row.get('subject')}", why=f"{row.get('reason')}")
                        )
    except OSError:
        return Permissions()
    return Permissions(asked=asked, denied=denied, denials=tuple(denials), sha256=sha256)


def _object(line: bytes) -> dict[str, Any]:
    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _line(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=True) + "\n"
