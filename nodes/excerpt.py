"""The part of a log that shows why something failed: around the first failure, with its beginning and its end."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

LIMIT = 6000
"""Bytes of a log that a prompt gets."""
_SEARCHED = 64 << 20
_BLOCK = 1 << 20
_OVERLAP = 4096
_BEFORE = 600

# What tools print where something failed; the second pattern is asked only where the first finds nothing.
_STRONG = re.compile(
    rb"^(?:E  |FAIL\b|FAILED\b|ERROR\b|not ok\b|--- FAIL|Traceback \(|panic: |fatal: |\*\*\* \[)"
    rb"|\b(?:AssertionError|panicked at|Segmentation fault|[A-Z]\w*(?:Error|Exception)\b: )"
    rb"|\berror(?:\[\w+\])?: |\xe2\x9c\x97|\xe2\x9c\x95|\xe2\x9c\x98",
    re.MULTILINE,
)
_HEADINGS = re.compile(r"Traceback \(|(?:FAIL|ERROR): ")
_RAISED = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Timeout|Failure)\b")
_WEAK = re.compile(
    rb"(?<!no )(?<!0 )\b(?:fail(?:ed|ure|ures)?|errors?|exception|refused|denied|not found)\b", re.IGNORECASE
)


def excerpt(path: Path, limit: int = LIMIT) -> str:
    """At most about `limit` bytes of a log, with what was left out said in brackets; the whole log where it fits.

    A file that cannot be read is said, not hidden.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size <= limit:
                return _text(_read(file, 0, size)) or "(it printed nothing)"
            return _joined(file, size, _spans(size, _first_failure(file, size), limit), path.name)
    except OSError as error:
        return f"(log not readable: {error.strerror})"


def error_line(path: Path) -> str | None:
    """The one line of a log that says best why something failed, whole; None where there is none, or no log.

    Of a traceback that is its last line, and of a test that failed the test with the error in it. A log in which
    nothing looks like a failure ends with what is said.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            found = _first_failure(file, size)
            if found is None:
                return next(
                    (
                        line
                        for line in reversed(_text(_read(file, max(0, size - _OVERLAP), size)).split("\n"))
                        if line.strip()
                    ),
                    None,
                )
            return _best_line(_text(_read(file, found, found + 4 * _OVERLAP)).split("\n"))
    except OSError:
        return None


def _best_line(lines: list[str]) -> str:
    first = lines[0].strip()
    if not _HEADINGS.match(first):
        return first
    raised = next((line.strip() for line in lines[1:] if _RAISED.match(line)), None)
    if raised is None:
        return first
    return raised if first.startswith("Traceback") else f"{first}: {raised}"


def _spans(size: int, failure: int | None, limit: int) -> list[tuple[int, int]]:
    head, tail = limit // 6, limit // 3
    if failure is None:
        return [(0, head * 2), (size - (limit - head * 2), size)]
    begin = max(0, failure - _BEFORE)
    spans = [(0, head), (begin, begin + limit - head - tail), (size - tail, size)]
    merged = [spans[0]]
    for start, end in sorted(spans[1:]):
        if start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return [(start, min(end, size)) for start, end in merged]


def _joined(file: BinaryIO, size: int, spans: Iterable[tuple[int, int]], name: str) -> str:
    parts: list[str] = []
    done = 0
    for start, end in spans:
        if start > done:
            parts.append(f"[... {start - done} bytes of {name} left out ...]")
        parts.append(_text(_read(file, start, end)))
        done = end
    if done < size:
        parts.append(f"[... {size - done} bytes of {name} left out ...]")
    return "\n".join(parts)


def _first_failure(file: BinaryIO, size: int) -> int | None:
    """Where the first line that shows a failure begins; of a huge log only the first part is searched."""
    weak: int | None = None
    for offset in range(0, min(size, _SEARCHED), _BLOCK):
        block = _read(file, offset, offset + _BLOCK + _OVERLAP)
        if (found := _STRONG.search(block)) is not None:
            return offset + block.rfind(b"\n", 0, found.start()) + 1
        if weak is None and (found := _WEAK.search(block)) is not None:
            weak = offset + block.rfind(b"\n", 0, found.start()) + 1
    return weak


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").strip("\n")
