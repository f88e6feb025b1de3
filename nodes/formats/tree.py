"""YAML and JSON as one tree of nodes that know their lines; built from flat events, so depth costs no stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from .inline import shorten
from .source import SourceFile, forbidden_character, visible_controls

_MAX_DEPTH = 20
MAX_NODES = 50_000


@dataclass(slots=True)
class Scalar:
    """A single value; `kind` is text, number, null, or what else it was taken for.

    Attributes:
        column, width: where it stands in its line, as written, quotes included; a width of 0 means not known.
    """

    line: int
    kind: str
    text: str
    column: int = 0
    width: int = 0


@dataclass(slots=True)
class Sequence:
    """A list."""

    line: int
    items: list[Node] = field(default_factory=list["Node"])


@dataclass(slots=True)
class Mapping:
    """A mapping; `lines` has the line of each key."""

    line: int
    entries: dict[str, Node] = field(default_factory=dict[str, "Node"])
    lines: dict[str, int] = field(default_factory=dict[str, int])
    key: str | None = None


Node: TypeAlias = Scalar | Sequence | Mapping


def kind_of(node: Node) -> str:
    """What a node is, for a message."""
    if isinstance(node, Scalar):
        return node.kind if node.kind == "null" else f'{node.kind} "{shorten(node.text)}"'
    return "a list" if isinstance(node, Sequence) else "a mapping"


class TreeBuilder:
    """Joins events to a tree.

    Every method raises TaskFileError: a key that stands twice or is no text, too deep, too many values.

    Args:
        max_nodes: how many values a file may hold.
        show_controls: a control character in a value is shown as its escape, instead of being refused.
    """

    def __init__(self, file: SourceFile, max_nodes: int = MAX_NODES, *, show_controls: bool = False) -> None:
        self._file = file
        self._max_nodes = max_nodes
        self._show_controls = show_controls
        self._top: Node | None = None
        self._open: list[Sequence | Mapping] = []
        self._count = 0

    def begin(self, node: Sequence | Mapping) -> None:
        """A list or mapping begins."""
        self._add(node)
        self._open.append(node)
        if len(self._open) > _MAX_DEPTH:
            raise self._file.error(node.line, f"lists and mappings are nested deeper than {_MAX_DEPTH} levels")

    def end(self) -> None:
        """The innermost list or mapping ends."""
        self._open.pop()

    def scalar(self, node: Scalar) -> None:
        """A key or a value."""
        forbidden = forbidden_character(node.text)
        if forbidden and not self._show_controls:
            raise self._file.error(node.line, f"this text holds the control character {forbidden}")
        if forbidden:
            node.text = visible_controls(node.text.replace("\r\n", "\n").replace("\r", "\n"))
        parent = self._open[-1] if self._open else None
        if isinstance(parent, Mapping) and parent.key is None:
            self._key(parent, node)
        else:
            self._add(node)

    def tree(self) -> Node | None:
        """The whole tree; None where there was no event."""
        return self._top

    def _key(self, parent: Mapping, node: Scalar) -> None:
        if node.kind != "text":
            raise self._file.error(node.line, f"a field name is expected, found {kind_of(node)}")
        if node.text in parent.lines:
            raise self._file.error(
                node.line, f'field "{shorten(node.text)}" stands twice', first=f"line {parent.lines[node.text]}"
            )
        parent.key = node.text
        parent.lines[node.text] = node.line

    def _add(self, node: Node) -> None:
        self._count += 1
        if self._count > self._max_nodes:
            raise self._file.error(node.line, f"this file holds more than {self._max_nodes} values")
        parent = self._open[-1] if self._open else None
        if parent is None:
            self._top = node
        elif isinstance(parent, Sequence):
            parent.items.append(node)
        elif parent.key is None:
            raise self._file.error(node.line, f"a field name is expected, found {kind_of(node)}")
        else:
            parent.entries[parent.key] = node
            parent.key = None
