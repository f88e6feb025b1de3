"""Which format a task file is in, and one way to all of them: what stands in it, in which order, and how to run it."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ....state.errors import TaskFileError
from ....state.task import Task
from ...checks.kinds import BUILTIN, Kinds
from ..checks_file import ChecksFile, Proposed, checks_beside, read_checks
from ..registry import read_tasks
from . import backlog, beads, cards, github, headings, kiro, spec_kit, task_master
from .compiled import Proving, compile_foreign, proving
from .document import Document, read_document
from .model import ForeignTask, TaskList
from .order import Order

CARD = "card"


@dataclass(frozen=True)
class Format:
    """One format: how it is recognised, how it is read, and what a reader is told that it looks like."""

    name: str
    looks_like: Callable[[Document], bool]
    read: Callable[[Document], TaskList] | None
    shape: str
    first: str


_FORMATS = (
    Format(CARD, cards.looks_like, None, "### Task <ID>: <Title> with **Goal**, or a task as YAML or JSON", ""),
    Format(backlog.NAME, backlog.looks_like, backlog.read, "front matter with id and status, or a folder", "-"),
    Format(spec_kit.NAME, spec_kit.looks_like, spec_kit.read, "- [ ] T001 ..., or ### T-001 ...", ""),
    Format(kiro.NAME, kiro.looks_like, kiro.read, "- [ ] 1. ..., or ## Task 1: ...", ""),
    Format(beads.NAME, beads.looks_like, beads.read, '{"id": ..., "issue_type": ...} per line', "{"),
    Format(task_master.NAME, task_master.looks_like, task_master.read, '{"master": {"tasks": [...]}}', "{"),
    Format(github.NAME, github.looks_like, github.read, '{"number": ..., "title": ...}, or a list', "{["),
    Format(headings.NAME, headings.looks_like, headings.read, "a heading with **Goal** and **Acceptance**", ""),
)
PROSE = "prose"
FORMATS = (*(format.name for format in _FORMATS), PROSE)


class TaskSource:
    """A task file of any format: its tasks, their order, and the Task to run for each.

    Attributes:
        path: what was opened.
        format: its name.
        tasks: in file order.
        notes: what was not understood or not taken up.
        checks: the sidecar of a foreign file, if there is one; what stands beside a card is in its tasks.
        kinds: the kinds of check that may be named.
        order: which task waits for which; `order.ids` is an order in which they can be run one by one.
        digest: SHA-256 over everything that was read; the same digest is the same plan.
    """

    def __init__(
        self,
        path: Path,
        found: TaskList,
        *,
        checks: ChecksFile | None = None,
        cards: tuple[Task, ...] = (),
        kinds: Kinds = BUILTIN,
    ) -> None:
        self.path = path
        self.format = found.format
        self.tasks = found.tasks
        self.notes = found.notes
        self.files = found.files
        self.checks = checks
        self.kinds = kinds
        self.order = Order(found)
        self._by_id = {task.id: task for task in found.tasks}
        self._position = {task.id: number for number, task in enumerate(found.tasks)}
        self._cards = {str(card.id): card for card in cards}
        self._file_of = {file.path: file for file in found.files}

    @cached_property
    def digest(self) -> str:
        files = [(Path(file.path).name, file.sha256) for file in self.files]
        beside = {card.source.checks_sha256 for card in self._cards.values()}
        sidecar = self.checks.file.sha256 if self.checks is not None else next(iter(beside), None)
        # What a model wrote is no file: its words are part of what is accepted.
        by_model = [repr(task) for task in self.tasks if task.by_model]
        told = json.dumps([self.format, files, sidecar, [task.id for task in self.tasks], by_model])
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def is_card(self) -> bool:
        """True for a card of our own, which says itself what is run and needs no acceptance."""
        return self.format == CARD

    def task(self, id: str) -> ForeignTask:
        """The task of that id. Raises TaskFileError."""
        found = self._by_id.get(id)
        if found is None:
            known = ", ".join(list(self._by_id)[:40])
            raise TaskFileError(
                str(self.path),
                None,
                f"holds no task {id[:60]!r}",
                facts={"tasks": known},
                next_step="choose one with --task",
            )
        return found

    def the_task(self, id: str | None) -> ForeignTask:
        """The task of that id, or the only one. Raises TaskFileError: there are several and none was named."""
        if id is None and len(self.tasks) > 1:
            known = ", ".join(list(self._by_id)[:40]) + (", ..." if len(self._by_id) > 40 else "")
            raise TaskFileError(
                str(self.path),
                None,
                f"holds {len(self.tasks)} tasks",
                facts={"tasks": known},
                next_step="choose one with --task",
            )
        return self.task(id if id is not None else next(iter(self._by_id)))

    def waits_for(self, id: str) -> frozenset[str]:
        """The tasks of this file that have to be done before that one begins."""
        return self.order.waits_for(id)

    def in_file_order(self, ids: Iterable[str]) -> list[str]:
        """Ids of tasks of this file, in the order they stand in it."""
        return sorted(ids, key=self._position.__getitem__)

    def proving(self, id: str) -> tuple[Proving, ...]:
        """Each criterion of a task with what will prove it. Of a foreign format only."""
        return proving(self.task(id), self.checks)

    def runnable(self, id: str) -> Task:
        """The Task to run. Criteria that nothing proves are in it, without checks.

        Raises:
            TaskFileError: there is no such task, or its id is no safe name for a folder.
        """
        task = self.task(id)
        if id in self._cards:
            return self._cards[id]
        return compile_foreign(
            self._file_of[task.file], self.format, task, self.checks, frozenset(self._by_id), self.kinds
        )


def open_tasks(
    path: Path,
    format: str | None = None,
    *,
    tag: str | None = None,
    free_text: Callable[[Document], TaskList] | None = None,
    with_checks: bool = True,
    kinds: Kinds = BUILTIN,
) -> TaskSource:
    """Read a task file, or a folder of Backlog.md, in the format it is in or the one that is named.

    Reads that file, `waypost.checks.toml` beside it, and what the format keeps beside it (requirements.md, config.yml);
    never a file that a task file names.

    Args:
        tag: which list of a Task Master file.
        free_text: reads the file where it is in no known format, or where `format` is `prose`.
        with_checks: False leaves the sidecar of a foreign file unread.
        kinds: the kinds of check that may be named.

    Raises:
        TaskFileError: it cannot be read, is in no known format, or in more than one.
    """
    if format is not None and format not in FORMATS:
        raise TaskFileError(str(path), None, f'there is no format "{format[:40]}"', facts={"known": ", ".join(FORMATS)})
    if path.is_dir() and format in (None, backlog.NAME):
        return _source(path, backlog.read_folder(path), with_checks, kinds)
    if format == CARD:
        return _card_source(path, read_document(path), kinds)
    with _nothing_to_collect():
        return _open_file(path, format, tag, free_text, with_checks, kinds)


@contextlib.contextmanager
def _nothing_to_collect() -> Generator[None]:
    """Without the garbage collector: a large file makes a million objects that all live, and looking at them again and
    again takes as long as reading."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            _count_as_old()
            gc.enable()


def _count_as_old() -> None:
    """What was made counts as new, and the next collection would look at all of it."""
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()


def _open_file(
    path: Path,
    format: str | None,
    tag: str | None,
    free_text: Callable[[Document], TaskList] | None,
    with_checks: bool,
    kinds: Kinds,
) -> TaskSource:
    document = read_document(path)
    matching, tried = _matching(path, document) if format in (None, PROSE) else ([], [])
    if free_text is not None and (format == PROSE or (format is None and not matching)):
        return _source(path, free_text(document), with_checks, kinds)
    chosen = _named(path, format) if format is not None else _only(document, matching, tried)
    if chosen.read is None:
        return _card_source(path, document, kinds)
    found = task_master.read(document, tag) if chosen.name == task_master.NAME else chosen.read(document)
    return _source(path, found, with_checks, kinds)


def _named(path: Path, name: str) -> Format:
    for format in _FORMATS:
        if format.name == name:
            return format
    raise TaskFileError(
        str(path),
        None,
        "free text is read by a language model only, and none is configured",
        next_step="name one with --model PROVIDER:NAME (needs the extra: pip install 'waypost[llm]')",
    )


def _card_source(path: Path, document: Document, kinds: Kinds) -> TaskSource:
    found = read_tasks(path, kinds)
    return TaskSource(path, cards.listed(document, found), cards=found, kinds=kinds)


def _source(path: Path, found: TaskList, with_checks: bool, kinds: Kinds) -> TaskSource:
    if not with_checks:
        return TaskSource(path, found, kinds=kinds)
    elsewhere = backlog.ids_beside(path) if found.format == backlog.NAME and not path.is_dir() else frozenset[str]()
    return TaskSource(
        path, found, checks=read_checks(checks_beside(path), _proposed(found), elsewhere, kinds), kinds=kinds
    )


def _proposed(found: TaskList) -> dict[str, Proposed]:
    return {
        task.id: {c.key: tuple(proposal.run for proposal in c.proposals) for c in task.criteria} for task in found.tasks
    }


def _matching(path: Path, document: Document) -> tuple[list[Format], list[Format]]:
    """The formats that the content is in, and all that were tried."""
    if path.suffix.lower() in (".yaml", ".yml"):
        return [_FORMATS[0]], []
    tried: list[Format] = []
    matching: list[Format] = []
    for format in _FORMATS:
        if format.name == headings.NAME and matching:
            continue
        tried.append(format)
        if (not format.first or document.begins in format.first) and format.looks_like(document):
            matching.append(format)
        if matching and matching[-1].name in (CARD, backlog.NAME, beads.NAME):
            break
    return matching, tried


def _only(document: Document, matching: list[Format], tried: list[Format]) -> Format:
    if len(matching) == 1:
        return matching[0]
    shapes = {format.name: format.shape for format in (matching or tried)}
    if matching:
        names = " and ".join(format.name for format in matching)
        raise document.file.error(1, f"this file looks like {names}", next_step="choose one with --format", **shapes)
    raise document.file.error(
        1,
        "this file is in no known format",
        expected="a task card, see docs/task-card.md, or one of these",
        next_step="choose one with --format, or let a chat model read it: --model PROVIDER:NAME (extra: llm)",
        **shapes,
    )
