"""beads `issues.jsonl`: one JSON object per line; `blocks` is a dependency, `parent-child` makes parts of a whole."""

from __future__ import annotations

from typing import Any, cast

import orjson

from ..inline import fold, shorten
from ..json_tree import json_tree
from ..source import SourceFile, visible_controls
from ..tree import Mapping, Scalar
from .document import Document, embedded
from .draft import Draft, finish, short_title
from .model import Edit, Note, Progress, TaskList
from .sections import SectionReader, all_items, item_text, kind_of, without_box
from .values import Unread, words

NAME = "beads"
_MARKS = frozenset(("issue_type", "priority", "created_at", "dependencies", "acceptance_criteria"))
_READ = words(
    "id title description design acceptance_criteria notes status priority issue_type dependencies labels _type "
    "created_at created_by updated_at closed_at close_reason deleted_at deleted_by delete_reason original_type "
    "comments assignee owner external_ref estimated_minutes source_repo compaction_level original_size"
)
_PROGRESS = {
    "open": Progress.OPEN,
    "in_progress": Progress.OPEN,
    "blocked": Progress.OPEN,
    "hooked": Progress.OPEN,
    "pinned": Progress.OPEN,
    "closed": Progress.DONE,
    "tombstone": Progress.DROPPED,
    "deferred": Progress.DROPPED,
}
_ASKS = ("acceptance", "success criteria", "definition of done", "done when", "test command", "verif")
_MAX_TEXT = 200_000
_Row = dict[str, Any]


def looks_like(document: Document) -> bool:
    """True where the first line is an object with an id, a title or a status, and one of the fields of an issue."""
    first = next((line for line in document.lines if line.strip()), "")
    try:
        row: object = orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    return isinstance(row, dict) and "id" in row and "number" not in row and bool(_MARKS & set(cast(_Row, row)))


def read(document: Document) -> TaskList:
    """The issues of a file. Raises TaskFileError: a line is no JSON object, or has no id or title."""
    return _Reader(document.file).read()


class _Reader:
    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.notes: list[Note] = []
        self.drafts: list[Draft] = []
        self.unread = Unread(_READ)
        self.parents: list[tuple[Draft, str]] = []
        self.other_kinds: dict[str, tuple[int, int]] = {}

    def read(self) -> TaskList:
        for number, line in enumerate(self.file.lines, start=1):
            if line.strip():
                self._row(line, number)
        if not self.drafts:
            raise self.file.error(1, "this file holds no issue")
        by_id = {draft.id: draft for draft in self.drafts}
        for draft, name in self.parents:
            parent = by_id.get(name)
            if parent is None or parent is draft or draft.parent is not None or _is_above(draft, parent):
                why = "is not here" if parent is None else "is not its only whole, or a part of it"
                self.notes.append(
                    Note(self.file.path, draft.line, f'"{draft.id}" is a part of "{shorten(name)}": {why}')
                )
            else:
                draft.parent = parent
        for kind, (count, first) in self.other_kinds.items():
            text = f'dependencies of the kind "{shorten(kind)}" give no order ({count} times)'
            self.notes.append(Note(self.file.path, first, text))
        self.notes += self.unread.notes(self.file.path)
        return finish(NAME, self.file, self.drafts, self.notes)

    def _row(self, line: str, number: int) -> None:
        try:
            value: object = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise self.file.error(number, f"this line is no JSON: {error.msg} (column {error.colno})") from None
        if not isinstance(value, dict):
            raise self.file.error(number, "this line is no JSON object", expected='{"id": "bd-1", "title": ...}')
        row = cast(_Row, value)
        self.unread.look(dict.fromkeys(row, number))
        if row.get("_type", "issue") != "issue":
            self.notes.append(
                Note(self.file.path, number, f'a line of type "{shorten(str(row["_type"]))}" is no issue')
            )
            return
        id, title = self._text(row, "id", number), self._text(row, "title", number)
        if not id.strip() or not title.strip():
            raise self.file.error(number, f"this issue has no {'title' if id.strip() else 'id'}")
        draft = Draft(id=fold(id), title=short_title(title), line=number)
        self.drafts.append(draft)
        self._status(draft, self._text(row, "status", number))
        draft.goal = self._text(row, "description", number) or draft.title
        draft.prose(title, number)
        for name in ("description", "design", "notes"):
            draft.prose(self._text(row, name, number), number)
        kind = self._text(row, "issue_type", number)
        draft.labels = [kind, *self._labels(row, number)] if kind else self._labels(row, number)
        self._criteria(draft, row, number)
        self._dependencies(draft, row, number)

    def _text(self, row: _Row, name: str, number: int) -> str:
        value = row.get(name)
        if value is None:
            return ""
        if isinstance(value, dict | list):
            raise self.file.error(number, f'field "{name}" has to be one value')
        return visible_controls(str(value).replace("\r\n", "\n").replace("\r", "\n"))

    def _labels(self, row: _Row, number: int) -> list[str]:
        value: object = row.get("labels") or []
        if not isinstance(value, list):
            raise self.file.error(number, 'field "labels" has to be a list')
        return [visible_controls(str(label)) for label in cast("list[object]", value)]

    def _status(self, draft: Draft, word: str) -> None:
        draft.status = word or "(none)"
        draft.progress = _PROGRESS.get(word, Progress.OPEN)
        if word not in _PROGRESS:
            self.notes.append(Note(self.file.path, draft.line, f'status "{shorten(draft.status)}" is taken as open'))
        if word:
            draft.mark = Edit(draft.line, -1, "", "")

    def _criteria(self, draft: Draft, row: _Row, number: int) -> None:
        accepted = self._text(row, "acceptance_criteria", number)
        if accepted.strip():
            texts = [without_box(item_text(item)) for item, _ in all_items(embedded(accepted[:_MAX_TEXT]))]
            for position, text in enumerate(texts or [accepted], start=1):
                draft.criterion(f"AC{position}", fold(text), number, "acceptance_criteria")
        description = self._text(row, "description", number)
        if any(word in description.casefold() for word in _ASKS):
            self._stated_in(draft, description[:_MAX_TEXT], number)

    def _stated_in(self, draft: Draft, description: str, number: int) -> None:
        """The criteria that a description states under a heading or label of its own."""
        read = Draft(id=draft.id, title=draft.title, line=number)
        SectionReader(SourceFile("", description, ""), read, [], lines_at=number).read(embedded(description))
        for criterion in read.criteria:
            if kind_of(criterion.origin) == "criteria" and any(word in criterion.origin.casefold() for word in _ASKS):
                draft.criterion(
                    criterion.key, criterion.text, number, criterion.origin, criterion.proposals, scan=False
                )

    def _dependencies(self, draft: Draft, row: _Row, number: int) -> None:
        value: object = row.get("dependencies") or []
        if not isinstance(value, list):
            raise self.file.error(number, 'field "dependencies" has to be a list')
        for item in cast("list[object]", value):
            entry = cast(_Row, item) if isinstance(item, dict) else {}
            name, kind = str(entry.get("depends_on_id") or ""), str(entry.get("type") or "")
            if not name or str(entry.get("issue_id") or draft.id) != draft.id:
                raise self.file.error(
                    number, "a dependency is not understood", expected='{"depends_on_id": ..., "type": "blocks"}'
                )
            if kind == "blocks":
                draft.depends_on.append(visible_controls(name))
            elif kind == "parent-child":
                self.parents.append((draft, visible_controls(name)))
            else:
                count, first = self.other_kinds.get(kind, (0, number))
                self.other_kinds[kind] = (count + 1, first)


def _is_above(draft: Draft, other: Draft) -> bool:
    """True if `draft` is the whole that `other` is a part of, directly or not."""
    current = other.parent
    while current is not None:
        if current is draft:
            return True
        current = current.parent
    return False


def closing_edits(line: str, number: int, *, closed_at: str, reason: str) -> list[Edit]:
    """The edits that close the issue of a line: its status, the times that go with it, and why.

    Raises:
        TaskFileError: the line has no status, or a field twice.
    """
    file = SourceFile("issues.jsonl", line, "")
    top = json_tree(file)
    status = top.entries.get("status") if isinstance(top, Mapping) else None
    if not isinstance(top, Mapping) or not isinstance(status, Scalar) or not status.width:
        raise file.error(number, "this issue has no status")
    edits = [_replace(line, number, status, "closed")]
    added: list[str] = []
    for name, value in (("updated_at", closed_at), ("closed_at", closed_at), ("close_reason", reason)):
        node = top.entries.get(name)
        if isinstance(node, Scalar) and node.width:
            edits.append(_replace(line, number, node, value))
        elif name not in top.entries and name != "updated_at":
            added.append(f',"{name}":{orjson.dumps(value).decode()}')
    end = line.rindex("}")
    return [*edits, Edit(number, end, "", "".join(added))]


def _replace(line: str, number: int, node: Scalar, value: str) -> Edit:
    old = line[node.column : node.column + node.width]
    return Edit(number, node.column, old, orjson.dumps(value).decode())
