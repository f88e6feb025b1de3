"""Building one record of the model: whatever the model refuses becomes a complaint with a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import ValidationError

from ...state.errors import InvalidId, TaskFileError
from ...state.model import Record
from .raw import Words
from .source import SourceFile

_Record = TypeVar("_Record", bound=Record)


def build(file: SourceFile, line: int, kind: type[_Record], /, **values: Any) -> _Record:
    """One record of `kind`.

    Raises:
        TaskFileError: the model refuses a value; `line` is where the record stands.
    """
    try:
        return kind(**values)
    except InvalidId as error:
        raise _invalid_id(file, line, error) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise file.error(line, f"{where}: {message}" if where else message) from None


def check_id(file: SourceFile, words: Words, check: Callable[[str], object]) -> None:
    """Let `check` refuse an id.

    Raises:
        TaskFileError: it raised InvalidId.
    """
    try:
        check(words.text)
    except InvalidId as error:
        raise _invalid_id(file, words.line, error) from None


def one_line(file: SourceFile, words: Words, what: str) -> str:
    """The text of `words`, which has to be one line that is not blank.

    Raises:
        TaskFileError: it is blank, or has several lines.
    """
    text = words.text.strip()
    if not text:
        raise file.error(words.line, f"{what} is empty")
    if "\n" in text:
        raise file.error(words.line, f"{what} has several lines, one is expected")
    return text


def _invalid_id(file: SourceFile, line: int, error: InvalidId) -> TaskFileError:
    return TaskFileError(file.path, line, error.what, facts=error.facts, next_step=error.next_step)
