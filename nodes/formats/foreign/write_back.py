"""Setting tasks to done in the file they came from: exactly the bytes of their marks, or nothing at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ....state.errors import InputError, TaskFileError
from . import backlog, beads, github
from .document import FOREIGN_LIMITS, read_document
from .model import Edit, ForeignTask, Progress
from .opened import TaskSource

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Proved:
    """A task that is done, and where the evidence for that is."""

    task: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the file, the lines that changed, and the file's new SHA-256. No lines: it said so before."""

    path: Path
    lines: tuple[int, ...]
    sha256: str


def set_done(source: TaskSource, proved: Sequence[Proved], expected_sha256: str) -> Written:
    """Set tasks of one file to done.

    Line ends, comments, order and the file's mode stay as they are. The caller has made sure that the tasks are DONE
    with evidence.

    Args:
        source: the file, freshly read.
        proved: the tasks, all in the same file.
        expected_sha256: what the file's bytes were when the plan was accepted, or after the last write-back.

    Raises:
        TaskFileError: the file changed meanwhile, or the format has no place for a status.
        InputError: the file cannot be written.
    """
    tasks = [source.task(one.task) for one in proved]
    path = Path(tasks[0].file).resolve()
    if any(Path(task.file).resolve() != path for task in tasks):
        raise InputError("tasks of several files cannot be written at once")
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if all(task.progress is Progress.DONE for task in tasks):
        return Written(path, (), found)
    if found != expected_sha256:
        raise TaskFileError(
            str(path),
            None,
            "the file changed since its plan was accepted: nothing is written into it",
            facts={"accepted": expected_sha256[:16], "found": found[:16]},
            next_step="set the task to done yourself; the run and its evidence stand",
        )
    lines = _split(data)
    edits = [edit for task, one in zip(tasks, proved, strict=True) for edit in _edits(source, task, one, lines)]
    changed = _apply(str(path), lines, edits)
    if source.format == backlog.NAME and edits:
        changed = _with_evidence_line(path, changed, proved[0])
    new = b"".join(changed)
    if new != data:
        _replace(path, data, new)
    return Written(path, tuple(sorted({edit.line for edit in edits})), hashlib.sha256(new).hexdigest())


def _edits(source: TaskSource, task: ForeignTask, one: Proved, lines: list[bytes]) -> list[Edit]:
    if task.progress is Progress.DONE:
        return []
    if source.format == github.NAME:
        raise TaskFileError(
            task.file,
            task.line,
            "this file is a copy of what GitHub holds: nothing is written into it",
            next_step=f'gh issue close {task.id} --comment "{one.evidence}"',
        )
    if task.mark is None:
        raise TaskFileError(
            task.file, task.line, f'task "{task.id}" has no box and no status that could be set', next_step="add one"
        )
    if source.format == beads.NAME:
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        line = lines[task.line - 1].decode().removeprefix("\ufeff")
        body = line[: len(line) - len(_end_of(lines[task.line - 1]))]
        return beads.closing_edits(body, task.line, closed_at=now, reason=one.evidence)
    return [task.mark]


def _split(data: bytes) -> list[bytes]:
    """The lines with their ends, counted as the readers count them."""
    ends = [match.end() for match in _LINE_END.finditer(data)]
    starts = [0, *ends]
    return [data[start:end] for start, end in zip(starts, [*ends, len(data)], strict=True)]


def _end_of(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]


def _apply(path: str, lines: list[bytes], edits: Iterable[Edit]) -> list[bytes]:
    """The lines with the edits in them, those of a line from its end to its begin."""
    changed = list(lines)
    for edit in sorted(edits, key=lambda edit: (edit.line, edit.column), reverse=True):
        raw = changed[edit.line - 1]
        bom = _BOM if edit.line == 1 and raw.startswith(_BOM) else b""
        text = raw[len(bom) :].decode()
        end = edit.column + len(edit.old)
        if text[edit.column : end] != edit.old:
            raise TaskFileError(path, edit.line, f'"{edit.old}" is expected here, nothing is written')
        changed[edit.line - 1] = bom + (text[: edit.column] + edit.new + text[end:]).encode()
    return changed


def _with_evidence_line(path: Path, lines: list[bytes], one: Proved) -> list[bytes]:
    """A line about the evidence at the end of the notes of a Backlog.md task, where it has notes that are marked."""
    place = backlog.evidence_line(read_document(path), one.evidence)
    if place is None:
        return lines
    index, text = place
    return [*lines[:index], text.encode() + (_end_of(lines[index]) or b"\n"), *lines[index:]]


def _replace(path: Path, old: bytes, new: bytes) -> None:
    """Put `new` in the place of `old` in one step; the mode stays, and a file that changed at the last moment too."""
    if len(new) > FOREIGN_LIMITS.bytes:
        raise InputError(f"{path} would become too large to be read again")
    try:
        status = path.stat()
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with open(handle, "wb") as file:
                file.write(new)
                os.fchmod(file.fileno(), status.st_mode & 0o7777)
                if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                    with contextlib.suppress(OSError):
                        os.fchown(file.fileno(), status.st_uid, status.st_gid)
                file.flush()
                os.fsync(file.fileno())
            if path.read_bytes() != old:
                raise TaskFileError(str(path), None, "the file changed while it was written back: it is left as it is")
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}", next_step="set the task to done yourself"
        ) from None
