"""Backlog.md: a Markdown file per task with front matter, one file or a folder of them, as configured beside it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ....state.errors import TaskFileError
from ..blocks import Block
from ..inline import fold, shorten
from ..source import SourceFile
from ..tree import Mapping
from ..yaml_tree import yaml_tree
from .document import Document, neighbour, read_document
from .draft import Draft, finish, short_title
from .model import Edit, Note, Progress, TaskList
from .sections import all_items, box_of, item_text, without_box
from .values import Fields, Unread, words

NAME = "backlog"
_READ = words(
    "id title status dependencies parent_task_id labels priority assignee reporter created_date updated_date "
    "references documentation milestone ordinal onStatusChange modified_files modifiedFiles subtasks type"
)
_FOLDERS = ("tasks", "completed")
_MAX_FILES = 5_000
_MAX_TOTAL = 64_000_000
_FILE_ID = re.compile(r"([A-Za-z]{1,20}-\d[\w.]{0,30}) - ")
_NUMBERED = re.compile(r"#(\d{1,4})\s")
_CRITERIA = {"acceptance criteria": ("AC", "AC"), "definition of done": ("DOD", "DOD")}


@dataclass(frozen=True)
class Config:
    """What `config.yml` says; the last status is the one of a finished task."""

    file: SourceFile | None = None
    statuses: tuple[str, ...] = ("To Do", "In Progress", "Done")

    @property
    def done(self) -> str:
        return self.statuses[-1]


def looks_like(document: Document) -> bool:
    """True for a file whose front matter has an id and a status."""
    return document.front is not None and {"id", "status"} <= set(document.front.entries)


def read(document: Document) -> TaskList:
    """The one task of a file; the configuration is looked for beside it and above. Raises TaskFileError."""
    notes: list[Note] = []
    config = _config(list(Path(document.file.path).absolute().parents)[:3], notes)
    return _finish([document], config, notes)


def read_folder(folder: Path) -> TaskList:
    """The tasks of a folder: of `tasks` and `completed` in it, or of itself. Raises TaskFileError."""
    notes: list[Note] = []
    top = folder / "backlog" if (folder / "backlog").is_dir() else folder
    config = _config([top, top.parent], notes)
    parts = [top / name for name in _FOLDERS if (top / name).is_dir() and not (top / name).is_symlink()] or [top]
    documents: list[Document] = []
    total = 0
    for path in _files(folder, parts, notes):
        document = read_document(path, follow_links=False)
        total += len(document.file.text)
        if total > _MAX_TOTAL or len(documents) >= _MAX_FILES:
            raise TaskFileError(str(folder), None, f"holds more than {_MAX_FILES} files or {_MAX_TOTAL} characters")
        if looks_like(document):
            documents.append(document)
        else:
            notes.append(Note(document.file.path, 1, "has no front matter with an id and a status: no task"))
    if not documents:
        raise TaskFileError(
            str(folder),
            None,
            "is a directory that holds no Backlog.md task",
            facts={"looked in": ", ".join(str(part) for part in parts)},
            next_step="name one task file, or a Backlog.md folder",
        )
    return _finish(documents, config, notes)


def ids_beside(path: Path) -> frozenset[str]:
    """The ids that the names of the files beside a task file begin with, in lower case."""
    try:
        names = os.listdir(path.parent)
    except OSError:
        return frozenset()
    return frozenset(found[1].casefold() for name in names[:_MAX_FILES] if (found := _FILE_ID.match(name)))


def _files(folder: Path, parts: list[Path], notes: list[Note]) -> Iterator[Path]:
    for part in parts:
        for where, folders, names in os.walk(part):
            folders.sort()
            for name in sorted(names):
                path = Path(where) / name
                if path.is_symlink():
                    notes.append(Note(str(path), 1, "is a symbolic link: not read"))
                elif name.endswith(".md"):
                    yield path
            links = [name for name in folders if (Path(where) / name).is_symlink()]
            notes += [Note(str(Path(where) / name), 1, "is a symbolic link: not read") for name in links]


def _config(folders: list[Path], notes: list[Note]) -> Config:
    for folder in folders:
        for name in ("config.yml", "config.yaml"):
            document = neighbour(folder / name)
            if document is None:
                continue
            node = yaml_tree(document.file)
            if not isinstance(node, Mapping) or "statuses" not in node.entries:
                return Config(document.file)
            fields = Fields(document.file, node, "a configuration")
            defaults = fields.items("definition_of_done")
            if defaults:
                text = f"{len(defaults)} defaults for new tasks: Backlog.md copies them into a task, none is added here"
                notes.append(Note(document.file.path, fields.line("definition_of_done"), text))
            return Config(document.file, tuple(fields.names("statuses")) or Config.statuses)
    return Config()


def _finish(documents: list[Document], config: Config, notes: list[Note]) -> TaskList:
    unread = Unread(_READ)
    drafts: list[Draft] = []
    parents: list[tuple[Draft, str]] = []
    for document in documents:
        fields = Fields(document.file, document.front or Mapping(1), "a task")
        unread.look(fields.node.lines)
        draft = _draft(document, fields, config, notes)
        drafts.append(draft)
        above = fields.text("parent_task_id").strip()
        if above:
            parents.append((draft, above))
    by_id = {draft.id.casefold(): draft for draft in drafts}
    for draft, name in parents:
        parent = by_id.get(name.casefold())
        if parent is None or parent is draft:
            where = draft.file.path if draft.file else ""
            notes.append(Note(where, draft.line, f'"{draft.id}" is a part of "{shorten(name)}", which is not here'))
        else:
            draft.parent = parent
    files = [document.file for document in documents]
    notes += unread.notes(files[0].path)
    others = [*files[1:], *([config.file] if config.file else [])]
    return finish(NAME, files[0], drafts, notes, files=others)


def _draft(document: Document, fields: Fields, config: Config, notes: list[Note]) -> Draft:
    file = document.file
    draft = Draft(id=fields.name("id"), title=short_title(fields.name("title")), line=fields.line("id"), file=file)
    status = fields.scalar("status")
    draft.status = status.text if status is not None else ""
    draft.progress = Progress.DONE if draft.status.casefold() == config.done.casefold() else Progress.OPEN
    if draft.status.casefold() not in {name.casefold() for name in config.statuses}:
        notes.append(Note(file.path, fields.line("status"), f'status "{shorten(draft.status)}" is taken as open'))
    if status is not None and status.width:
        old = file.lines[status.line - 1][status.column : status.column + status.width]
        quote = old[:1] if old[:1] in ("'", '"') else ""
        draft.mark = Edit(status.line, status.column, old, f"{quote}{config.done}{quote}")
    draft.depends_on = fields.names("dependencies")
    priority = fields.text("priority")
    draft.labels = fields.names("labels") + ([priority] if priority else [])
    draft.prose(fields.name("title"), fields.line("title"))
    _sections(document, draft)
    draft.goal = draft.goal or draft.title
    return draft


def _sections(document: Document, draft: Draft) -> None:
    """Criteria and text: between the comments that mark them, else below their headings."""
    inside = {index for start, end in document.marked.values() for index in range(start, end)}
    name = ""
    counted: Counter[str] = Counter()
    goal: list[str] = []
    for block in document.blocks:
        if block.kind == "heading" and block.level <= 2 and block.start not in inside:
            name = block.text.strip(" #:").casefold()
        elif name in _CRITERIA:
            prefix, marker = _CRITERIA[name]
            start, end = document.marked.get(marker, (0, len(document.lines)))
            if start <= block.start < end or marker not in document.marked:
                _criteria(draft, block, prefix, name, counted)
        elif name == "description":
            text = document.text_of(block.start, block.end)
            goal.append(text)
            draft.prose(text, block.line)
        elif name == "implementation plan":
            draft.prose(document.text_of(block.start, block.end), block.line)
    draft.goal = "\n\n".join(goal).strip()


def _criteria(draft: Draft, block: Block, prefix: str, origin: str, counted: Counter[str]) -> None:
    for item, depth in all_items([block]):
        text = item_text(item)
        if box_of(text) is None and depth > 0:
            continue
        bare = without_box(text)
        number = _NUMBERED.match(bare)
        key = f"{prefix}{number[1]}" if number else f"{prefix}{counted[prefix] + 1}"
        counted[prefix] += 1
        draft.criterion(key, fold(bare[number.end() :] if number else bare), item.line, origin)


def evidence_line(document: Document, text: str) -> tuple[int, str] | None:
    """Where a line about the evidence goes: before which line, 0-based, and the line; None without marked notes."""
    marked = document.marked.get("NOTES")
    return (marked[1], f"- {text}") if marked else None
