"""The fields of a stranger's JSON or YAML mapping: wrong kinds are complaints, unknown fields are counted."""

from __future__ import annotations

from collections import Counter

from ..source import SourceFile
from ..tree import Mapping, Node, Scalar, Sequence, kind_of
from .model import Note


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set: for long lists of names in the sources."""
    return frozenset(text.split())


class Fields:
    """The fields of one mapping. Every method raises TaskFileError for a value of the wrong kind."""

    def __init__(self, file: SourceFile, node: Node, what: str) -> None:
        if not isinstance(node, Mapping):
            raise file.error(node.line, f"{what} is expected, found {kind_of(node)}")
        self._file = file
        self._what = what
        self.node = node

    def line(self, name: str) -> int:
        """Where a field stands; the whole, where it is missing."""
        return self.node.lines.get(name, self.node.line)

    def scalar(self, name: str) -> Scalar | None:
        """A single value; None where it is missing or null."""
        node = self.node.entries.get(name)
        if node is None or (isinstance(node, Scalar) and node.kind == "null"):
            return None
        if not isinstance(node, Scalar):
            raise self._file.error(node.line, f'field "{name}" has to be one value, found {kind_of(node)}')
        return node

    def text(self, name: str) -> str:
        """A value as text; empty where it is missing."""
        node = self.scalar(name)
        return node.text if node is not None else ""

    def name(self, name: str) -> str:
        """A value that has to be there, in one line, and not be empty: an id or a title."""
        node = self.scalar(name)
        value = " ".join(node.text.split()) if node is not None else ""
        if not value:
            raise self._file.error(self.line(name), f'{self._what} has no field "{name}"')
        return value

    def items(self, name: str) -> list[Node]:
        """The items of a list; none where it is missing or null; a single text counts as a list of one."""
        node = self.node.entries.get(name)
        if node is None or (isinstance(node, Scalar) and (node.kind == "null" or not node.text)):
            return []
        if isinstance(node, Sequence):
            return node.items
        if isinstance(node, Scalar) and node.kind == "text":
            return [node]
        raise self._file.error(node.line, f'field "{name}" has to be a list, found {kind_of(node)}')

    def names(self, name: str) -> list[str]:
        """The items of a list of single values, as text."""
        found: list[str] = []
        for node in self.items(name):
            if not isinstance(node, Scalar):
                raise self._file.error(node.line, f'"{name}" holds {kind_of(node)}, single values are expected')
            if node.kind != "null" and node.text.strip():
                found.append(node.text.strip())
        return found


class Unread:
    """Counts fields that no reader looks at, and tells of each kind of them once."""

    def __init__(self, known: frozenset[str]) -> None:
        self._known = known
        self._counts: Counter[str] = Counter()
        self._first: dict[str, int] = {}

    def look(self, names: dict[str, int]) -> None:
        """Take the fields of one mapping, with their lines."""
        for name, line in names.items():
            if name not in self._known:
                self._counts[name] += 1
                self._first.setdefault(name, line)

    def notes(self, path: str, limit: int = 20) -> list[Note]:
        """One note per field."""
        found = [
            Note(path, self._first[name], f'field "{name[:40]}" is not read ({count} times)')
            for name, count in self._counts.most_common(limit)
        ]
        if len(self._counts) > limit:
            found.append(Note(path, 1, f"{len(self._counts) - limit} more fields are not read"))
        return found
