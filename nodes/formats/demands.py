"""The fields Red Before, Protected Paths and Changed Tests: what the checks of a card are held against."""

from __future__ import annotations

from collections.abc import Iterable

from ...state.ids import CriterionId
from ...state.task import Criterion, TestsMay
from .inline import shorten
from .paths import glob_complaint
from .raw import RawContract, Words
from .source import SourceFile

_ALL = "all"
_MAY = {"originals may fail": TestsMay.ORIGINALS_FAIL, "tests may go": TestsMay.TESTS_GO}


def read_demands(file: SourceFile, raw: RawContract, criteria: tuple[Criterion, ...]) -> dict[str, object]:
    """The fields of the model that these three become.

    Raises:
        TaskFileError: a criterion is unknown, a glob leads out of the workspace, or an entry stands twice.
    """
    return {
        "red_before": _red_before(file, raw, criteria),
        "protected_paths": _globs(file, raw.protected_paths),
        "changed_tests": _changed_tests(file, raw.changed_tests),
    }


def _red_before(file: SourceFile, raw: RawContract, criteria: tuple[Criterion, ...]) -> tuple[CriterionId, ...]:
    known = {str(criterion.id): criterion.id for criterion in criteria}
    if [words.text.casefold() for words in raw.red_before] == [_ALL]:
        return tuple(known.values())
    for words in raw.red_before:
        if words.text not in known:
            names = ", ".join(known) or "no criteria"
            raise file.error(
                words.line, f'Red Before names "{shorten(words.text)}", which is no criterion', known=names
            )
    return tuple(known[text] for text in _once(file, raw.red_before, "criterion"))


def _globs(file: SourceFile, globs: tuple[Words, ...]) -> tuple[str, ...]:
    for words in globs:
        if complaint := glob_complaint(words.text.removeprefix("!")):
            raise file.error(words.line, f'protected path "{shorten(words.text)}" {complaint}')
    return _once(file, globs, "protected path")


def _changed_tests(file: SourceFile, items: tuple[Words, ...]) -> tuple[TestsMay, ...]:
    found: list[Words] = []
    for words in items:
        name = " ".join(words.text.casefold().replace("_", " ").split())
        name = name if " may " in name else " may ".join(name.rsplit(" ", 1))
        if name not in _MAY:
            known = ", ".join(_MAY)
            raise file.error(words.line, f'"{shorten(words.text)}" is nothing that tests may do', known=known)
        found.append(Words(name, words.line))
    return tuple(_MAY[name] for name in _once(file, found, "entry"))


def _once(file: SourceFile, items: Iterable[Words], kind: str) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    for words in items:
        if words.text in seen:
            raise file.error(words.line, f'{kind} "{shorten(words.text)}" stands twice')
        seen[words.text] = words.line
    return tuple(seen)
