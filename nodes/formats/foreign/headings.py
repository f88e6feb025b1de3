"""Free Markdown: a heading per task, with Goal, Actions, Acceptance, Deliverables and Dependencies in bold below it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..blocks import Block
from ..inline import split_label
from .document import Document, labelled_lines
from .draft import Draft, finish, short_title
from .model import Note, Progress, TaskList
from .sections import SectionReader, item_text, kind_of

NAME = "headings"
_BOX = re.compile(r"\[([^\[\]])\]\s{1,5}")
_ID = re.compile(
    r"(?:(?:Task|Step|Story|Issue|Ticket)\s{1,5})?([A-Za-z]{0,12}[-_]?\d[\w.-]{0,30}?)(?:\s{0,5}[:\u2013\u2014]|[.)]?\s{1,5}-?|$)\s{0,5}"
)
_ASKS = frozenset(("goal", "criteria", "outputs", "depends"))


def looks_like(document: Document) -> bool:
    """True where below one heading two different fields stand as bold labels."""
    kinds: set[str] = set()
    for block in document.blocks:
        if block.kind == "heading":
            kinds = set()
        kinds |= {kind_of(label) for label in _labels(document, block)} & _ASKS
        if len(kinds) > 1:
            return True
    return False


def read(document: Document) -> TaskList:
    """The tasks of a free Markdown file. Raises TaskFileError."""
    file = document.file
    notes: list[Note] = []
    drafts: list[Draft] = []
    for heading, blocks in _task_sections(document, notes):
        draft = _draft(heading, len(drafts) + 1)
        box = _BOX.match(heading.text)
        draft.progress = Progress.DONE if box and box[1] in "xX" else Progress.OPEN
        SectionReader(file, draft, notes, runs_fences=True).read(blocks)
        if not draft.details:
            draft.prose(draft.whole_goal or draft.title, heading.line)
        drafts.append(draft)
    if not drafts:
        raise file.error(1, "this file holds no task", expected="a heading with **Goal** and **Acceptance** below it")
    return finish(NAME, file, drafts, notes)


def _task_sections(document: Document, notes: list[Note]) -> Iterator[tuple[Block, list[Block]]]:
    """Each heading that has a field of its own, with its blocks; a heading without one belongs to the task above."""
    heading: Block | None = None
    blocks: list[Block] = []
    for block in document.blocks:
        if block.kind != "heading":
            blocks.append(block)
            continue
        if heading is not None and block.level > heading.level and _is_task(document, blocks):
            blocks.append(block)
            continue
        if heading is not None:
            yield from _one(document, heading, blocks, notes)
        heading, blocks = block, []
    if heading is not None:
        yield from _one(document, heading, blocks, notes)


def _one(
    document: Document, heading: Block, blocks: list[Block], notes: list[Note]
) -> Iterator[tuple[Block, list[Block]]]:
    if _is_task(document, blocks):
        yield heading, blocks
    elif blocks:
        text = f'"{heading.text.strip()[:60]}" has no Goal and no Acceptance: not a task'
        notes.append(Note(document.file.path, heading.line, text))


def _is_task(document: Document, blocks: list[Block]) -> bool:
    return any(kind_of(label) in ("goal", "criteria") for block in blocks for label in _labels(document, block))


def _labels(document: Document, block: Block) -> Iterator[str]:
    if block.kind == "paragraph":
        yield from (label for label, _, _ in labelled_lines(document.file, block) if label)
    elif block.kind == "list":
        for item in block.children:
            text = item_text(item)
            label = split_label(text.split("\n", 1)[0]) if text.startswith(("**", "__")) else None
            if label is not None and label.is_field:
                yield label.name


def _draft(heading: Block, number: int) -> Draft:
    text = heading.text.strip()
    box = _BOX.match(text)
    text = text[box.end() :] if box else text
    found = _ID.match(text)
    id = found[1].rstrip(".-") if found else str(number)
    title = text[found.end() :].strip() if found else text
    return Draft(id=id or str(number), title=short_title(title or text), line=heading.line)
