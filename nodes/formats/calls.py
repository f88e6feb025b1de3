"""What stands behind "Verified by": ids, commands, and checks of a kind with what they take.

V1, `make test`, test `tests/test_a.py::test_b`, file `a.json` schema `a.schema.json`, manual

`greet ''` with exit code `2` output `no name`
"""

from __future__ import annotations

from collections.abc import Iterator

from .inline import Scanner, fold
from .raw import MAX_ENTRIES, Proof, Words
from .source import SourceFile

_FILLER = frozenset({"with", "a", "an", "the"})


def calls(file: SourceFile, words: Words) -> list[Proof]:
    """The checks of a list with commas.

    Raises:
        TaskFileError: something else stands in the list.
    """
    scanner = Scanner(fold(words.text))
    found: list[Proof] = []
    while not scanner.at_end:
        found.append(_Call(file, words.line, scanner).read())
        if len(found) > MAX_ENTRIES:
            raise file.error(words.line, f"this list has more than {MAX_ENTRIES} entries")
    return found


class _Call:
    """One check of the list, and the separator behind it."""

    def __init__(self, file: SourceFile, line: int, scanner: Scanner) -> None:
        self._file, self._line, self._scanner = file, line, scanner

    def read(self) -> Proof:
        scanner = self._scanner
        first = scanner.code()
        if first is not None:
            if not first:
                raise self._file.error(self._line, f'expected an entry, found "{scanner.shown()}"')
            args = tuple(self._arguments())
            return Proof(first, self._line, is_command=True, args=args)
        shown = scanner.shown()
        word = scanner.word()
        if word is None:
            raise self._file.error(self._line, f'expected an entry, found "{shown}"')
        subject = tuple(self._codes())
        if subject:
            args = tuple(self._arguments())
            kind = word.rstrip(":").casefold()
            return Proof(subject[0], self._line, is_command=False, kind=kind, more=subject[1:], args=args)
        self._end_of_call()
        return Proof(word, self._line, is_command=False)

    def _codes(self) -> Iterator[str]:
        while (text := self._scanner.code()) is not None:
            yield text

    def _arguments(self) -> Iterator[tuple[str, str]]:
        """`name `value`` again and again, a name of one or more words, up to the next separator."""
        while not self._scanner.at_end and not self._scanner.separator():
            shown = self._scanner.shown()
            words: list[str] = []
            while (word := self._scanner.word()) is not None:
                words.append(word.rstrip(":=").casefold())
            name = "_".join(word for word in words if word not in _FILLER)
            value = self._scanner.code()
            if not name or value is None:
                raise self._file.error(
                    self._line,
                    f'expected a comma, found "{shown}"',
                    next_step="separate the entries with commas, and put each one in back-ticks if it has spaces; "
                    "what a check takes is a name and a value in back-ticks",
                )
            yield name, value

    def _end_of_call(self) -> None:
        if not self._scanner.at_end and not self._scanner.separator():
            raise self._file.error(
                self._line,
                f'expected a comma, found "{self._scanner.shown()}"',
                next_step="separate the entries with commas, and put each one in back-ticks if it has spaces",
            )
