"""Kiro `tasks.md`: numbered boxes, or headings with numbers; parts below wholes; requirements from the file beside it.

Without a dependency graph tasks run one after the other, the parts of a task before the task. With one ("waves") the
tasks of a wave wait for those of the wave before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from ..blocks import Block
from ..inline import fold
from .document import Document
from .draft import Draft, finish, short_title
from .kiro_requirements import Requirements, read_requirements
from .model import Note, Progress, TaskList
from .sections import SectionReader, box_edit, item_text

NAME = "kiro"
_NUMBER = r"(\d{1,5}(?:\.\d{1,5}){0,6})"
_BOX = re.compile(rf"\[([^\[\]])\](\*?)\s{{1,20}}(?:\*\*)?{_NUMBER}(\*?)(?:\.(?=[\s*])|[):](?=\s))?(\*?)(?=[\s*])")
_BOLD = re.compile(rf"\*\*{_NUMBER}[.):]?(?:\*\*|\s)")
_HEADING = re.compile(rf"(?:Task|Step)\s{{1,5}}{_NUMBER}\s{{0,5}}[:.\u2013\u2014-]\s{{0,5}}")
_REQUIREMENTS = re.compile(r"_?\*{0,2}_?Requirements?:?\*{0,2}\s{0,5}:?\s{0,5}([^_]{1,400})_?\s{0,5}", re.IGNORECASE)
_DEPENDS = re.compile(r"_?(?:Depends on|Dependencies|Blocked by):?\s{0,5}([^_]{1,400})_?\s{0,5}", re.IGNORECASE)
_NAMES = re.compile(r"\d{1,5}(?:\.\d{1,5}){0,6}")
_TICKED = "\u2705"


def looks_like(document: Document) -> bool:
    """True for a file with boxes that carry numbers, bold numbers, or headings like "Task 1: ..."."""
    if any(_BOX.match(text) for text in document.items()):
        return True
    headings = sum(block.kind == "heading" and _HEADING.match(block.text) is not None for block in document.blocks)
    return headings > 0 or sum(_BOLD.match(text) is not None for text in document.items()) > 1


def read(document: Document) -> TaskList:
    """The tasks of a Kiro file; the requirements beside it are read as well. Raises TaskFileError."""
    path = Path(document.file.path)
    requirements = (
        read_requirements(path.with_name(path.name[: -len("tasks.md")] + "requirements.md"))
        if (path.name.endswith("tasks.md"))
        else None
    )
    return _Reader(document, requirements).read()


class _Reader:
    def __init__(self, document: Document, requirements: Requirements | None) -> None:
        self.document = document
        self.file = document.file
        self.requirements = requirements
        self.notes: list[Note] = []
        self.drafts: list[Draft] = []
        self.by_number: dict[str, Draft] = {}
        self.waves: list[list[str]] | None = None
        self.waves_line = 1
        self.group = ""
        self.section: tuple[SectionReader, int] | None = None
        self.is_whole: set[int] = set()

    def read(self) -> TaskList:
        for block in self.document.blocks:
            self._take(block)
        if not self.drafts:
            raise self.file.error(1, "this file holds no task", expected="- [ ] 1. What is to be done")
        for draft in self.drafts:
            self._find_parent(draft)
        self._judge_wholes()
        files = [self.requirements.file] if self.requirements is not None else []
        return finish(NAME, self.file, self.drafts, self.notes, stages=self._stages(), files=files)

    def _take(self, block: Block) -> None:
        if block.kind == "heading":
            self._heading(block)
        elif block.kind == "fence" and self._is_waves(block):
            self._read_waves(block)
        elif block.kind == "list" and self._has_tasks(block):
            self._items(block, self.section[0].draft if self.section is not None else None)
        elif self.section is not None:
            self.section[0].take(block)
        else:
            for fence in block.fences():
                if self._is_waves(fence):
                    self._read_waves(fence)

    def _heading(self, block: Block) -> None:
        found = _HEADING.match(block.text)
        if found:
            title = block.text[found.end() :].replace(_TICKED, "").strip()
            draft = self._draft(found[1], title, block.line)
            if _TICKED in block.text:
                draft.progress, draft.status = Progress.DONE, _TICKED
            self.section = (SectionReader(self.file, draft, self.notes), block.level)
        elif self.section is not None and block.level > self.section[1]:
            self.section[0].take(block)
        else:
            self.section = None
            self.group = block.text.replace(_TICKED, "").strip()

    def _has_tasks(self, block: Block) -> bool:
        return any(self._number(item_text(item)) for item in block.children)

    def _number(self, text: str) -> re.Match[str] | None:
        return _BOX.match(text) or _BOLD.match(text)

    def _items(self, block: Block, above: Draft | None) -> None:
        for item in block.children:
            text = item_text(item)
            boxed = _BOX.match(text)
            found = boxed or _BOLD.match(text)
            if found is None:
                self._detail(item, text, above)
                continue
            number = boxed[3] if boxed else found[1]
            rest = text[found.end() :]
            draft = self._draft(number, rest.replace("**", "").strip(" *"), item.line)
            if boxed:
                draft.status = f"[{boxed[1]}]"
                draft.progress = Progress.DONE if boxed[1] in "xX" else Progress.OPEN
                draft.mark = box_edit(self.file, item, "x")
                draft.optional = bool(boxed[2] or boxed[4] or boxed[5])
            for child in item.children[1:]:
                self._below(child, draft)

    def _below(self, child: Block, draft: Draft) -> None:
        if child.kind == "list":
            self._items(child, draft)
        else:
            draft.prose(self.document.text_of(child.start, child.end), child.line)

    def _detail(self, item: Block, text: str, above: Draft | None) -> None:
        found = _REQUIREMENTS.fullmatch(text)
        depends = _DEPENDS.fullmatch(text)
        if above is None:
            words = fold(text)[:60]
            self.notes.append(Note(self.file.path, item.line, f'a list item without a number is no task: "{words}"'))
        elif found:
            self._require(above, found[1], item.line)
        elif depends:
            above.depends_on += _NAMES.findall(depends[1])
        else:
            above.prose(text, item.line)
            for child in item.children[1:]:
                self._below(child, above)

    def _require(self, draft: Draft, names: str, line: int) -> None:
        for name in _NAMES.findall(names):
            texts = self.requirements.of(name) if self.requirements is not None else []
            if not texts:
                where = "has no such requirement" if self.requirements else "stands not beside this file"
                self.notes.append(Note(self.file.path, line, f"requirement {name}: requirements.md {where}"))
                draft.criterion(f"R{name}", f"Requirement {name}", line, "requirement, not found", scan=False)
            for number, text in texts:
                draft.criterion(f"R{number}", text, line, "requirement")

    def _draft(self, number: str, title: str, line: int) -> Draft:
        text = fold(title) or number
        draft = Draft(id=number, title=short_title(text), line=line, group=self.group)
        draft.prose(text, line)
        draft.goal = text
        self.drafts.append(draft)
        self.by_number.setdefault(number, draft)
        return draft

    def _find_parent(self, draft: Draft) -> None:
        if self.by_number.get(draft.id) is draft and "." in draft.id:
            draft.parent = self.by_number.get(draft.id.rpartition(".")[0])
            if draft.parent is not None:
                self.is_whole.add(id(draft.parent))

    def _judge_wholes(self) -> None:
        """A heading has no box: it is as far as its parts are."""
        parts: dict[int, list[Draft]] = {}
        for draft in self.drafts:
            if draft.parent is not None:
                parts.setdefault(id(draft.parent), []).append(draft)
        # From the end: the parts of a task stand below it, and may have parts themselves.
        for draft in reversed(self.drafts):
            below = parts.get(id(draft))
            if below and not draft.status and all(part.progress is Progress.DONE for part in below):
                draft.progress = Progress.DONE

    def _is_waves(self, fence: Block) -> bool:
        return fence.info in ("json", "") and fence.text.lstrip().startswith("{") and '"waves"' in fence.text

    def _read_waves(self, fence: Block) -> None:
        try:
            value: Any = json.loads(fence.text.rstrip())
            waves = cast("list[Any]", cast("dict[str, Any]", value)["waves"])
            self.waves = [[str(name) for name in cast("dict[str, list[Any]]", wave)["tasks"]] for wave in waves]
        except json.JSONDecodeError as error:
            raise self.file.error(fence.line + error.lineno, f"the waves are no JSON: {error.msg}") from None
        except (KeyError, TypeError, RecursionError):
            raise self.file.error(
                fence.line,
                "the dependency graph is not understood",
                expected='{"waves": [{"id": 0, "tasks": ["1.1"]}]}',
            ) from None
        self.waves_line = fence.line

    def _stages(self) -> Sequence[Sequence[Draft]]:
        if self.waves is None:
            return [[draft] for draft in self._parts_first()]
        stages: list[list[Draft]] = []
        placed: set[int] = set()
        for wave in self.waves:
            stage: list[Draft] = []
            for name in wave:
                draft = self.by_number.get(name)
                if draft is None or id(draft) in placed:
                    why = "is in two waves" if draft else "is in a wave and not in the list"
                    self.notes.append(Note(self.file.path, self.waves_line, f"task {name[:40]} {why}"))
                else:
                    placed.add(id(draft))
                    stage.append(draft)
            stages.append(stage)
        rest = [draft for draft in self._parts_first() if id(draft) not in placed and id(draft) not in self.is_whole]
        if rest:
            names = ", ".join(draft.id for draft in rest[:10])
            self.notes.append(Note(self.file.path, self.waves_line, f"in no wave, so after the last one: {names}"))
        # A whole waits for its parts already; as a member of a stage it could be made to wait for itself.
        return [[d for d in stage if id(d) not in self.is_whole] for stage in stages] + [[draft] for draft in rest]

    def _parts_first(self) -> list[Draft]:
        """File order, but each task after its last part."""
        parts: dict[int, list[Draft]] = {}
        for draft in self.drafts:
            if draft.parent is not None:
                parts.setdefault(id(draft.parent), []).append(draft)
        ordered: list[Draft] = []
        stack = [(draft, False) for draft in reversed(self.drafts) if draft.parent is None]
        while stack:
            draft, visited = stack.pop()
            if visited or id(draft) not in parts:
                ordered.append(draft)
            else:
                stack.append((draft, True))
                stack += [(part, False) for part in reversed(parts[id(draft)])]
        return ordered
