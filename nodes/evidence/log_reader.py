"""Reading verification.log back: what is frame and what is output is never a guess."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from ...state.errors import EvidenceError
from . import log_format as form
from .files import CHUNK, pump

_LINE_AT_MOST = 1 << 26
_NUMBER = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True)
class LogHeader:
    """The first lines."""

    format: str
    run: str
    task: str
    entries: int


@dataclass(frozen=True)
class LogEntry:
    """One frame. `offset` and `size` say where its output stands in the log; both are None where none is kept."""

    number: int
    command: str
    argv: tuple[str, ...]
    directory: str
    check: str
    stands_for: str | None
    started: str
    duration: str
    offset: int | None
    size: int | None
    sha256: str | None
    exit_code: int | None
    outcome: str
    reason: str


@dataclass(frozen=True)
class LogCriterion:
    """One criterion. `step` is None for the task itself, `round` where nothing saw it; `checks` are (outcome, id)."""

    id: str
    step: str | None
    text: str
    round: int | None
    checks: tuple[tuple[str, str], ...]
    outcome: str
    reason: str


@dataclass(frozen=True)
class LogBaseline:
    """A command that does not exist, why, and the (outcome, check id) of each equivalent."""

    command: str
    check: tuple[str, str]
    absent_because: str
    equivalents: tuple[tuple[str, str], ...]
    outcome: str


@dataclass(frozen=True)
class LogQuiet:
    """A check that started nothing and kept no output."""

    check: str
    looked_at: str
    outcome: str
    reason: str


@dataclass(frozen=True)
class LogCoverage:
    """The coverage mapping. `round` is None where nothing was checked."""

    round: int | None
    criteria: tuple[LogCriterion, ...]
    baselines: tuple[LogBaseline, ...]
    quiet: tuple[LogQuiet, ...]


@dataclass(frozen=True)
class VerificationLog:
    """A whole log without its outputs; `iter_output` reads those."""

    header: LogHeader
    entries: tuple[LogEntry, ...]
    coverage: LogCoverage


def read_verification_log(path: Path) -> VerificationLog:
    """Read a verification.log and check each output against its hash, without holding any output.

    Raises:
        EvidenceError: the file is missing, incomplete, of another format, or an output is not what its frame says.
    """
    return _read(path, _Lines)


def read_log_frames(path: Path) -> VerificationLog:
    """As `read_verification_log`, passing over the outputs: for a log whose bytes are known to be right.

    Raises:
        EvidenceError: as there, except for what is inside an output.
    """
    return _read(path, _Frames)


def _read(path: Path, kind: type[_Lines]) -> VerificationLog:
    try:
        with path.open("rb") as stream:
            lines = kind(stream, path)
            header = _header(lines)
            entries = tuple(_entry(lines, number) for number in range(1, header.entries + 1))
            coverage = _coverage(lines)
            lines.expect_end()
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {error.strerror}") from error
    return VerificationLog(header, entries, coverage)


def iter_output(path: Path, entry: LogEntry) -> Iterator[bytes]:
    """The output of one entry, in chunks. Raises EvidenceError where the log is shorter than the entry says."""
    left = entry.size or 0
    with path.open("rb") as stream:
        stream.seek(entry.offset or 0)
        while left:
            chunk = stream.read(min(left, CHUNK))
            if not chunk:
                raise EvidenceError(f"{path} ends inside the output of entry {entry.number}")
            left -= len(chunk)
            yield chunk


class _Lines:
    """Lines of a log, with the number of the one that was read last for complaints."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self.stream = stream
        self._path = path
        self._at = 0
        self._ahead: str | None = None

    def refuse(self, what: str) -> NoReturn:
        raise EvidenceError(f"{self._path}, byte {self._at}: {what}")

    def peek(self) -> str:
        if self._ahead is None:
            self._at = self.stream.tell()
            raw = self.stream.readline(_LINE_AT_MOST)
            if not raw.endswith(b"\n"):
                self.refuse("the log ends in the middle" if len(raw) < _LINE_AT_MOST else "a line is too long")
            try:
                self._ahead = raw[:-1].decode()
            except UnicodeDecodeError:
                self.refuse("a line outside the outputs is no UTF-8")
        return self._ahead

    def next(self) -> str:
        line, self._ahead = self.peek(), None
        return line

    def expect(self, wanted: str) -> None:
        found = self.next()
        if found != wanted:
            self.refuse(f"expected {wanted!r}, found {found[:80]!r}")

    def has(self, key: str) -> bool:
        return self.peek().startswith(f"{key}: ")

    def raw(self, key: str) -> str:
        if not self.has(key):
            self.refuse(f'expected "{key}: ", found {self.peek()[:80]!r}')
        return self.next()[len(key) + 2 :]

    def value(self, key: str) -> str:
        return form.decode(self.raw(key))

    def number(self, key: str) -> int:
        shown = self.raw(key)
        if not _NUMBER.fullmatch(shown):
            self.refuse(f"{key} is no number: {shown[:80]}")
        return int(shown)

    def number_or_none(self, key: str) -> int | None:
        if self.peek() == f"{key}: {form.NONE}":
            self.next()
            return None
        return self.number(key)

    def judged(self, key: str) -> tuple[str, str]:
        """`OUTCOME <id>` lines."""
        outcome, _, name = self.raw(key).partition(" ")
        return outcome, form.decode(name)

    def all_judged(self, key: str) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        while self.has(key):
            found.append(self.judged(key))
        return tuple(found)

    def output(self, size: int, sha256: str) -> bytes:
        """Pass over an output of that size and hash; its last byte."""
        copied = pump(self.stream, size, lambda _chunk: None)
        if (copied.size, copied.sha256) != (size, sha256):
            self.refuse(f"expected {size} bytes with sha256 {sha256}, found {copied.size} with {copied.sha256}")
        return copied.last

    def expect_end(self) -> None:
        if self._ahead is not None or self.stream.read(1):
            self.refuse("something stands after the end of the log")


class _Frames(_Lines):
    def output(self, size: int, sha256: str) -> bytes:
        if not size:
            return b""
        self.stream.seek(size - 1, os.SEEK_CUR)
        return self.stream.read(1)


def _header(lines: _Lines) -> LogHeader:
    lines.expect(form.TITLE)
    found = lines.value("Format")
    if found != form.FORMAT:
        lines.refuse(f"format {found!r} is not {form.FORMAT!r}")
    return LogHeader(found, lines.value("Run"), lines.value("Task"), lines.number("Entries"))


def _entry(lines: _Lines, number: int) -> LogEntry:
    lines.expect("")
    lines.expect(form.entry_start(number))
    command, argv = lines.value("Command"), form.decode_argv(lines.raw("Argv"))
    directory, check = lines.value("Directory"), lines.value("Check")
    stands_for = lines.value("Stands For") if lines.has("Stands For") else None
    started, duration = lines.value("Started"), lines.value("Duration")
    offset, size, sha256 = _output(lines)
    exit_code = _exit_code(lines)
    outcome, reason = form.decode_reasoned(lines.raw("Result"))
    lines.expect(form.entry_end(number))
    return LogEntry(
        number=number,
        command=command,
        argv=argv,
        directory=directory,
        check=check,
        stands_for=stands_for,
        started=started,
        duration=duration,
        offset=offset,
        size=size,
        sha256=sha256,
        exit_code=exit_code,
        outcome=outcome,
        reason=reason,
    )


def _output(lines: _Lines) -> tuple[int | None, int | None, str | None]:
    shown = lines.raw("Output")
    if shown == form.NOT_RECORDED:
        return None, None, None
    size, sha256 = form.decode_output(shown)
    lines.expect(form.OUTPUT_START)
    offset = lines.stream.tell()
    if lines.output(size, sha256) not in (b"", b"\n"):
        lines.expect("")
    lines.expect(form.OUTPUT_END)
    return offset, size, sha256


def _exit_code(lines: _Lines) -> int | None:
    if lines.has("Exit Code") and form.decode_reasoned(lines.peek().removeprefix("Exit Code: "))[0] == form.NONE:
        lines.next()
        return None
    return lines.number("Exit Code")


def _coverage(lines: _Lines) -> LogCoverage:
    lines.expect("")
    lines.expect(form.COVERAGE_START)
    number = lines.number_or_none("Round")
    criteria: list[LogCriterion] = []
    baselines: list[LogBaseline] = []
    quiet: list[LogQuiet] = []
    lines.expect("")
    while lines.peek() != form.COVERAGE_END:
        if lines.has("Criterion"):
            criteria.append(_criterion(lines))
        elif lines.has("Baseline"):
            baselines.append(_baseline(lines))
        else:
            quiet.append(_quiet(lines))
        lines.expect("")
    lines.next()
    return LogCoverage(number, tuple(criteria), tuple(baselines), tuple(quiet))


def _criterion(lines: _Lines) -> LogCriterion:
    name, step, text = lines.value("Criterion"), lines.value("Step"), lines.value("Text")
    number, checks = lines.number_or_none("Round"), lines.all_judged("Check")
    outcome, reason = form.decode_reasoned(lines.raw("Verdict"))
    return LogCriterion(name, None if step == form.TASK_ITSELF else step, text, number, checks, outcome, reason)


def _baseline(lines: _Lines) -> LogBaseline:
    command, check, why = lines.value("Baseline"), lines.judged("Check"), lines.value("Absent Because")
    return LogBaseline(command, check, why, lines.all_judged("Equivalent"), lines.raw("Verdict"))


def _quiet(lines: _Lines) -> LogQuiet:
    name, looked_at = lines.value("Check Without Output"), lines.value("Looked At")
    outcome, reason = form.decode_reasoned(lines.raw("Verdict"))
    return LogQuiet(name, looked_at, outcome, reason)
