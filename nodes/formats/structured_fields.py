"""The fields of one mapping of a YAML or JSON card, each with its line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from .raw import Words
from .source import SourceFile
from .tree import Mapping, Node, Scalar, Sequence, kind_of

_T = TypeVar("_T")
# Waypost writes these when it prints a task, and finds them out itself when it reads one.
_DERIVED = frozenset({"line", "source"})


def words_of(file: SourceFile, node: Node, what: str) -> Words:
    if not isinstance(node, Scalar) or node.kind != "text":
        hint = "put it in quotes" if isinstance(node, Scalar) and node.kind != "null" else ""
        raise file.error(node.line, f"{what} has to be text, found {kind_of(node)}", next_step=hint)
    return Words(node.text, node.line)


class Fields:
    """The fields of one mapping; refuses those that are not known."""

    def __init__(self, file: SourceFile, node: Node, known: tuple[str, ...], kind: str) -> None:
        if not isinstance(node, Mapping):
            raise file.error(node.line, f"a {kind} is expected, found {kind_of(node)}", known=", ".join(known))
        for name, line in node.lines.items():
            if name not in known and name not in _DERIVED:
                raise file.error(line, f'unknown field "{name[:60]}" of a {kind}', known=", ".join(known))
        self._file = file
        self._node = node
        self._kind = kind

    def line(self, name: str) -> int:
        return self._node.lines.get(name, self._node.line)

    def words(self, name: str) -> Words | None:
        node = self._node.entries.get(name)
        return words_of(self._file, node, f'field "{name}"') if node else None

    def required(self, name: str) -> Words:
        words = self.words(name)
        if words is None:
            raise self._file.error(self._node.line, f'this {self._kind} has no field "{name}"')
        if not words.text.strip():
            raise self._file.error(words.line, f'field "{name}" is empty')
        return words

    def each(self, name: str, read: Callable[[Node], _T], *, lone: bool = False) -> list[_T]:
        """The items of a list field, each read by `read`; `lone`: a single item may stand without a list."""
        node = self._node.entries.get(name)
        if node is None:
            return []
        if isinstance(node, Sequence):
            return [read(item) for item in node.items]
        if lone and not (isinstance(node, Scalar) and node.kind == "null"):
            return [read(node)]
        raise self._file.error(node.line, f'field "{name}" has to be a list, found {kind_of(node)}')

    def texts(self, name: str) -> tuple[Words, ...]:
        return tuple(self.each(name, lambda node: words_of(self._file, node, f'"{name}"'), lone=True))

    def record(self, name: str, read: Callable[[Node], _T]) -> _T | None:
        """A field that holds a mapping, read by `read`; None where it is left out or null."""
        node = self._present(name)
        return None if node is None else read(node)

    def seconds(self, name: str) -> float | None:
        return self.number(name, "seconds")

    def number(self, name: str, unit: str) -> float | None:
        """A number above 0 of that unit; None where it is left out or null."""
        node = self._present(name)
        if node is None:
            return None
        number = number_of(node)
        if not 0 < number < math.inf:
            raise self._file.error(
                node.line, f'field "{name}" has to be a number of {unit} above 0, found {kind_of(node)}'
            )
        return number

    def count(self, name: str) -> int | None:
        number = self.number(name, name)
        if number is not None and not number.is_integer():
            raise self._file.error(self.line(name), f'field "{name}" has to be a whole number, found {number:g}')
        return None if number is None else int(number)

    def _present(self, name: str) -> Node | None:
        node = self._node.entries.get(name)
        return None if isinstance(node, Scalar) and node.kind == "null" else node


def number_of(node: Node) -> float:
    """The number of a scalar; not a number where it is none."""
    try:
        return float(node.text) if isinstance(node, Scalar) and node.kind == "number" else math.nan
    except ValueError:
        return math.nan
