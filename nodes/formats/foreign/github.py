"""GitHub issues as `gh issue view --json ...` or `gh issue list --json ...` prints them: one object, or a list.

Boxes in the body are criteria, also below the headings of an issue form; `- [ ] #12` and "depends on #12" are
dependencies.
"""

from __future__ import annotations

import re

from ..inline import shorten
from ..source import SourceFile
from ..tree import Mapping, Node, Scalar
from ..tree import Sequence as ListNode
from .document import Document, embedded
from .draft import Draft, finish, short_title
from .model import Note, Progress, TaskList
from .sections import SectionReader
from .values import Fields, Unread, words

NAME = "github"
_READ = words(
    "number title body state labels url id assignees author createdAt updatedAt closedAt closed milestone comments "
    "stateReason projectItems projectCards reactionGroups isPinned html_url node_id user locked"
)
_REFERS = re.compile(
    r"\b(?:depends on|blocked by|requires)[:\s]{1,5}(#\d{1,9}(?:(?:\s{0,3},\s{0,3}|\s{1,3}and\s{1,3})#\d{1,9}){0,50})",
    re.IGNORECASE,
)
_TRACKED = re.compile(r"^[ \t]{0,12}[-*+] \[([ xX])\] #(\d{1,9})\b", re.MULTILINE)
_NUMBER = re.compile(r"#(\d{1,9})")
_EMPTY_ANSWER = "_No response_"
_MAX_TEXT = 400_000


def looks_like(document: Document) -> bool:
    """True for an object with a number and a title, or a list of them."""
    first = next(iter(_issues(document.json)), None)
    return isinstance(first, Mapping) and {"number", "title"} <= set(first.entries)


def read(document: Document) -> TaskList:
    """The issues of a file. Raises TaskFileError: an issue without a number or a title."""
    file = document.file
    notes: list[Note] = []
    unread = Unread(_READ)
    drafts = [_issue(file, node, notes, unread) for node in _issues(document.json)]
    if not drafts:
        raise file.error(
            1, "this file holds no issue", expected="the output of gh issue view N --json number,title,body,state"
        )
    notes += unread.notes(file.path)
    return finish(NAME, file, drafts, notes)


def _issues(top: Node | None) -> list[Node]:
    if isinstance(top, ListNode):
        return top.items
    return [top] if isinstance(top, Mapping) else []


def _issue(file: SourceFile, node: Node, notes: list[Note], unread: Unread) -> Draft:
    fields = Fields(file, node, "an issue")
    unread.look(fields.node.lines)
    draft = Draft(id=fields.name("number"), title=short_title(fields.name("title")), line=fields.node.line)
    draft.status = fields.text("state")
    draft.progress = Progress.DONE if draft.status.casefold() == "closed" else Progress.OPEN
    if draft.status.casefold() not in ("open", "closed"):
        text = f'state "{shorten(draft.status)}" is taken as open' if draft.status else "no state: taken as open"
        notes.append(Note(file.path, fields.node.line, text))
    draft.labels = [_label(file, item) for item in fields.items("labels")]
    draft.prose(fields.name("title"), fields.line("title"))
    body = fields.text("body").replace("\r\n", "\n").replace("\r", "\n")
    if len(body) > _MAX_TEXT:
        raise file.error(fields.line("body"), f"the body has more than {_MAX_TEXT} characters")
    _body(file, draft, body, fields.line("body"), notes)
    return draft


def _label(file: SourceFile, node: Node) -> str:
    if isinstance(node, Scalar):
        return node.text
    return Fields(file, node, "a label").text("name")


def _body(file: SourceFile, draft: Draft, body: str, line: int, notes: list[Note]) -> None:
    tracked = [found[2] for found in _TRACKED.finditer(body)]
    draft.depends_on += tracked
    draft.depends_on += [number for found in _REFERS.finditer(body) for number in _NUMBER.findall(found[1])]
    rest = _TRACKED.sub("- #\\2", body) if tracked else body
    rest = rest.replace(_EMPTY_ANSWER, "")
    blocks = embedded(rest)
    SectionReader(SourceFile(file.path, rest, ""), draft, notes, lines_at=line).read(blocks)
