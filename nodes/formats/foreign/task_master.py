"""Task Master `tasks.json`: tagged or plain, ids as numbers or texts, subtasks named `<task>.<subtask>`."""

from __future__ import annotations

from collections.abc import Sequence

from ..inline import fold, shorten
from ..tree import Mapping, Node, Scalar
from ..tree import Sequence as ListNode
from .document import Document
from .draft import Draft, finish, short_title
from .model import Edit, Note, Progress, TaskList
from .sections import progress_of
from .values import Fields, Unread, words

NAME = "task-master"
DEFAULT_TAG = "master"
_MARKS = frozenset(("testStrategy", "subtasks", "details", "status", "description"))
_CARD = frozenset(("goal", "steps", "actions", "criteria", "verification"))
_READ = words(
    "id title description details testStrategy priority dependencies status subtasks parentTaskId parentId "
    "updatedAt createdAt complexity complexityScore"
)
_OPEN = frozenset(("pending", "in-progress", "review", "blocked", "todo", "open"))
_MAX_DEPTH = 6


def looks_like(document: Document) -> bool:
    """True for an object with `tasks`, or with tags that have them, where the tasks are Task Master's."""
    tags = _tags(document.json)
    items = [item for tasks in tags.values() for item in tasks.items]
    entries = [set(item.entries) for item in items[:50] if isinstance(item, Mapping)]
    if not items:
        return bool(tags)
    return any(names & _MARKS and not names & _CARD for names in entries)


def read(document: Document, tag: str | None = None) -> TaskList:
    """The tasks of one tag. Raises TaskFileError: no such tag, or a task without an id or a title."""
    return _Reader(document).read(tag)


def _tags(top: Node | None) -> dict[str, ListNode]:
    """Tag -> its tasks; the plain shape is the tag ""."""
    if not isinstance(top, Mapping):
        return {}
    plain = top.entries.get("tasks")
    if isinstance(plain, ListNode):
        return {"": plain}
    found: dict[str, ListNode] = {}
    for name, node in top.entries.items():
        tasks = node.entries.get("tasks") if isinstance(node, Mapping) else None
        if isinstance(tasks, ListNode):
            found[name] = tasks
    return found


class _Reader:
    def __init__(self, document: Document) -> None:
        self.file = document.file
        self.tags = _tags(document.json)
        self.notes: list[Note] = []
        self.drafts: list[Draft] = []
        self.unread = Unread(_READ)

    def read(self, tag: str | None) -> TaskList:
        chosen = self._choose(tag)
        for node in self.tags[chosen].items:
            self._task(node, None, (), chosen)
        if not self.drafts:
            raise self.file.error(self.tags[chosen].line, "this file holds no task")
        self.notes += self.unread.notes(self.file.path)
        return finish(NAME, self.file, self.drafts, self.notes)

    def _choose(self, tag: str | None) -> str:
        known = ", ".join(name or "(none)" for name in self.tags)
        if not self.tags:
            raise self.file.error(1, 'this file has no "tasks"', expected='{"master": {"tasks": [...]}}')
        if tag is not None and tag not in self.tags:
            raise self.file.error(1, f'there is no tag "{shorten(tag)}"', tags=known, next_step="choose one with --tag")
        if tag is not None:
            return tag
        if len(self.tags) == 1:
            return next(iter(self.tags))
        if DEFAULT_TAG not in self.tags:
            raise self.file.error(1, "this file has several tags", tags=known, next_step="choose one with --tag")
        others = ", ".join(name for name in self.tags if name != DEFAULT_TAG)
        self.notes.append(Note(self.file.path, 1, f'tag "{DEFAULT_TAG}" is read; --tag chooses another: {others}'))
        return DEFAULT_TAG

    def _task(self, node: Node, parent: Draft | None, siblings: Sequence[str], tag: str) -> None:
        fields = Fields(self.file, node, "a subtask" if parent else "a task")
        own = fields.name("id")
        id = own if parent is None or own.startswith(f"{parent.id}.") else f"{parent.id}.{own}"
        if id.count(".") > _MAX_DEPTH:
            raise self.file.error(fields.node.line, f"subtasks are nested deeper than {_MAX_DEPTH} levels")
        draft = Draft(id=id, title=short_title(fields.name("title")), line=fields.node.line, parent=parent, group=tag)
        self.drafts.append(draft)
        self._status(draft, fields)
        draft.goal = fields.text("description").strip() or draft.title
        draft.prose(fields.name("title"), fields.line("title"))
        for name in ("description", "details"):
            draft.prose(fields.text(name), fields.line(name))
        strategy = fields.text("testStrategy").strip()
        if strategy:
            draft.criterion("test-strategy", fold(strategy), fields.line("testStrategy"), "testStrategy")
        priority = fields.text("priority")
        draft.labels = [priority] if priority else []
        draft.depends_on = [self._full_id(name, parent, siblings) for name in fields.names("dependencies")]
        self.unread.look(fields.node.lines)
        parts = fields.items("subtasks")
        names = [_id_of(part) for part in parts]
        for part in parts:
            self._task(part, draft, names, tag)

    def _full_id(self, name: str, parent: Draft | None, siblings: Sequence[str]) -> str:
        """A plain number in a subtask names the subtask beside it, where there is one."""
        if parent is not None and name in siblings and not name.startswith(f"{parent.id}."):
            return f"{parent.id}.{name}"
        return name

    def _status(self, draft: Draft, fields: Fields) -> None:
        node = fields.scalar("status")
        if node is None:
            draft.status = "(none)"
            return
        draft.status = node.text
        draft.progress = progress_of(node.text)
        if draft.progress is Progress.OPEN and node.text not in _OPEN:
            self.notes.append(Note(self.file.path, node.line, f'status "{shorten(node.text)}" is taken as open'))
        if node.width:
            line = self.file.lines[node.line - 1]
            draft.mark = Edit(node.line, node.column, line[node.column : node.column + node.width], '"done"')


def _id_of(node: Node) -> str:
    id = node.entries.get("id") if isinstance(node, Mapping) else None
    return id.text if isinstance(id, Scalar) else ""
