"""A task file as bytes from a stranger: what is read at all, and how a complaint about it is written."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...state.errors import TaskFileError

_MESSAGE_MAX = 500

_EXPECTED = "a UTF-8 text file with task cards (.md, .yaml or .json)"
_ALLOWED_CONTROLS = frozenset("\n\t")
_CONTROLS = frozenset(
    [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in _ALLOWED_CONTROLS]
    # Separators shift line numbers, and direction marks show a reader another command than the one that runs.
    + [chr(code) for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
    + [chr(code) for code in range(0xD800, 0xE000)]
)
_CONTROL = re.compile("[" + re.escape("".join(sorted(_CONTROLS))) + "]")


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be."""

    bytes: int
    lines: int


CARD_LIMITS = Limits(bytes=2_000_000, lines=10_000)
"""Far above any card written by people; keeps the time for a hostile file to a few seconds."""


@dataclass(frozen=True)
class SourceFile:
    """A task file that was read whole.

    Attributes:
        path: the user's file, as given.
        text: its content, lines ended by a newline only, without a byte order mark.
        sha256: hash of the bytes as they were on disk.
    """

    path: str
    text: str
    sha256: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text; line numbers of complaints are their positions + 1."""
        return self.text.split("\n")

    def error(self, line: int | None, what: str, *, next_step: str = "", **facts: object) -> TaskFileError:
        """A complaint about this file; the keywords become its facts, underscores as spaces."""
        rows = {label.replace("_", " "): _clip(str(value)) for label, value in facts.items()}
        return TaskFileError(self.path, line, _clip(what), facts=rows, next_step=_clip(next_step))


def read_source(path: Path, limits: Limits = CARD_LIMITS, *, follow_links: bool = True) -> SourceFile:
    """Read a task file.

    Args:
        follow_links: False refuses a symbolic link in the last part of the path.

    Raises:
        TaskFileError: it is no readable regular file of UTF-8 text of sensible size.
    """
    shown = str(path).encode("utf-8", "backslashreplace").decode()
    data = _read_bytes(path, shown, limits, 0 if follow_links else os.O_NOFOLLOW)
    text = _decode(data, shown).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    source = SourceFile(shown, text, hashlib.sha256(data).hexdigest())
    _check_text(source, limits)
    return source


def _clip(text: str) -> str:
    """A complaint quotes the file, and a line of the file may have a million characters."""
    return text if len(text) <= _MESSAGE_MAX else text[:_MESSAGE_MAX] + "..."


def forbidden_character(text: str) -> str | None:
    """The first character that a task file may not hold, as `U+001B`; None where there is none."""
    found = _CONTROL.search(text)
    return f"U+{ord(found[0]):04X}" if found is not None else None


def visible_controls(text: str) -> str:
    """`text` with every character that a task file may not hold written as its escape."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _read_bytes(path: Path, shown: str, limits: Limits, flags: int) -> bytes:
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes to must not wait for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    except FileNotFoundError:
        raise TaskFileError(shown, None, "no such file", facts={"expected": _EXPECTED}) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise TaskFileError(shown, None, f"cannot be read: {reason}", facts={"expected": _EXPECTED}) from None
    try:
        _check_kind(os.fstat(handle), shown, limits)
        return _read_limited(handle, shown, limits)
    except OSError as error:
        raise TaskFileError(shown, None, f"cannot be read: {error.strerror}", facts={"expected": _EXPECTED}) from None
    finally:
        os.close(handle)


def _check_kind(status: os.stat_result, shown: str, limits: Limits) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise TaskFileError(
            shown, None, "is a directory", facts={"expected": _EXPECTED}, next_step="name one file in it"
        )
    if not stat.S_ISREG(status.st_mode):
        raise TaskFileError(shown, None, "is not a regular file", facts={"expected": _EXPECTED})
    if status.st_size > limits.bytes:
        raise _too_large(shown, f"{status.st_size} bytes", limits)


def _read_limited(handle: int, shown: str, limits: Limits) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := os.read(handle, 1 << 16):
        chunks.append(chunk)
        size += len(chunk)
        if size > limits.bytes:
            raise _too_large(shown, "growing", limits)
    return b"".join(chunks)


def _too_large(shown: str, found: str, limits: Limits) -> TaskFileError:
    return TaskFileError(
        shown,
        None,
        f"is too large for a task file: {found}",
        facts={"expected": f"at most {limits.bytes} bytes and {limits.lines} lines"},
        next_step="give the file with the task cards, or split it",
    )


def _decode(data: bytes, shown: str) -> str:
    nul = data.find(b"\0")
    if nul >= 0:
        line = data.count(b"\n", 0, nul) + 1
        raise TaskFileError(shown, line, "is a binary file (a NUL byte)", facts={"expected": _EXPECTED})
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"is not UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}"
        raise TaskFileError(
            shown, line, what, facts={"expected": _EXPECTED}, next_step="save the file as UTF-8"
        ) from None


def _check_text(source: SourceFile, limits: Limits) -> None:
    if not source.text.strip():
        raise source.error(1, "the file is empty", expected=_EXPECTED)
    if len(source.lines) > limits.lines:
        raise _too_large(source.path, f"{len(source.lines)} lines", limits)
    found = _CONTROL.search(source.text)
    if found:
        raise source.error(
            source.text.count("\n", 0, found.start()) + 1,
            f"this line holds the control character {forbidden_character(found[0])}",
            expected="text without control characters",
            next_step="delete the character",
        )
