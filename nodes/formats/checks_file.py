"""`waypost.checks.toml`: checks that people add to a task file without changing it, by task and criterion."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..checks.kinds import BUILTIN, Kinds
from .checks import Check, checked
from .raw import RawCommand, Words
from .source import CARD_LIMITS, SourceFile, read_source

CHECKS_FILE = "waypost.checks.toml"
_KEYS = ("run", "equivalents", "timeout_s", "skip", "checks", "replace")
_EXAMPLE = '[task."T001"."done"] and run = "make test" below it'
_Table = dict[str, Any]
Proposed = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class AddedCheck:
    """What the sidecar says about one criterion.

    Attributes:
        run: commands that prove it, all of them.
        equivalents: what runs instead where the one command of `run` does not exist.
        skip: proposed commands that are not to run.
        checks: checks of other kinds, or commands of which more is asked than that they succeed.
        replace: what the task file names itself does not count.
    """

    run: tuple[str, ...]
    equivalents: tuple[str, ...]
    timeout_s: float | None
    skip: frozenset[str]
    line: int
    checks: tuple[Check, ...] = ()
    replace: bool = False

    @property
    def proves(self) -> bool:
        """True where it says anything that can prove the criterion."""
        return bool(self.run or self.checks)

    def raw_commands(self, line: int, criterion: Words) -> list[RawCommand]:
        """What it says, as commands of a contract that prove one criterion of it; `line` is where that stands."""
        equivalents = tuple(Words(text, line) for text in self.equivalents)
        plain = [RawCommand(Words(run, line), None, equivalents, (criterion,), self.timeout_s) for run in self.run]
        return plain + [_raw(check, line, criterion, self.timeout_s) for check in self.checks]


@dataclass(frozen=True)
class ChecksFile:
    """The sidecar of a task file."""

    file: SourceFile
    checks: Mapping[tuple[str, str], AddedCheck]

    def of(self, task: str, criterion: str) -> AddedCheck | None:
        """What it says about one criterion; None where it says nothing."""
        return self.checks.get((task, criterion))


def checks_beside(path: Path) -> Path:
    """Where the sidecar of a task file or folder stands."""
    return (path if path.is_dir() else path.parent) / CHECKS_FILE


def read_checks(
    path: Path, tasks: Mapping[str, Proposed], elsewhere: frozenset[str], kinds: Kinds = BUILTIN
) -> ChecksFile | None:
    """The sidecar; None where there is none.

    Args:
        tasks: the tasks it may speak of: their criteria, with the commands that are proposed for each.
        elsewhere: ids, in lower case, of tasks in other files that it may speak of as well.

    Raises:
        TaskFileError: it is no TOML, has an unknown key or a wrong value, or speaks of a task, a criterion or a command
            that the task file does not have any more.
    """
    if not path.exists() and not path.is_symlink():
        return None
    file = read_source(path, CARD_LIMITS, follow_links=False)
    found: dict[tuple[str, str], AddedCheck] = {}
    for id, criteria in _tables(file).items():
        lines = _Lines(file, id)
        known = tasks.get(id)
        if known is None:
            if id.casefold() not in elsewhere:
                raise file.error(lines.of(), f'there is no task "{id[:60]}"', **_close(id, tasks))
            continue
        if not isinstance(criteria, dict):
            raise file.error(lines.of(), f'task "{id[:60]}" has to be a table', expected=_EXAMPLE)
        for key, value in cast(_Table, criteria).items():
            if key not in known:
                raise file.error(lines.of(key), f'task "{id}" has no criterion "{key[:60]}"', known=", ".join(known))
            found[id, key] = _check(file, lines.of(key), value, key, known[key], kinds)
    return ChecksFile(file, found)


def _tables(file: SourceFile) -> _Table:
    try:
        top = tomllib.loads(file.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise file.error(_error_line(file, str(error)), f"this is no TOML: {str(error) or 'nested too deep'}") from None
    for name in top:
        if name != "task":
            raise file.error(_Lines(file, name, top=True).of(), f'unknown table "{name[:60]}"', expected=_EXAMPLE)
    tasks = top.get("task", {})
    if not isinstance(tasks, dict):
        raise file.error(1, '"task" has to be a table', expected=_EXAMPLE)
    return cast(_Table, tasks)


def _check(file: SourceFile, line: int, value: object, key: str, proposed: tuple[str, ...], kinds: Kinds) -> AddedCheck:
    if not isinstance(value, dict):
        raise file.error(line, f'criterion "{key[:60]}" has to be a table', expected=_EXAMPLE)
    table = cast(_Table, value)
    for name in table:
        if name not in _KEYS:
            raise file.error(line, f'unknown key "{name[:60]}"', known=", ".join(_KEYS))
    run, equivalents = _texts(file, line, table, "run"), _texts(file, line, table, "equivalents")
    skip = _texts(file, line, table, "skip")
    if equivalents and len(run) != 1:
        raise file.error(line, '"equivalents" needs exactly one command in "run"')
    for text in skip:
        if text not in proposed:
            raise file.error(line, f'"skip" names a command that is not proposed: {text}', proposed="; ".join(proposed))
    timeout_s = table.get("timeout_s")
    if timeout_s is not None and (
        isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not 0 < timeout_s < math.inf
    ):
        raise file.error(line, '"timeout_s" has to be a number of seconds above 0')
    checks = tuple(_other(file, line, item, kinds) for item in _list(file, line, table, "checks"))
    replace = table.get("replace", False)
    if not isinstance(replace, bool) or (replace and not (run or checks)):
        raise file.error(line, '"replace" has to be true or false, and needs "run" or "checks" beside it')
    return AddedCheck(tuple(run), tuple(equivalents), timeout_s, frozenset(skip), line, checks, replace)


def _other(file: SourceFile, line: int, item: object, kinds: Kinds) -> Check:
    """A check like `{file = "a.json", schema = "b.json"}`: the first key that names a kind holds its subject."""
    table = dict(cast(_Table, item)) if isinstance(item, dict) else {}
    if "run" in table and not any(key in kinds for key in table):
        table[Check.COMMAND] = table.pop("run")
    kind = next((key for key in table if key in kinds), None)
    if kind is None:
        found = ", ".join(table)[:60] or "nothing"
        raise file.error(line, f'"checks" has an entry of no known kind: {found}', known=", ".join(kinds))
    subject = [Words(text, line) for text in _texts(file, line, table, kind)]
    values = [(key, _value(file, line, key, value)) for key, value in table.items() if key != kind]
    return checked(file, kinds, Words(kind, line), subject, values)


def _value(file: SourceFile, line: int, key: str, value: object) -> Words:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise file.error(line, f'"{key[:60]}" of a check has to be text or a number')
    return Words(str(value), line)


def _list(file: SourceFile, line: int, table: _Table, name: str) -> list[object]:
    value = table.get(name, [])
    if not isinstance(value, list):
        raise file.error(line, f'"{name}" has to be a list of tables', expected='checks = [{file = "a.md"}]')
    return cast("list[object]", value)


def _raw(check: Check, line: int, criterion: Words, timeout_s: float | None) -> RawCommand:
    first, *more = (Words(text, line) for text in check.subject or ("",))
    args = tuple((name, Words(value, line)) for name, value in check.args)
    return RawCommand(first, None, (), (criterion,), timeout_s, Words(check.kind, line), tuple(more), args)


def _texts(file: SourceFile, line: int, table: _Table, name: str) -> list[str]:
    value: object = table.get(name, [])
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    texts = [item.strip() for item in items if isinstance(item, str)]
    if len(texts) != len(items) or not all(texts) or any("\n" in text for text in texts):
        raise file.error(line, f'"{name}" has to be one command, or a list of them, each in one line')
    if len(set(texts)) != len(texts):
        raise file.error(line, f'"{name}" names a command twice')
    return texts


def _close(id: str, known: Mapping[str, object]) -> dict[str, str]:
    close = difflib.get_close_matches(id[:60], known, n=3)
    return {"close": ", ".join(close)} if close else {"known": ", ".join(list(known)[:20])}


def _error_line(file: SourceFile, message: str) -> int:
    words = message.replace(")", "").replace(",", "").split()
    number = words[words.index("line") + 1] if "line" in words[:-1] else ""
    return int(number) if number.isdigit() else max(1, len(file.lines) - 1)


class _Lines:
    """Finds the line that a table begins in: TOML's reader does not tell."""

    def __init__(self, file: SourceFile, name: str, *, top: bool = False) -> None:
        self._path = (name,) if top else ("task", name)
        self._file = file

    def of(self, key: str | None = None) -> int:
        """The line of the table, or of a part of it; that of the first table where it is written in another way."""
        wanted = (*self._path, key) if key is not None else self._path
        for number, line in enumerate(self._file.lines, start=1):
            if line.lstrip().startswith("[") and _header(line)[: len(wanted)] == wanted:
                return number
        return next((n for n, line in enumerate(self._file.lines, start=1) if wanted[-1] in line), 1)


def _header(line: str) -> tuple[str, ...]:
    try:
        value: Any = tomllib.loads(line)
    except (tomllib.TOMLDecodeError, RecursionError):
        return ()
    path: list[str] = []
    while isinstance(value, dict) and value:
        name, value = next(iter(cast(_Table, value).items()))
        path.append(name)
    return tuple(path)
