"""Models of every foreign format, and how a tool of that kind would write them down."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from hypothesis import strategies as st

WORD = st.text(st.sampled_from("abcxyzXYZ019.,;()<>&~'\"$%\u00e4\u4e2d\U0001f600"), min_size=1, max_size=7)
LINE = st.lists(WORD, max_size=5).map(lambda words: " ".join(["Do", *words]))
BOX = {"open": " ", "done": "x"}


@dataclass
class Model:
    """What has to come back: per task its title, progress, dependencies, parent and criteria."""

    id: str
    title: str
    progress: str
    depends_on: tuple[str, ...] = ()
    parent: str | None = None
    criteria: tuple[str, ...] = ()
    group: str = ""
    parallel: bool = False
    extra: dict[str, object] = field(default_factory=dict)


@st.composite
def models(draw, ids, *, depends=True, parents=False, criteria=True, progress=("open", "done")):
    """Tasks with these ids; a task depends only on tasks above it, and is a part of a task above it."""
    found: list[Model] = []
    for id in ids:
        above = [model.id for model in found]
        some = st.lists(st.sampled_from(above), unique=True, max_size=3) if above and depends else st.just([])
        parent = draw(st.none() | st.sampled_from(above)) if above and parents else None
        ancestors = set()
        current = parent
        while current is not None:
            ancestors.add(current)
            current = next(m.parent for m in found if m.id == current)
        found.append(
            Model(
                id,
                draw(LINE),
                draw(st.sampled_from(progress)),
                tuple(name for name in draw(some) if name not in ancestors),
                parent,
                tuple(draw(st.lists(LINE, max_size=3))) if criteria else (),
                parallel=draw(st.booleans()),
            )
        )
    return found


def count(draw_max=6):
    return st.integers(1, draw_max)


SPEC_KIT = count().flatmap(lambda n: models([f"T{i:03d}" for i in range(1, n + 1)], criteria=False))


def spec_kit(tasks, phase_of):
    lines = ["# Tasks: x", ""]
    for number in sorted(set(phase_of)):
        lines += [f"## Phase {number}: P", "", "**Purpose**: to see", ""]
        for task, phase in zip(tasks, phase_of, strict=True):
            if phase == number:
                depends = f" (depends on {', '.join(task.depends_on)})" if task.depends_on else ""
                marks = " [P]" * task.parallel
                lines.append(f"- [{BOX[task.progress]}] {task.id}{marks} {task.title}{depends}")
        lines += ["", f"**Checkpoint**: phase {number} stands", "", "---", ""]
    return "\n".join(lines)


SPEC_KIT_HEADINGS = count().flatmap(lambda n: models([f"T-{i:03d}" for i in range(1, n + 1)]))


def spec_kit_headings(tasks):
    parts = ["# Tasks", ""]
    for task in tasks:
        parts += [f"### {task.id} \u2014 {task.title} ###", "", f"**Status**: {task.progress}", ""]
        parts += [f"**Depends on**: {', '.join(task.depends_on) or 'none'}", ""]
        if task.criteria:
            parts += ["**Acceptance Criteria**", "", *(f"- [ ] {text}" for text in task.criteria), ""]
    return "\n".join(parts)


HEADINGS = count().flatmap(lambda n: models([f"G-{i}" for i in range(1, n + 1)]))


def headings(tasks):
    parts = ["# Work", ""]
    for task in tasks:
        parts += [f"## {task.id}: {task.title} ##", "", "**Goal**: to see", "", f"**Status**: {task.progress}", ""]
        parts += ["**Dependencies**", "", *(f"- {name}" for name in task.depends_on or ("none",)), ""]
        if task.criteria:
            parts += ["**Acceptance**", "", *(f"* {text}" for text in task.criteria), ""]
    return "\n".join(parts)


TASK_MASTER = count().flatmap(
    lambda n: models([str(i) for i in range(1, n + 1)], criteria=True, progress=("open", "done", "dropped"))
)
STATUS = {"open": "pending", "done": "done", "dropped": "cancelled"}


def task_master(tasks, as_text, indent):
    rows = [
        {
            "id": task.id if as_text else int(task.id),
            "title": task.title,
            "testStrategy": "; ".join(task.criteria),
            "dependencies": [name if as_text else int(name) for name in task.depends_on],
            "status": STATUS[task.progress],
        }
        for task in tasks
    ]
    return json.dumps({"master": {"tasks": rows, "metadata": {}}}, indent=indent)


def can_be_ordered(tasks):
    """False where a part waits for something that waits for its whole."""
    by_id = {task.id: task for task in tasks}
    waits = {task.id: set(task.depends_on) | {part.id for part in tasks if part.parent == task.id} for task in tasks}
    for task in tasks:
        above = task.parent
        while above is not None:
            waits[task.id] |= set(by_id[above].depends_on)
            above = by_id[above].parent
    try:
        TopologicalSorter(waits).prepare()
    except CycleError:
        return False
    return True


BEADS = (
    count()
    .flatmap(lambda n: models([f"x-{i}" for i in range(1, n + 1)], parents=True, progress=tuple(STATUS)))
    .filter(can_be_ordered)
)
BEAD_STATUS = {"open": "in_progress", "done": "closed", "dropped": "tombstone"}


def beads(tasks):
    lines = []
    for task in tasks:
        depends = [{"issue_id": task.id, "depends_on_id": name, "type": "blocks"} for name in task.depends_on]
        depends += [{"depends_on_id": task.parent, "type": "parent-child"}] if task.parent else []
        row = {"id": task.id, "title": task.title, "status": BEAD_STATUS[task.progress], "issue_type": "task"}
        row["acceptance_criteria"] = "\n".join(f"- {text}" for text in task.criteria)
        lines.append(json.dumps({**row, "dependencies": depends}))
    return "\n".join(lines) + "\n"


GITHUB = count().flatmap(lambda n: models([str(i) for i in range(1, n + 1)]))


def github(tasks):
    rows = []
    for task in tasks:
        tracked = "".join(f"- [ ] #{name}\n" for name in task.depends_on)
        accepted = "### Acceptance criteria\n\n" + "".join(f"- [ ] {text}\n" for text in task.criteria)
        body = f"{tracked}\n{accepted if task.criteria else ''}".replace("\n", "\r\n")
        state = "CLOSED" if task.progress == "done" else "OPEN"
        rows.append({"number": int(task.id), "title": task.title, "body": body, "state": state, "labels": []})
    return json.dumps(rows)


BACKLOG = count(1).flatmap(lambda n: models(["TASK-1"], depends=False))


def backlog(task, marked, quote):
    status = "Done" if task.progress == "done" else "To Do"
    criteria = [f"- [ ] #{i} {text}" for i, text in enumerate(task.criteria, 1)]
    marks = ("<!-- AC:BEGIN -->", "<!-- AC:END -->") if marked else ("", "")
    front = [
        "---",
        f"id: {task.id}",
        f"title: {json.dumps(task.title, ensure_ascii=False)}",
        f"status: {quote}{status}{quote}",
        "---",
    ]
    return "\n".join([*front, "", "## Acceptance Criteria", marks[0], *criteria, marks[1], ""])


@st.composite
def kiro_models(draw):
    ids: list[str] = []
    for whole in range(1, draw(st.integers(1, 3)) + 1):
        ids.append(str(whole))
        ids += [f"{whole}.{part}" for part in range(1, draw(st.integers(0, 3)) + 1)]
    found = draw(models(ids, depends=False, criteria=False))
    for model in found:
        model.parent = model.id.rpartition(".")[0] or None
        model.extra["optional"] = draw(st.booleans())
    return found


def kiro(tasks):
    lines = ["# Implementation Plan", ""]
    for task in tasks:
        star = "*" * bool(task.extra["optional"])
        dot = "" if "." in task.id else "."
        lines.append(f"{'  ' * task.id.count('.')}- [{BOX[task.progress]}]{star} {task.id}{dot} {task.title}")
    return "\n".join(lines) + "\n"
