"""Verification logs of the COMMAND ENTRY form, written by others: what each entry proves, and what it only says.

    === COMMAND ENTRY 1 START ===
    Command: make test
    ...output...
    Exit Code: 0
    === COMMAND ENTRY 1 END ===

Such a log has no sizes, so an output can imitate a frame. Where that could have happened, nothing is proved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from ...state.errors import EvidenceError, InputError
from ..evidence import read_verification_log
from ..evidence.log_format import TITLE
from .finding import Finding, ok, wrong

_LINE_MOST = 1 << 16
_START = re.compile(r"=== COMMAND ENTRY (\d{1,9}) START ===")
_END = re.compile(r"=== COMMAND ENTRY (\d{1,9}) END ===")
_EXIT = re.compile(r"Exit Code: ?(.{0,40})")
_COMMAND = re.compile(r"Command: ?(.*)")
_SAYS_FAILED = re.compile(
    r"\b(?!0 )\d+ (?:failed|failures?|errors?)\b|^(?:FAILED|FAIL)\b|\bNOT APPROVED\b", re.IGNORECASE
)
_SAYS_PASSED = re.compile(r"\ball (?:\d+ )?(?:tests|checks) pass(?:ed)?\b|^(?:PASSED|OK|SUCCESS)\b", re.IGNORECASE)


@dataclass
class _Entry:
    number: int
    line: int
    commands: list[str] = field(default_factory=list[str])
    exits: list[str] = field(default_factory=list[str])
    after_exit: int = 0
    says_failed: str = ""
    says_passed: str = ""
    ended: bool = False


def audit_log(path: Path) -> tuple[Finding, ...]:
    """One finding for each entry of a log, or one for the whole where it cannot be read as such.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            lines = _lines(stream)
            first = next(lines, "")
            if first == TITLE:
                return tuple(_own(path))
            return tuple(_findings(_entries(path, [first], lines)))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", next_step="give a verification log") from None


def _lines(stream: BinaryIO) -> Iterator[str]:
    while raw := stream.readline(_LINE_MOST):
        yield raw.decode("utf-8", "replace").rstrip("\r\n")


def _own(path: Path) -> Iterator[Finding]:
    try:
        log = read_verification_log(path)
    except EvidenceError as error:
        yield wrong("log", path.name, error.what)
        return
    for entry in log.entries:
        said = f"{entry.command}: {entry.outcome} ({entry.reason}), output as its frame says"
        yield (ok if entry.outcome == "PASSED" and entry.exit_code in (0, None) else wrong)(
            "log", f"entry {entry.number}", said
        )
    if not log.entries:
        yield wrong("log", path.name, "holds no entry: it proves nothing")


def _entries(path: Path, first: list[str], rest: Iterable[str]) -> list[_Entry | Finding]:
    found: list[_Entry | Finding] = []
    now: _Entry | None = None
    for number, line in enumerate(chain(first, rest), 1):
        if begin := _START.fullmatch(line):
            if now is not None:
                found.append(now)
            now = _Entry(int(begin.group(1)), number)
        elif end := _END.fullmatch(line):
            if now is None or now.number != int(end.group(1)):
                found.append(wrong("log", f"{path.name}:{number}", "an entry ends that did not begin"))
                continue
            now.ended = True
            found.append(now)
            now = None
        elif now is not None:
            _read(now, line)
    if now is not None:
        found.append(now)
    return found


def _read(entry: _Entry, line: str) -> None:
    if (command := _COMMAND.fullmatch(line)) and not entry.commands:
        entry.commands.append(command.group(1))
    elif code := _EXIT.fullmatch(line):
        entry.exits.append(code.group(1).strip())
        entry.after_exit = 0
    elif line.strip():
        entry.after_exit += bool(entry.exits)
        entry.says_failed = entry.says_failed or (line.strip()[:80] if _SAYS_FAILED.search(line) else "")
        entry.says_passed = entry.says_passed or (line.strip()[:80] if _SAYS_PASSED.search(line) else "")


def _findings(entries: Iterable[_Entry | Finding]) -> Iterator[Finding]:
    seen: set[int] = set()
    any_entry = False
    for entry in entries:
        if isinstance(entry, Finding):
            yield entry
            continue
        any_entry = True
        what = "its number stands twice" if entry.number in seen else _complaint(entry)
        seen.add(entry.number)
        name = f"entry {entry.number} (line {entry.line})"
        command = entry.commands[0] if entry.commands else "no command"
        yield wrong("log", name, f"{command}: {what}") if what else ok("log", name, f"{command}: exit code 0")
    if not any_entry:
        yield wrong("log", "entries", "the file holds no COMMAND ENTRY: it proves nothing")


def _complaint(entry: _Entry) -> str:
    """Why an entry does not prove that its command passed; empty if it says so without contradiction."""
    if not entry.ended:
        return "it has no end: the log was cut, or the command never ended"
    if not entry.commands or not entry.commands[0]:
        return "it names no command"
    if not entry.exits:
        return "it has no exit code: nothing is known"
    if len(entry.exits) > 1:
        codes = ", ".join(entry.exits)
        return f"it has {len(entry.exits)} exit codes ({codes}): one of them is output that imitates a frame"
    if entry.after_exit:
        return "output stands behind its exit code, which may be part of the output"
    if entry.exits[0] != "0":
        claim = f', though it says "{entry.says_passed}"' if entry.says_passed else ""
        return f"failed with exit code {entry.exits[0] or 'nothing'}{claim}"
    if entry.says_failed:
        return f'exit code 0, and its output says "{entry.says_failed}"'
    return ""
