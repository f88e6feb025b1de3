"""The field Verification of a Markdown card: commands, their equivalents, and what they prove."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .amounts import seconds
from .blocks import Block
from .inline import code_spans, entries, fold, shorten, split_id, without_code
from .outline import Section
from .proof import ALL
from .raw import MAX_ENTRIES, RawCommand, Words
from .source import SourceFile

_ARGUMENT = re.compile(r"[a-z][a-z0-9]{0,20}(?:[ _-][a-z0-9]{1,20}){0,2}")
SHELLS = ("bash", "sh", "shell")
_MISPLACED = re.compile(r"\b(proves|equivalents?|timeout)\b", re.IGNORECASE)
_DETAILS = "equivalent: `command`, proves: AC1, timeout: 60 s, kind: file, and what its kind takes: output: `pattern`"


@dataclass
class _Details:
    """What the nested items of a command say about it."""

    equivalents: list[Words] = field(default_factory=list[Words])
    proves: list[Words] = field(default_factory=list[Words])
    timeout_s: float | None = None
    kind: Words | None = None
    args: list[tuple[str, Words]] = field(default_factory=list[tuple[str, Words]])


def read_verification(file: SourceFile, section: Section | None) -> Iterator[RawCommand]:
    """The commands of the field, in order.

    Raises:
        TaskFileError: an item without exactly one command, or with a detail that is not known.
    """
    for block in section.blocks if section else ():
        if block.kind == "list":
            for item in block.children:
                yield _item(file, item)
        elif block.kind == "paragraph":
            yield _command(file, Words(fold(block.text), block.line), _Details())
        elif block.kind == "fence" and block.info in SHELLS:
            yield from _fence(file, block)
        else:
            raise file.error(
                block.line,
                f"Verification holds a {block.kind} that is no command",
                expected="list items with one command in back-ticks each, or a fenced bash block",
            )


def _item(file: SourceFile, item: Block) -> RawCommand:
    paragraph, *more = item.children or [item]
    if paragraph.kind != "paragraph":
        raise file.error(item.line, "this item has no command in back-ticks")
    details = _Details()
    for block in more:
        if block.kind != "list":
            raise file.error(block.line, f"a {block.kind} below a command is not known", known=_DETAILS)
        for nested in block.children:
            _detail(file, nested, details)
    return _command(file, Words(fold(paragraph.text), item.line), details)


def _command(file: SourceFile, words: Words, details: _Details) -> RawCommand:
    ref, rest = split_id(words, "V")
    spans = code_spans(rest.text)
    most = 1 if details.kind is None else MAX_ENTRIES
    if not 0 < len(spans) <= most or not all(span.text.strip() for span in spans):
        count = "several commands" if len(spans) > 1 else "no command"
        raise file.error(
            words.line,
            f"this item has {count} in back-ticks, one is expected",
            found=shorten(words.text),
            next_step="write each command in back-ticks, in a list item of its own",
        )
    misplaced = _MISPLACED.search(without_code(rest.text, spans))
    if misplaced:
        raise file.error(
            words.line, f'"{misplaced[0]}" stands beside the command', expected=f"a nested list item: {_DETAILS}"
        )
    run, *more = (Words(span.text.strip(), words.line) for span in spans)
    return RawCommand(
        run,
        ref,
        tuple(details.equivalents),
        tuple(details.proves),
        details.timeout_s,
        details.kind,
        tuple(more),
        tuple(details.args),
    )


def _detail(file: SourceFile, item: Block, details: _Details) -> None:
    text = fold(item.children[0].text) if len(item.children) == 1 else ""
    key, _, value = (part.strip() for part in text.partition(":"))
    name = key.casefold()
    if name in ("equivalent", "equivalents"):
        details.equivalents += _equivalents(file, Words(value, item.line))
    elif name == "proves":
        details.proves += _proves(file, Words(value, item.line))
    elif name == "timeout" and details.timeout_s is None:
        details.timeout_s = _seconds(file, Words(value, item.line))
    elif name == "kind" and details.kind is None:
        details.kind = Words(_uncoded(value).casefold(), item.line)
    elif value and name not in ("timeout", "kind") and _ARGUMENT.fullmatch(name):
        details.args.append((name.replace(" ", "_"), Words(_uncoded(value), item.line)))
    else:
        what = f"a second {name}" if name in ("timeout", "kind") else f'unknown detail "{shorten(key)}"'
        raise file.error(item.line, f"{what} below a command", known=_DETAILS)


def _uncoded(value: str) -> str:
    """A value as it stands, or between its back-ticks."""
    spans = code_spans(value)
    whole = len(spans) == 1 and (spans[0].start, spans[0].end) == (0, len(value))
    return spans[0].text.strip() if whole else value


def _equivalents(file: SourceFile, words: Words) -> list[Words]:
    found = entries(file, words, described=False)
    if not found or not all(entry.is_code for entry in found):
        raise file.error(words.line, "an equivalent is no command in back-ticks", expected="equivalent: `command`")
    return [Words(entry.text, words.line) for entry in found]


def _proves(file: SourceFile, words: Words) -> list[Words]:
    found = [entry.text.removesuffix(".") for entry in entries(file, words, described=False)]
    if not found:
        raise file.error(words.line, '"proves" names nothing', expected=f"proves: AC1, AC2 or proves: {ALL}")
    return [Words(ALL if id.casefold() == ALL else id, words.line) for id in found]


def _seconds(file: SourceFile, words: Words) -> float:
    found = seconds(words.text)
    if found is None:
        raise file.error(
            words.line, f'timeout "{shorten(words.text)}" is no length of time', expected="60 s, 2 min or 1 h"
        )
    return found


def _fence(file: SourceFile, fence: Block) -> Iterator[RawCommand]:
    """One command per line; a line that ends in a single backslash goes on in the next one."""
    text = ""
    line = 0
    found = False
    for number, part in enumerate(fence.text.splitlines(), start=fence.line + 1):
        if not text and (not part.strip() or part.lstrip().startswith("#")):
            continue
        line = line if text else number
        text += part
        if (len(part) - len(part.rstrip("\\"))) % 2:
            text = text[:-1] or " "
            continue
        found = True
        yield RawCommand(Words(text.strip(), line))
        text = ""
    if text.strip():
        raise file.error(line, "this command ends in a backslash, and nothing follows")
    if not found:
        raise file.error(fence.line, "this block holds no command")
