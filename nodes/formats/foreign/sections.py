"""The parts of a task that is written as prose under a heading: bold labels, or headings, with text and lists below."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ....state.task import ActionKind
from ..blocks import Block, outdent
from ..inline import code_spans, fold, split_label, strip_checkbox
from ..raw import Words
from ..source import SourceFile
from .classify import fenced_proposals
from .document import labelled_lines
from .draft import Draft, key_of
from .model import Detail, Edit, Note, Progress

_KIND_OF = {
    **dict.fromkeys(("goal", "objective", "purpose", "description", "summary", "problem", "why"), "goal"),
    **dict.fromkeys(
        ("acceptance criteria", "acceptance", "success criteria", "done when", "definition of done", "verification",
         "validation", "verify", "testing", "tests", "test", "test command", "test commands", "how to test",
         "verification baseline", "checkpoint", "independent test", "test strategy"),
        "criteria",
    ),
    **dict.fromkeys(("deliverables", "expected outputs", "outputs"), "outputs"),
    **dict.fromkeys(("dependencies", "depends on", "depends", "blocked by", "prerequisites"), "depends"),
    "status": "status",
}  # fmt: skip
_DONE_WORDS = frozenset(("done", "completed", "complete", "closed", "finished", "x", "[x]", "\u2705"))
_DROPPED_WORDS = frozenset(("cancelled", "canceled", "deferred", "dropped", "wontfix", "deleted", "tombstone"))
_BOX = re.compile(r"\[([^\[\]])\](?=\s|$)")
_SHELLS = frozenset(("bash", "sh", "shell", "console", "zsh", ""))
_ACTIONS = frozenset(("actions", "concrete actions"))
_NUMBERED = re.compile(r"#(\d{1,4})\s")
_NOTHING = frozenset(("none", "nothing", "n/a", "-", "\u2013", "\u2014", "no dependencies", "none."))


def kind_of(label: str) -> str:
    """What a label stands for: goal, criteria, outputs, depends, status, or details for any other."""
    name = " ".join(re.sub(r"[^\w\s]", " ", label.casefold()).split())
    return _KIND_OF.get(name, "details")


def progress_of(word: str) -> Progress:
    """Where a task stands by the usual words; what is not known is open."""
    name = word.strip().strip("`*_").casefold().replace("-", " ").replace("_", " ")
    if name in _DONE_WORDS:
        return Progress.DONE
    return Progress.DROPPED if name in _DROPPED_WORDS else Progress.OPEN


def is_finished_word(word: str) -> bool:
    """True for a word that says that a task is done."""
    return progress_of(word) is Progress.DONE


def box_of(text: str) -> str | None:
    """What stands in the box a text begins with; None without one."""
    found = _BOX.match(text)
    return found[1] if found else None


def without_box(text: str) -> str:
    """A text without the box in front."""
    found = _BOX.match(text)
    return text[found.end() :].lstrip() if found else strip_checkbox(text)


def item_text(item: Block) -> str:
    """The text of a list item's first paragraph; empty where it begins with something else."""
    return item.children[0].text if item.children and item.children[0].kind == "paragraph" else ""


def box_edit(file: SourceFile, item: Block, tick: str) -> Edit | None:
    """The edit that ticks the box of a list item."""
    line = file.lines[item.start]
    column = line.find("[")
    if column < 0 or line[column + 2 : column + 3] != "]":
        return None
    return Edit(item.start + 1, column, line[column : column + 3], f"[{tick}]")


def all_items(blocks: Iterable[Block]) -> Iterator[tuple[Block, int]]:
    """Every list item at any depth, in order, with its depth."""
    stack = [(block, 0) for block in reversed(list(blocks))]
    while stack:
        block, depth = stack.pop()
        if block.kind == "item":
            yield block, depth
        inner = depth + (block.kind == "item")
        stack += [(child, inner) for child in reversed(block.children)]


@dataclass
class SectionReader:
    """Fills one draft from the blocks below its heading.

    Attributes:
        lines_at: the line that every part is said to stand in; None: its own. For text embedded in one line.
        runs_fences: a fenced shell block below "Actions" is for the shell worker, as in a card.
    """

    file: SourceFile
    draft: Draft
    notes: list[Note]
    lines_at: int | None = None
    runs_fences: bool = False
    _kind: str = "details"
    _label: str = ""

    def read(self, blocks: Sequence[Block]) -> None:
        """Take all blocks; a heading among them is a label as well."""
        for block in blocks:
            self.take(block)

    def take(self, block: Block) -> None:
        """Take one block."""
        if block.kind == "heading":
            self._enter(block.text.strip(" #*:"))
        elif block.kind == "paragraph":
            for label, text, line in labelled_lines(self.file, block):
                if label:
                    self._enter(label)
                self._text(text, line)
                if label and text and self._kind in ("status", "depends"):
                    # What follows a value in the label's own line is not a part of it.
                    self._enter("")
        elif block.kind == "list":
            self._list(block)
        elif block.kind == "fence":
            self._fence(block)
        elif block.kind != "rule":
            self._detail(block)

    def _enter(self, label: str) -> None:
        self._kind, self._label = kind_of(label), label

    def _at(self, line: int) -> int:
        return self.lines_at if self.lines_at is not None else line

    def _text(self, text: str, line: int) -> None:
        at = self._at(line)
        if not text.strip() or (text.startswith("<!--") and text.endswith("-->")):
            return
        if self._kind == "goal":
            self.draft.goal_parts.append(text)
        elif self._kind == "criteria":
            self.draft.criterion(key_of(self._label), fold(text), at, self._label)
        elif self._kind == "depends":
            self._depends(text)
        elif self._kind == "outputs":
            self._outputs(text, at)
        elif self._kind == "status":
            self._status(text, line)
        else:
            self.draft.prose(f"{self._label}: {text}" if self._label else text, at)

    def _list(self, block: Block) -> None:
        for item in block.children:
            text = item_text(item)
            label = split_label(text.split("\n", 1)[0]) if text.startswith(("**", "__")) else None
            known = label is not None and label.is_field and kind_of(label.name) != "details"
            if label is not None and known and self._kind in ("details", "goal"):
                before = self._kind, self._label
                self._enter(label.name)
                self._text("\n".join([label.rest, *text.split("\n")[1:]]).strip(), item.line)
                for child in item.children[1:]:
                    self.take(child)
                self._kind, self._label = before
            else:
                self._item(item, text)

    def _item(self, item: Block, text: str) -> None:
        at = self._at(item.line)
        if self._kind == "criteria" or box_of(text) is not None:
            self._criterion(item, text, at)
        elif self._kind == "depends":
            self._depends(text)
        elif self._kind == "outputs":
            self._outputs(text, at)
        elif self._kind == "status":
            self._status(text, item.line)
        else:
            self._detail(item)

    def _criterion(self, item: Block, text: str, at: int) -> None:
        bare = without_box(text)
        number = _NUMBERED.match(bare)
        origin = self._label or "task list"
        key = f"AC{number[1]}" if number else f"AC{len(self.draft.criteria) + 1}"
        nested = [fold(item_text(child)) for child, _ in all_items(item.children)]
        fences = [fence for fence in item.fences() if fence.info in _SHELLS]
        more = [p for fence in fences for p in fenced_proposals(fence.text, self._at(fence.line + 1))]
        words = fold(bare[number.end() :] if number else bare)
        self.draft.criterion(key, "; ".join(part for part in (words, *nested) if part), at, origin, more)

    def _fence(self, fence: Block) -> None:
        if self._kind == "criteria" and fence.info in _SHELLS:
            found = list(fenced_proposals(fence.text, self._at(fence.line + 1)))
            text = fold(fence.text) or self._label
            self.draft.criterion(key_of(self._label), text, self._at(fence.line), self._label, found, scan=False)
        elif self.runs_fences and fence.info in ("bash", "sh", "shell") and self._label.casefold() in _ACTIONS:
            self.draft.details.append(Detail(ActionKind.BASH, fence.text.rstrip("\n"), fence.line))
        else:
            self._detail(fence)

    def _detail(self, block: Block) -> None:
        text = "\n".join(outdent(self.file.lines[block.start : block.end])) if block.kind == "item" else ""
        self.draft.prose(text or "\n".join(self.file.lines[block.start : block.end]), self._at(block.line))

    def _depends(self, text: str) -> None:
        self.draft.depends_on += dependency_names(text)

    def _outputs(self, text: str, at: int) -> None:
        spans = code_spans(text)
        names = [span.text for span in spans] if spans else [part.strip() for part in fold(text).split(",")]
        self.draft.outputs += [Words(name.strip(), at) for name in names if name.strip()]

    def _status(self, text: str, line: int) -> None:
        word = text.split("<!--", 1)[0].split("(", 1)[0].strip().rstrip(".")
        self.draft.status = word
        self.draft.progress = progress_of(word)
        if self.lines_at is None:
            column = self.file.lines[line - 1].find(word, self.file.lines[line - 1].casefold().find("status") + 6)
            if word and column >= 0 and "\n" not in word:
                self.draft.mark = Edit(line, column, word, _done_like(word))


def _done_like(word: str) -> str:
    return "Done" if word[:1].isupper() else "done"


def dependency_names(text: str) -> list[str]:
    """The ids in a text like "T001, `T002` (why)"; none for "none"."""
    plain = re.sub(r"\([^()]{0,300}\)", " ", fold(text)).replace("`", " ").replace("*", " ")
    if plain.strip().casefold() in _NOTHING:
        return []
    words = (word.strip(".,;:").removeprefix("#") for word in re.split(r"[\s,;]+", plain))
    return [word for word in words if re.fullmatch(r"[A-Za-z]{0,12}[-_]?[\w.-]{0,40}\d[\w.-]{0,20}", word)]
