"""Markdown cards: from the blocks below each label to what the file said."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...state.task import Action, ActionKind
from .blocks import Block, outdent, read_blocks
from .inline import DASHES, entries, fold, split_id, strip_checkbox
from .outline import Draft, Field, Section, draw_outline
from .raw import RawContract, RawCriterion, RawOutput, Words
from .source import SourceFile
from .terms import read_limits, split_points
from .verification import SHELLS, read_verification
from .verified_by import split_proofs

_WORKER_FENCES = {**dict.fromkeys(SHELLS, ActionKind.BASH), "scripted": ActionKind.SCRIPTED}
_NOTHING = frozenset({"none", "nothing", "n/a", *DASHES})
_NESTED_LINE = re.compile(r"\s*$|\s*(?:[-*+>]|\d{1,9}[.)]|`{3,}|~{3,})(?:\s|$)")


def read_markdown(file: SourceFile) -> list[RawContract]:
    """What the task cards of a Markdown file say.

    Raises:
        TaskFileError: the file does not follow the card's grammar.
    """
    return [_contract(file, draft) for draft in draw_outline(file, read_blocks(file))]


def _contract(file: SourceFile, draft: Draft) -> RawContract:
    for section in draft.sections.values():
        if not section.blocks:
            raise file.error(
                section.line,
                f'field "{section.label}" is empty',
                next_step="fill it in, or remove the label",
            )
    found = draft.sections.get
    return RawContract(
        id=draft.id,
        title=draft.title,
        line=draft.line,
        goal=_goal(file, found(Field.GOAL)),
        actions=tuple(_actions(file, found(Field.ACTIONS))),
        criteria=tuple(_criteria(file, found(Field.CRITERIA))),
        outputs=tuple(_outputs(file, found(Field.OUTPUTS))),
        verification=tuple(read_verification(file, found(Field.VERIFICATION))),
        depends_on=tuple(_dependencies(file, found(Field.DEPENDENCIES))),
        allowed_paths=tuple(_scope(file, found(Field.SCOPE))),
        limits=read_limits(file, _said(file, found(Field.LIMITS))),
        approval=split_points(_said(file, found(Field.APPROVAL))),
        red_before=split_points(_said(file, found(Field.RED_BEFORE))),
        protected_paths=tuple(_scope(file, found(Field.PROTECTED))),
        changed_tests=split_points(_said(file, found(Field.CHANGED_TESTS))),
        steps=tuple(_contract(file, step) for step in draft.steps),
    )


def _goal(file: SourceFile, section: Section | None) -> Words | None:
    if section is None:
        return None
    first, last = section.blocks[0], section.blocks[-1]
    if first.kind != "paragraph":
        return Words("\n".join(file.lines[first.start : last.end]).strip(), first.line)
    return Words("\n".join([first.text, *file.lines[first.end : last.end]]).strip(), first.line)


def _actions(file: SourceFile, section: Section | None) -> Iterator[Action]:
    for block in section.blocks if section else ():
        if block.kind == "list":
            for item in block.children:
                yield from _cut_at_fences(file, item, outdent(file.lines[item.start : item.end]))
        elif block.kind == "paragraph":
            yield Action(kind=ActionKind.PROSE, text=block.text.strip(), line=block.line)
        else:
            yield from _cut_at_fences(file, block, file.lines[block.start : block.end])


def _cut_at_fences(file: SourceFile, block: Block, lines: list[str]) -> Iterator[Action]:
    """The prose of a block, and each fenced block for a worker on its own, in the order they stand in."""
    position = block.start
    for fence in block.fences():
        kind = _WORKER_FENCES.get(fence.info)
        if kind is None:
            continue
        yield from _prose(lines[position - block.start : fence.start - block.start], position)
        if not fence.text.strip():
            raise file.error(fence.line, f"this {fence.info} block is empty", next_step="fill it in, or remove it")
        yield Action(kind=kind, text=fence.text.rstrip("\n"), line=fence.line)
        position = fence.end
    yield from _prose(lines[position - block.start :], position)


def _prose(lines: list[str], start: int) -> Iterator[Action]:
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is not None:
        text = "\n".join(lines[first:]).strip()
        yield Action(kind=ActionKind.PROSE, text=text, line=start + first + 1)


def _criteria(file: SourceFile, section: Section | None) -> Iterator[RawCriterion]:
    for block in section.blocks if section else ():
        if block.kind != "list":
            raise file.error(
                block.line,
                "Acceptance Criteria holds something that is no list item",
                expected="- text of the criterion. Verified by `command`",
                next_step="make each criterion a list item",
            )
        for item in block.children:
            yield _criterion(file, item)


def _criterion(file: SourceFile, item: Block) -> RawCriterion:
    source = "\n".join(outdent(file.lines[item.start : item.end])).rstrip()
    lead = len(source) - len(source.lstrip())
    line = item.line + source[:lead].count("\n")
    id, rest = split_id(Words(strip_checkbox(source[lead:]), line), "AC")
    text, proofs = split_proofs(file, rest)
    if not any(_NESTED_LINE.match(part) for part in text.split("\n")[1:]):
        text = fold(text)
    return RawCriterion(Words(text, line), id, proofs)


def _outputs(file: SourceFile, section: Section | None) -> Iterator[RawOutput]:
    for words in _items(file, section):
        id, rest = split_id(words, "O")
        paths = entries(file, rest, described=True)
        if id and len(paths) != 1:
            raise file.error(words.line, f'"{id.text}" names {len(paths)} outputs, one is expected')
        for path in paths:
            yield RawOutput(Words(path.text, words.line), id)


def _dependencies(file: SourceFile, section: Section | None) -> Iterator[Words]:
    for words in _items(file, section):
        for entry in entries(file, words, described=True):
            yield Words(entry.text.removesuffix("."), words.line)


def _scope(file: SourceFile, section: Section | None) -> Iterator[Words]:
    items = list(_items(file, section))
    if section and not items:
        # No scope could mean "anywhere" or "nowhere": a person has to say which.
        raise file.error(
            section.line, f'field "{section.label}" says none', next_step="list globs, or remove the label"
        )
    for words in items:
        for entry in entries(file, words, described=True):
            yield Words(entry.text, words.line)


def _said(file: SourceFile, section: Section | None) -> list[Words]:
    items = list(_items(file, section))
    if section and not items:
        raise file.error(section.line, f'field "{section.label}" says none', next_step="remove the label")
    return items


def _items(file: SourceFile, section: Section | None) -> Iterator[Words]:
    """The list items and paragraphs of a field that lists names; nothing where it says "none"."""
    found = [words for block in (section.blocks if section else ()) for words in _flat(file, block)]
    if len(found) == 1 and found[0].text.removesuffix(".").casefold() in _NOTHING:
        return
    yield from found


def _flat(file: SourceFile, block: Block) -> Iterator[Words]:
    if block.kind == "paragraph":
        yield Words(fold(block.text), block.line)
        return
    if block.kind != "list":
        raise file.error(block.line, f"a list is expected here, found a {block.kind}")
    for item in block.children:
        if len(item.children) != 1 or item.children[0].kind != "paragraph":
            raise file.error(item.line, "one entry is expected in this list item, found more or nothing")
        yield Words(fold(strip_checkbox(item.children[0].text)), item.line)
