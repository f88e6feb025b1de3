"""From what a reader collects to a finished list: unique ids, known dependencies, at least one criterion each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ....state.task import ActionKind
from ..inline import fold, shorten
from ..raw import Words
from ..source import SourceFile
from .classify import proposals
from .model import Detail, Edit, ForeignCriterion, ForeignTask, Note, Progress, Proposal, TaskList

TITLE_MAX = 200
_LISTS_CHECKS = frozenset(
    ("verification", "verify", "validation", "test command", "test commands", "how to test", "verification baseline")
)
_KEY = re.compile(r"[^a-z0-9.]+")
_TELLS_TO_CHECK = re.compile(
    r"(?:final |finally,? |manually |please )?(?:re-?)?"
    r"(?:run|validat|verif|check|confirm|ensur|test|lint|execut|measur)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Draft:
    """A task while its file is read."""

    id: str
    title: str
    line: int
    progress: Progress = Progress.OPEN
    status: str = ""
    goal: str = ""
    details: list[Detail] = field(default_factory=list[Detail])
    criteria: list[ForeignCriterion] = field(default_factory=list[ForeignCriterion])
    outputs: list[Words] = field(default_factory=list[Words])
    depends_on: list[str] = field(default_factory=list[str])
    parent: Draft | None = None
    group: str = ""
    labels: list[str] = field(default_factory=list[str])
    optional: bool = False
    parallel: bool = False
    by_model: bool = False
    mark: Edit | None = None
    file: SourceFile | None = None
    goal_parts: list[str] = field(default_factory=list[str])
    keys: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def whole_goal(self) -> str:
        """The goal and what was added to it."""
        return "\n".join([self.goal, *self.goal_parts]).strip()

    def prose(self, text: str, line: int) -> None:
        """Add something that is to be done."""
        if text := text.strip():
            self.details.append(Detail(ActionKind.PROSE, text, line))

    def criterion(
        self, key: str, text: str, line: int, origin: str, more: Iterable[Proposal] = (), *, scan: bool = True
    ) -> None:
        """Add something that has to be true; code in back-ticks in it is proposed as its checks."""
        own = key or key_of(origin)
        unique = own
        while unique in self.keys:
            self.keys[own] = self.keys.get(own, 1) + 1
            unique = f"{own}-{self.keys[own]}"
        self.keys.setdefault(unique, 1)
        own_text = proposals(text, line, stated=origin.casefold() in _LISTS_CHECKS) if scan else ()
        found = {proposal.run: proposal for proposal in (*own_text, *more)}
        self.criteria.append(ForeignCriterion(unique, text.strip(), line, origin, tuple(found.values())))


def key_of(label: str) -> str:
    """A label as the key of a criterion."""
    return _KEY.sub("-", label.casefold()).strip("-.")[:24].strip("-.") or "criterion"


def short_title(text: str) -> str:
    """The first line of a text, cut to what fits a title."""
    line = fold(text)
    return line if len(line) <= TITLE_MAX else line[: TITLE_MAX - 3] + "..."


def finish(
    format: str,
    file: SourceFile,
    drafts: Sequence[Draft],
    notes: list[Note],
    *,
    stages: Iterable[Sequence[Draft]] = (),
    files: Sequence[SourceFile] = (),
) -> TaskList:
    """The finished list. Adds a note for each id that stands twice and each dependency that is not there.

    Args:
        stages: drafts that wait for those of the stage before.
        files: what else was read.
    """
    unique = _unique_ids(file, drafts, notes)
    by_name: dict[str, str] = {}
    for draft in drafts:
        by_name.setdefault(draft.id.casefold(), unique[id(draft)])
    tasks = tuple(_task(file, draft, unique, by_name, notes) for draft in drafts)
    return TaskList(
        format=format,
        tasks=tasks,
        stages=tuple(tuple(unique[id(draft)] for draft in stage) for stage in stages if stage),
        notes=tuple(sorted(notes, key=lambda note: (note.file, note.line))),
        files=(file, *files) if file not in files else tuple(files),
    )


def _unique_ids(file: SourceFile, drafts: Sequence[Draft], notes: list[Note]) -> dict[int, str]:
    unique: dict[int, str] = {}
    used: dict[str, int] = {}
    counts: dict[str, int] = {}
    for draft in drafts:
        name = draft.id
        while name in used:
            counts[draft.id] = counts.get(draft.id, 1) + 1
            name = f"{draft.id}-{counts[draft.id]}"
        if name != draft.id:
            first = f"line {used[draft.id]}"
            text = (
                f'id "{shorten(draft.id)}" stands twice (first in {first}): this one is called "{shorten(name)}" here'
            )
            notes.append(Note(_file(file, draft), draft.line, text))
        used[name] = draft.line
        unique[id(draft)] = name
    return unique


def _task(
    file: SourceFile, draft: Draft, unique: dict[int, str], by_name: dict[str, str], notes: list[Note]
) -> ForeignTask:
    where = _file(file, draft)
    own = unique[id(draft)]
    depends_on: dict[str, None] = {}
    for name in draft.depends_on:
        known = by_name.get(name.casefold())
        if known == own:
            notes.append(Note(where, draft.line, f'task "{shorten(own)}" depends on itself: not taken up'))
            continue
        if known is None:
            notes.append(Note(where, draft.line, f'"{shorten(own)}" depends on "{shorten(name)}", which is not here'))
        depends_on[known or name] = None
    return ForeignTask(
        id=own,
        title=draft.title,
        file=where,
        line=draft.line,
        progress=draft.progress,
        status=draft.status,
        goal=draft.whole_goal or draft.title,
        details=tuple(draft.details),
        criteria=tuple(draft.criteria) or (implied(draft),),
        outputs=tuple(draft.outputs),
        depends_on=tuple(depends_on),
        parent=unique[id(draft.parent)] if draft.parent is not None else None,
        group=draft.group,
        labels=tuple(draft.labels),
        optional=draft.optional,
        by_model=draft.by_model,
        mark=draft.mark,
    )


def implied(draft: Draft) -> ForeignCriterion:
    """The task's own sentence, where the file states no criterion."""
    told = _TELLS_TO_CHECK.match(draft.title.lstrip("*_ ")) is not None
    found = proposals(draft.title, draft.line, only_run=not told)
    return ForeignCriterion("done", draft.title, draft.line, "the task's own text", found, implied=True)


def _file(file: SourceFile, draft: Draft) -> str:
    return draft.file.path if draft.file is not None else file.path
