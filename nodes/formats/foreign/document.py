"""One foreign file, seen as Markdown, front matter or JSON; each view is made once, when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from ....state.errors import TaskFileError
from ..blocks import Block, read_blocks_in_pieces
from ..inline import split_label
from ..json_tree import json_tree
from ..source import Limits, SourceFile, read_source
from ..tree import Mapping, Node
from ..yaml_tree import yaml_tree

FOREIGN_LIMITS = Limits(bytes=16_000_000, lines=1_000_000)
_MAX_NODES = 2_000_000
_FRONT_MAX_LINES = 500
_SECTION_MARK = re.compile(r"[ \t]{0,3}<!-- (?:SECTION:)?([A-Z_]{1,40}):(BEGIN|END) -->[ \t]{0,20}")


class Document:
    """A file that was read, and its views. Every view raises TaskFileError where the file is not of its kind."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file

    @property
    def lines(self) -> list[str]:
        return self.file.lines

    @cached_property
    def begins(self) -> str:
        """The first character that is no white space."""
        return self.file.text.lstrip()[:1]

    @cached_property
    def front_end(self) -> int:
        """How many lines the front matter covers, its two rules included; 0 where there is none."""
        if self.lines[0].rstrip() != "---":
            return 0
        for index in range(1, min(len(self.lines), _FRONT_MAX_LINES)):
            if self.lines[index].rstrip() == "---":
                return index + 1
        return 0

    @cached_property
    def front(self) -> Mapping | None:
        """The front matter; None where there is none, or where it is no mapping."""
        if not self.front_end:
            return None
        text = "\n" + "\n".join(self.lines[1 : self.front_end - 1]) + "\n"
        node = yaml_tree(SourceFile(self.file.path, text, self.file.sha256))
        return node if isinstance(node, Mapping) else None

    @cached_property
    def blocks(self) -> list[Block]:
        """The Markdown below the front matter, without comments that mark sections."""
        if not self.front_end and "<!--" not in self.file.text:
            return read_blocks_in_pieces(self.file)
        hidden = [""] * self.front_end + [
            "" if "<!--" in line and _SECTION_MARK.fullmatch(line) else line for line in self.lines[self.front_end :]
        ]
        return read_blocks_in_pieces(SourceFile(self.file.path, "\n".join(hidden), self.file.sha256))

    def items(self) -> Iterator[str]:
        """The first text of every list item, at any depth, in order."""
        stack = list(reversed(self.blocks))
        while stack:
            block = stack.pop()
            if block.kind == "item" and block.children:
                yield block.children[0].text
            if block.children:
                stack += reversed(block.children)

    @cached_property
    def marked(self) -> dict[str, tuple[int, int]]:
        """Sections between comments that mark them: name -> the lines inside, 0-based, end not included."""
        found: dict[str, tuple[int, int]] = {}
        begun: dict[str, int] = {}
        for index, line in enumerate(self.lines):
            match = _SECTION_MARK.fullmatch(line) if "<!--" in line else None
            if match and match[2] == "BEGIN":
                begun.setdefault(match[1], index + 1)
            elif match and match[1] in begun and match[1] not in found:
                found[match[1]] = (begun[match[1]], index)
        return found

    @cached_property
    def json(self) -> Node | None:
        """The value of a JSON file, with control characters made visible."""
        return json_tree(self.file, _MAX_NODES, show_controls=True)

    def text_of(self, start: int, end: int) -> str:
        """Some lines as they stand."""
        return "\n".join(self.lines[start:end]).strip()


def read_document(path: Path, *, follow_links: bool = True) -> Document:
    """Read a file of a foreign format. Raises TaskFileError."""
    return Document(read_source(path, FOREIGN_LIMITS, follow_links=follow_links))


def neighbour(path: Path) -> Document | None:
    """A file of a known name beside the task file; None where there is none. A symbolic link is not followed.

    Raises:
        TaskFileError: it is there and cannot be read.
    """
    return read_document(path, follow_links=False) if path.is_file() and not path.is_symlink() else None


def embedded(text: str) -> list[Block]:
    """The Markdown blocks of a text that stands inside something else; their lines count from its own first one.

    Nothing below a fence that is never closed is lost: the rest is the fence.
    """
    file = SourceFile("", text, "")
    try:
        return read_blocks_in_pieces(file)
    except TaskFileError:
        return [Block("paragraph", 0, len(file.lines), text=text)]


def labelled_lines(file: SourceFile, block: Block) -> Iterator[tuple[str, str, int]]:
    """The parts of a paragraph that begin with a bold label: label, text, line. What stands before has the label ""."""
    label, line = "", block.line
    pending: list[str] = []
    for index in range(block.start, block.end):
        text = file.lines[index].strip().removeprefix("> ")
        found = split_label(text) if text.startswith(("**", "__")) else None
        if found and found.is_field:
            if pending:
                yield label, "\n".join(pending).strip(), line
            label, line, pending = found.name, index + 1, [found.rest] if found.rest else []
        else:
            pending.append(text)
    if pending or label:
        yield label, "\n".join(pending).strip(), line
