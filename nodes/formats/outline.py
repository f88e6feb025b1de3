"""The outline of a Markdown file: which task, step and field each block belongs to."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from enum import StrEnum

from ...state.errors import TaskFileError
from .blocks import Block
from .inline import Label, shorten, split_label
from .raw import Words
from .source import SourceFile


class Field(StrEnum):
    """The fields of a task or step, by the name that is shown for them."""

    GOAL = "Goal"
    ACTIONS = "Concrete Actions"
    CRITERIA = "Acceptance Criteria"
    OUTPUTS = "Expected Outputs"
    DEPENDENCIES = "Dependencies"
    SCOPE = "Allowed Scope"
    VERIFICATION = "Verification"
    LIMITS = "Limits"
    APPROVAL = "Approval"
    RED_BEFORE = "Red Before"
    PROTECTED = "Protected Paths"
    CHANGED_TESTS = "Changed Tests"


_LABELS = {
    **{name.value.casefold(): name for name in Field},
    "deliverables": Field.OUTPUTS,
    "verification baseline": Field.VERIFICATION,
}
_KNOWN = ", ".join([*Field, "Deliverables", "Verification Baseline"])
_EXPECTED_HEADING = "### Task <ID>: <Title>"
_SHOWN_HEADINGS = 5


@dataclass
class Section:
    """One field as written: its label, the label's line, and the blocks below it."""

    label: str
    line: int
    blocks: list[Block] = field(default_factory=list[Block])


@dataclass
class Draft:
    """A task or step while the outline is drawn."""

    kind: str
    id: Words
    title: Words
    level: int
    sections: dict[Field, Section] = field(default_factory=dict[Field, Section])
    steps: list[Draft] = field(default_factory=list["Draft"])

    @property
    def line(self) -> int:
        return self.id.line


def draw_outline(file: SourceFile, blocks: list[Block]) -> list[Draft]:
    """The tasks of a Markdown file, with their steps and fields, in file order.

    Raises:
        TaskFileError: no task, a heading or text that belongs to nothing, an unknown field, a field twice.
    """
    outline = _Outline(file)
    for block in blocks:
        outline.take(block)
    if not outline.tasks:
        raise _no_task(file, blocks)
    return outline.tasks


class _Outline:
    """Takes the top-level blocks one by one. Text before the first task is nobody's, and ignored."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.tasks: list[Draft] = []
        self._draft: Draft | None = None
        self._section: Section | None = None

    def take(self, block: Block) -> None:
        if block.kind == "heading":
            self._heading(block)
        elif block.kind == "rule" or not self.tasks:
            return
        elif block.kind == "paragraph":
            self._paragraph(block)
        elif self._draft:
            self._add(block)

    def _heading(self, block: Block) -> None:
        named = _named(block)
        if named is None:
            self._other_heading(block)
        elif named.kind == "task":
            self.tasks.append(named)
            self._enter(named)
        elif self._draft:
            self.tasks[-1].steps.append(named)
            self._enter(named)
        elif self.tasks:
            raise self.file.error(
                block.line, f'step "{named.id.text}" stands outside a task', expected=_EXPECTED_HEADING + " above it"
            )

    def _enter(self, draft: Draft) -> None:
        self._draft = draft
        self._section = None

    def _other_heading(self, block: Block) -> None:
        if self._draft and block.level > self.tasks[-1].level:
            raise self.file.error(
                block.line,
                f'heading "{shorten(block.text)}" is neither a task nor a step',
                expected="#### Step <ID>: <Title>",
                next_step="write a field as a bold label, **Goal**, and prose without a heading",
            )
        self._draft = self._section = None

    def _paragraph(self, block: Block) -> None:
        pending: list[str] = []
        start = block.start
        for index in range(block.start, block.end):
            text = self.file.lines[index].strip()
            begun = _label(self.file, index + 1, text)
            if begun:
                name, label = begun
                self._flush(start, index, pending)
                self._open_section(Section(label.name, index + 1), name)
                text, start, pending = label.rest, index, []
            pending.append(text)
        self._flush(start, block.end, pending)

    def _flush(self, start: int, end: int, lines: list[str]) -> None:
        skipped = next((i for i, line in enumerate(lines) if line), None)
        if skipped is not None and self._draft:
            self._add(Block("paragraph", start + skipped, end, text="\n".join(lines[skipped:])))

    def _open_section(self, section: Section, name: Field) -> None:
        if self._draft is None:
            raise self.file.error(
                section.line,
                f'field "{section.label}" stands outside a task',
                next_step="a heading of the task's own level or above ends it: move the field up, or make it a task",
            )
        first = self._draft.sections.setdefault(name, section)
        if first is not section:
            raise self.file.error(
                section.line,
                f'field "{section.label}" stands twice in {self._draft.kind} "{self._draft.id.text}"',
                first=f'line {first.line} ("{first.label}")',
                next_step="join the two",
            )
        self._section = section

    def _add(self, block: Block) -> None:
        if self._section is None and self._draft:
            raise self.file.error(
                block.line,
                f'text before the first field of {self._draft.kind} "{self._draft.id.text}"',
                expected=f"a field as a bold label, one of {_KNOWN}",
                next_step="put the text below **Goal**",
            )
        if self._section:
            self._section.blocks.append(block)


def _named(block: Block) -> Draft | None:
    """The task or step that a heading begins; None for any other heading."""
    head, colon, title = block.text.partition(":")
    words = head.split(None, 1)
    if not colon or len(words) != 2 or words[0].casefold() not in ("task", "step"):
        return None
    id = Words(words[1].strip().strip("`"), block.line)
    return Draft(words[0].casefold(), id, Words(title.strip(), block.line), block.level)


def _label(file: SourceFile, line: int, text: str) -> tuple[Field, Label] | None:
    """The field that a line begins, with its label; None for any other line."""
    label = split_label(text)
    if label is None:
        return None
    known = _LABELS.get(label.name.casefold())
    if label.is_field and known:
        return known, label
    if label.is_field:
        raise _unknown_field(file, line, label.name)
    if known:
        raise file.error(
            line,
            f'field "{label.name}" is followed by text without a colon',
            expected=f"**{label.name}**: or the label alone",
        )
    return None


def _unknown_field(file: SourceFile, line: int, label: str) -> TaskFileError:
    close = difflib.get_close_matches(label[:60].casefold(), _LABELS, n=1)
    meant = f'did you mean "{_LABELS[close[0]]}"? ' if close else ""
    return file.error(
        line,
        f'unknown field "{shorten(label)}"',
        known=_KNOWN,
        next_step=f"{meant}bold text alone in a line, or before a colon, is a field: make other text not bold",
    )


def _no_task(file: SourceFile, blocks: list[Block]) -> TaskFileError:
    headings = [f'"{shorten(block.text)}" (line {block.line})' for block in blocks if block.kind == "heading"]
    shown = ", ".join(headings[:_SHOWN_HEADINGS]) + (", ..." if len(headings) > _SHOWN_HEADINGS else "")
    return file.error(
        1,
        "this file holds no task",
        expected=f'a heading "{_EXPECTED_HEADING}"',
        headings=shown or "none",
        next_step="see docs/task-card.md for a complete card",
    )
