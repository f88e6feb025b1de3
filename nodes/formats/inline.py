"""The grammar inside one item of a card: code spans, ids in front, lists with commas."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .raw import MAX_ENTRIES, Words
from .source import SourceFile

_TICKS = re.compile(r"`+")
_CHECKBOX = re.compile(r"\[[ xX]\](?=\s|$)")
_AND = re.compile(r"and\s")
_WORD = re.compile(r"[^\s,]+")
_BARE = re.compile(r"[^\s,`]+")
DASHES = "-\u2013\u2014"
_DESCRIPTION = (":", "(", *(f"{dash} " for dash in DASHES))


@dataclass(frozen=True, slots=True)
class CodeSpan:
    """Text between back-ticks, and where it stands with them."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of a list with commas."""

    text: str
    is_code: bool


def code_spans(text: str) -> list[CodeSpan]:
    """Every code span of `text`, in order, by CommonMark's rule: opened and closed by equally many back-ticks."""
    runs = [(match.start(), match.end()) for match in _TICKS.finditer(text)]
    closers = _next_of_same_length(runs)
    spans: list[CodeSpan] = []
    index = 0
    while index < len(runs):
        start, end = runs[index]
        closer = None if text[start - 1 : start] == "\\" else closers[index]
        if closer is not None:
            close_start, close_end = runs[closer]
            spans.append(CodeSpan(_unpad(text[end:close_start]), start, close_end))
            index = closer
        index += 1
    return spans


def _next_of_same_length(runs: list[tuple[int, int]]) -> list[int | None]:
    """For each run of back-ticks the index of the one that would close it, in one pass from the end."""
    closers: list[int | None] = [None] * len(runs)
    newest: dict[int, int] = {}
    for index in range(len(runs) - 1, -1, -1):
        length = runs[index][1] - runs[index][0]
        closers[index] = newest.get(length)
        newest[length] = index
    return closers


def _unpad(inner: str) -> str:
    text = inner.replace("\n", " ")
    if len(text) > 2 and text[0] == text[-1] == " " and text.strip():
        return text[1:-1]
    return text


def without_code(text: str, spans: list[CodeSpan]) -> str:
    """`text` with every code span blanked out, all positions kept."""
    parts: list[str] = []
    position = 0
    for span in spans:
        parts += [text[position : span.start], "\x00" * (span.end - span.start)]
        position = span.end
    return "".join([*parts, text[position:]])


@dataclass(frozen=True, slots=True)
class Label:
    """A line that begins with bold text; `is_field`: the bold stands alone, or before a colon."""

    name: str
    rest: str
    is_field: bool


def split_label(text: str) -> Label | None:
    """The bold text a line begins with, and the rest of the line; None for any other line."""
    mark = text[:2]
    end = text.find(mark, 2) if mark in ("**", "__") else -1
    if end < 0:
        return None
    name, rest = text[2:end].strip(), text[end + 2 :].strip()
    is_field = not rest or rest.startswith(":") or name.endswith(":")
    return Label(" ".join(name.rstrip(":").split()), rest.removeprefix(":").strip(), is_field)


def fold(text: str) -> str:
    """Soft-wrapped lines as one line."""
    if "\n" not in text:
        return text.strip()
    return " ".join(line.strip() for line in text.split("\n")).strip()


def shorten(text: str) -> str:
    """`text`, cut to what fits into a message."""
    return text if len(text) <= 40 else text[:37] + "..."


def strip_checkbox(text: str) -> str:
    """`text` without the `[ ]` or `[x]` in front; a ticked box proves nothing."""
    match = _CHECKBOX.match(text)
    return text[match.end() :].lstrip() if match else text


def split_id(words: Words, letters: str) -> tuple[Words | None, Words]:
    """Split `AC1: text`, also with the id in bold, into the id (None without one) and the rest."""
    pattern = rf"(?:\*\*)?({letters}[-_.]?\d{{1,6}}(?:\.\d{{1,6}}){{0,3}})(?:\*\*)?:(?:\*\*)?(?=\s|$|`)"
    match = re.match(pattern, words.text)
    if not match:
        return None, words
    return Words(match[1], words.line), Words(words.text[match.end() :].strip(), words.line)


def entries(file: SourceFile, words: Words, *, described: bool) -> list[Entry]:
    """The members of a list with commas: text in back-ticks, or single words.

    Args:
        described: a member may be followed by a description, after a colon or dash or in parentheses.

    Raises:
        TaskFileError: something else stands in the list.
    """
    scanner = Scanner(fold(words.text))
    found: list[Entry] = []
    while not scanner.at_end:
        entry = scanner.entry()
        if entry is None or not entry.text:
            raise file.error(words.line, f'expected an entry, found "{scanner.shown()}"')
        found.append(entry)
        if len(found) > MAX_ENTRIES:
            raise file.error(words.line, f"this list has more than {MAX_ENTRIES} entries")
        if described:
            scanner.skip_description()
        if not scanner.at_end and not scanner.separator():
            raise file.error(
                words.line,
                f'expected a comma, found "{scanner.shown()}"',
                next_step="separate the entries with commas, and put each one in back-ticks if it has spaces",
            )
    return found


class Scanner:
    """Walks through one line by position: a slice per entry would make a long line cost its square."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._spans = {span.start: span for span in code_spans(text)}

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._text)

    def shown(self) -> str:
        return shorten(self._text[self._at : self._at + 100])

    def entry(self) -> Entry | None:
        span = self._spans.get(self._at)
        if span:
            self._move_to(span.end)
            return Entry(span.text.strip(), is_code=True)
        word = _WORD.match(self._text, self._at)
        if not word or word[0].startswith("`"):
            return None
        colon = len(word[0]) > 1 and word[0].endswith(":")
        self._move_to(word.end() - colon)
        return Entry(word[0][:-1] if colon else word[0], is_code=False)

    def code(self) -> str | None:
        """The code span that stands here; None where there is none."""
        span = self._spans.get(self._at)
        if span:
            self._move_to(span.end)
        return span.text.strip() if span else None

    def word(self) -> str | None:
        """The single word that stands here, up to a space, a comma or a code span; None where there is none."""
        word = _BARE.match(self._text, self._at)
        if word:
            self._move_to(word.end())
        return word[0] if word else None

    def skip_description(self) -> None:
        if not self._text.startswith(_DESCRIPTION, self._at):
            return
        end = self._text.find(")", self._at) if self._text[self._at] == "(" else -1
        self._move_to(end + 1 if end >= 0 else len(self._text))

    def separator(self) -> bool:
        start = self._at
        if self._text[self._at] == ",":
            self._move_to(self._at + 1)
        if match := _AND.match(self._text, self._at):
            self._move_to(match.end())
        return self._at > start

    def _move_to(self, position: int) -> None:
        while position < len(self._text) and self._text[position].isspace():
            position += 1
        self._at = position
