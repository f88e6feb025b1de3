"""spec-kit `tasks.md`: boxes with T-ids in phases, or one heading per task.

Phases are barriers. Inside a phase tasks without [P] run one after the other; neighbours with [P] form one stage.
A phase's checkpoint and independent test are criteria of its last task, which then runs after all others of the phase.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..blocks import Block
from ..inline import fold
from .document import Document, labelled_lines
from .draft import Draft, finish, implied, key_of, short_title
from .model import Note, Progress, TaskList
from .sections import SectionReader, box_edit, item_text, without_box

NAME = "spec-kit"
_BOX = re.compile(r"\[([^\[\]])\]\s{1,20}(?:\*\*)?(T[-_]?\d[\w.-]{0,20}|TXXX)(?:\*\*)?:?(?=\s|$)")
_MAY_HOLD_BOXES = re.compile(r"\]\s{1,20}(?:\*\*)?T")
_HEADING = re.compile(
    r"(?:\[([^\[\]])\]\s{1,5})?(?:Task\s{1,5})?(T[-_]?\d[\w.-]{0,20}?)(?:\s{0,5}[:\u2013\u2014-]|\s|$)"
)
_TAG = re.compile(r"\s{0,20}\[(P|[A-Z]{2,6}\d{1,4})\](?=\s|$)")
_DEPENDS = re.compile(r"\b(?:depends on|blocked by)[:\s]{1,5}([^()\n]{1,300})", re.IGNORECASE)
_ID = re.compile(r"T[-_]?\d[\w.]{0,20}")
_RANGE = re.compile(r"T(\d{1,6})\s{0,3}(?:-|\u2013|\u2014|to|through)\s{0,3}T(\d{1,6})")
_BETWEEN = frozenset((",", "and", "&", "-", "\u2013", "\u2014", "to", "through"))
_PHASE_LABELS = ("goal", "purpose")
_PHASE_CHECKS = ("checkpoint", "independent test", "verification", "validation", "acceptance criteria", "test command")


@dataclass(slots=True)
class _Phase:
    title: str
    goal: str = ""
    drafts: list[Draft] = field(default_factory=list[Draft])
    checks: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])


def looks_like(document: Document) -> bool:
    """True for a file with boxes that carry T-ids, or with headings that are T-ids."""
    if _MAY_HOLD_BOXES.search(document.file.text) and any(_BOX.match(text) for text in document.items()):
        return True
    return any(block.kind == "heading" and _HEADING.match(block.text) for block in document.blocks)


def read(document: Document) -> TaskList:
    """The tasks of a spec-kit file. Raises TaskFileError."""
    return _Reader(document).read()


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.file = document.file
        self.notes: list[Note] = []
        self.phases = [_Phase("")]
        self.section: tuple[SectionReader, int] | None = None
        small = any(line.lstrip().startswith(("- [x]", "* [x]")) for line in document.lines)
        self.tick = "x" if small else "X"

    def read(self) -> TaskList:
        for block in self.document.blocks:
            self._take(block)
        drafts = [draft for phase in self.phases for draft in phase.drafts]
        if not drafts:
            raise self.file.error(1, "this file holds no task", expected="- [ ] T001 What is to be done")
        stages: list[list[Draft]] = []
        for phase in self.phases:
            self._close(phase)
            stages += _stages(phase)
        return finish(NAME, self.file, drafts, self.notes, stages=stages)

    def _take(self, block: Block) -> None:
        if block.kind == "heading":
            self._heading(block)
        elif self.section is not None:
            self.section[0].take(block)
        elif block.kind == "list":
            self._items(block)
        elif block.kind in ("paragraph", "quote"):
            for part in (block, *block.children):
                self._paragraph(part)

    def _heading(self, block: Block) -> None:
        found = _HEADING.match(block.text)
        if found:
            draft = self._draft(found[2], block.text[found.end() :], block.line)
            if found[1] is not None:
                draft.progress = Progress.DONE if found[1] in "xX" else Progress.OPEN
            self.section = (SectionReader(self.file, draft, self.notes), block.level)
            return
        if self.section is not None and block.level > self.section[1]:
            self.section[0].take(block)
            return
        self.section = None
        if block.level <= 2:
            self.phases.append(_Phase(block.text.strip()))
            if "dependenc" in block.text.casefold():
                name = block.text.strip()[:60]
                text = f'"{name}" is prose: the order is that of the phases, and "depends on T..." in a task'
                self.notes.append(Note(self.file.path, block.line, text))

    def _items(self, block: Block) -> None:
        for item in block.children:
            text = item_text(item)
            found = _BOX.match(text)
            if found is None:
                self._other(item, text)
                continue
            draft = self._draft(found[2], text[found.end() :], item.line)
            draft.status = f"[{found[1]}]"
            draft.progress = Progress.DONE if found[1] in "xX" else Progress.OPEN
            draft.mark = box_edit(self.file, item, self.tick)
            self._details(item, draft)

    def _details(self, item: Block, draft: Draft) -> None:
        """What stands below a box: prose of the task, but for boxes that are tasks themselves and come after it."""
        for child in item.children[1:]:
            nested = child.kind == "list" and any(_BOX.match(item_text(part)) for part in child.children)
            if nested:
                self._items(child)
            else:
                draft.prose(self.document.text_of(child.start, child.end), child.line)

    def _other(self, item: Block, text: str) -> None:
        if text.startswith(("[ ]", "[x]", "[X]")):
            words = without_box(text).split("\n")[0][:60]
            self.notes.append(Note(self.file.path, item.line, f'a box without a T-id is no task: "{words}"'))
        for child in item.children:
            if child.kind == "list":
                self._items(child)

    def _draft(self, id: str, rest: str, line: int) -> Draft:
        labels: list[str] = []
        while tag := _TAG.match(rest):
            labels.append(tag[1])
            rest = rest[tag.end() :]
        text = fold(rest.strip(" :\u2013\u2014-"))
        phase = self.phases[-1]
        draft = Draft(id=id.rstrip(".-"), title=short_title(text) or id, line=line, group=phase.title)
        draft.parallel = "P" in labels
        draft.labels = [label for label in labels if label != "P"] + (["P"] if "P" in labels else [])
        draft.depends_on = list(_inline_dependencies(text))
        draft.prose(text or id, line)
        draft.goal = text or id
        phase.drafts.append(draft)
        return draft

    def _paragraph(self, block: Block) -> None:
        if block.kind != "paragraph":
            return
        phase = self.phases[-1]
        for label, text, line in labelled_lines(self.file, block):
            if label.casefold() in _PHASE_LABELS:
                phase.goal = fold(text)
            elif label.casefold() in _PHASE_CHECKS and text:
                phase.checks.append((label, fold(text), line))

    def _close(self, phase: _Phase) -> None:
        if not phase.drafts:
            self.notes += [
                Note(self.file.path, line, f'"{label}" of a phase without tasks: not taken up')
                for label, _, line in phase.checks
            ]
            return
        for draft in phase.drafts:
            if phase.goal:
                draft.goal = f"{draft.goal}\n\n{phase.title}: {phase.goal}"
        last = phase.drafts[-1]
        if phase.checks and not last.criteria:
            last.criteria.append(implied(last))
        for label, text, line in phase.checks:
            last.criterion(key_of(label), text, line, f"{label} of the phase")


def _stages(phase: _Phase) -> Iterator[list[Draft]]:
    stage: list[Draft] = []
    last = phase.drafts[-1] if phase.checks and phase.drafts else None
    for draft in phase.drafts:
        if stage and (not draft.parallel or not stage[-1].parallel or draft is last):
            yield stage
            stage = []
        stage.append(draft)
    if stage:
        yield stage


def _inline_dependencies(text: str) -> Iterator[str]:
    lower = text.casefold()
    if "depends on" not in lower and "blocked by" not in lower:
        return
    for found in _DEPENDS.finditer(text):
        listed = _leading_ids(found[1])
        for first, last in _RANGE.findall(listed):
            width = len(first)
            numbers = range(int(first), min(int(last), int(first) + 1000) + 1)
            yield from (f"T{number:0{width}d}" for number in numbers)
        yield from (name.rstrip(".") for name in _ID.findall(listed))


def _leading_ids(text: str) -> str:
    """The ids a text begins with, and what stands between them."""
    taken: list[str] = []
    for word in text.replace(",", " , ").split():
        if not _ID.match(word) and word.casefold() not in _BETWEEN:
            break
        taken.append(word)
    return " ".join(taken)
