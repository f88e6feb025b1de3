"""Kiro `requirements.md`: numbered requirements, each with its acceptance criteria, or one numbered list."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from ..blocks import Block
from ..inline import fold
from ..source import SourceFile
from .document import Document, neighbour
from .sections import item_text

_HEADING = re.compile(r"Requirement\s{1,5}(\d{1,5})\b", re.IGNORECASE)
_FIRST = re.compile(r"\s{0,12}(\d{1,6})[.)]")


@dataclass
class Requirements:
    """What a requirements file asks for: `1.2` is the second criterion of requirement 1."""

    file: SourceFile
    texts: dict[str, str] = field(default_factory=dict[str, str])

    def of(self, name: str) -> list[tuple[str, str]]:
        """The criteria that a name stands for: itself, or all of a requirement. Empty where there is none."""
        if name in self.texts:
            return [(name, self.texts[name])]
        return [(number, text) for number, text in self.texts.items() if number.startswith(f"{name}.")]


def read_requirements(path: Path) -> Requirements | None:
    """The requirements beside a task file; None where there is no such file.

    Raises:
        TaskFileError: the file is there and cannot be read.
    """
    document = neighbour(path)
    return None if document is None else _read(document)


def _read(document: Document) -> Requirements:
    found = Requirements(document.file)
    current, in_list = "", False
    for block in document.blocks:
        if block.kind == "heading":
            number = _HEADING.match(block.text)
            name = block.text.strip().casefold()
            if number:
                current, in_list = number[1], False
            elif name == "requirements":
                current, in_list = "", True
            else:
                in_list = current != "" and "accept" in name
        elif block.kind == "list" and in_list:
            _take(found, block, current, document)
    return found


def _take(found: Requirements, block: Block, current: str, document: Document) -> None:
    first = _FIRST.match(document.lines[block.start])
    if first is None:
        return
    for number, item in enumerate(block.children, start=int(first[1])):
        name = f"{current}.{number}" if current else str(number)
        found.texts.setdefault(name, fold(item_text(item)))
