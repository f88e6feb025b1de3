"""Our own card among the other formats: recognised by its headings and fields, listed like any other task."""

from __future__ import annotations

from collections.abc import Sequence

from ....state.task import Task
from ..inline import split_label
from ..tree import Mapping
from ..tree import Sequence as ListNode
from .document import Document
from .model import ForeignCriterion, ForeignTask, Progress, TaskList

NAME = "card"
_LABELS = frozenset(
    ("goal", "concrete actions", "acceptance criteria", "expected outputs", "deliverables", "allowed scope",
     "verification", "verification baseline")
)  # fmt: skip
_FIELDS = frozenset(("goal", "steps", "actions", "criteria", "verification"))


def looks_like(document: Document) -> bool:
    """True for a heading `Task <ID>: ...` with a field of a card below it, or an object with the fields of one."""
    if document.begins in ("{", "["):
        return _is_object(document)
    below_task = False
    for block in document.blocks:
        if block.kind == "heading":
            head, colon, _ = block.text.partition(":")
            words = head.split()
            if colon and len(words) == 2 and words[0].casefold() == "task":
                below_task = True
        elif below_task and block.kind == "paragraph":
            for line in document.lines[block.start : block.end]:
                label = split_label(line.strip())
                if label is not None and label.is_field and label.name.casefold() in _LABELS:
                    return True
    return False


def _is_object(document: Document) -> bool:
    first = next((line for line in document.lines if line.strip()), "").strip()
    if first.startswith("{") and first.endswith("}") and len(document.lines) > 2:
        return False  # One object per line is no card, and no JSON either.
    top = document.json
    if not isinstance(top, Mapping):
        return False
    tasks = top.entries.get("tasks")
    items = tasks.items if isinstance(tasks, ListNode) else [top]
    return any(isinstance(item, Mapping) and bool(_FIELDS & set(item.entries)) for item in items[:50])


def listed(document: Document, tasks: Sequence[Task]) -> TaskList:
    """Cards that were read, as a list."""
    return TaskList(
        format=NAME,
        tasks=tuple(_listed(task) for task in tasks),
        stages=(),
        notes=(),
        files=(document.file,),
    )


def _listed(task: Task) -> ForeignTask:
    criteria = [
        ForeignCriterion(f"{prefix}{criterion.id}", criterion.text, criterion.line or 1, "acceptance criteria")
        for prefix, contract in [*((f"{step.id}.", step) for step in task.steps), ("", task)]
        for criterion in contract.criteria
    ]
    return ForeignTask(
        id=task.id,
        title=task.title,
        file=task.source.path,
        line=task.line or 1,
        progress=Progress.OPEN,
        status="",
        goal=task.goal,
        criteria=tuple(criteria),
        depends_on=tuple(task.depends_on),
    )
