"""Writing tasks as a tool of each format would, and reading them, gives the tasks."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit import rendered
from waypost.nodes.formats.foreign import open_tasks

SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path, text, format):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    found = open_tasks(path)
    assert found.format == format
    return found


def told(found, *, criteria=True):
    return [
        (
            task.id,
            task.title,
            task.progress.value,
            task.depends_on,
            task.parent,
            tuple(c.text for c in task.criteria if not c.implied) if criteria else (),
        )
        for task in found.tasks
    ]


def meant(models):
    return [(m.id, m.title, m.progress, m.depends_on, m.parent, m.criteria) for m in models]


@SETTINGS
@given(tasks=rendered.SPEC_KIT, data=st.data())
def test_spec_kit(tmp_path, tasks, data):
    phases = sorted(data.draw(st.lists(st.integers(1, 3), min_size=len(tasks), max_size=len(tasks))))
    found = read(tmp_path / "tasks.md", rendered.spec_kit(tasks, phases), "spec-kit")
    suffix = {m.id: f" (depends on {', '.join(m.depends_on)})" if m.depends_on else "" for m in tasks}
    assert told(found, criteria=False) == [
        (m.id, m.title + suffix[m.id], m.progress, m.depends_on, None, ()) for m in tasks
    ]
    assert ["P" in task.labels for task in found.tasks] == [m.parallel for m in tasks]
    assert [c.text for task in found.tasks for c in task.criteria if not c.implied] == [
        f"phase {number} stands" for number in sorted(set(phases))
    ]
    position = {id: number for number, id in enumerate(found.order.ids)}
    assert all(position[a.id] < position[b.id] for a, p in zip(tasks, phases, strict=True)
               for b, q in zip(tasks, phases, strict=True) if p < q)  # fmt: skip


@SETTINGS
@given(tasks=rendered.SPEC_KIT_HEADINGS)
def test_spec_kit_with_headings(tmp_path, tasks):
    assert told(read(tmp_path / "tasks.md", rendered.spec_kit_headings(tasks), "spec-kit")) == meant(tasks)


@SETTINGS
@given(tasks=rendered.HEADINGS)
def test_headings(tmp_path, tasks):
    assert told(read(tmp_path / "work.md", rendered.headings(tasks), "headings")) == meant(tasks)


@SETTINGS
@given(tasks=rendered.TASK_MASTER, as_text=st.booleans(), indent=st.sampled_from([None, 2]))
def test_task_master(tmp_path, tasks, as_text, indent):
    found = read(tmp_path / "tasks.json", rendered.task_master(tasks, as_text, indent), "task-master")
    joined = [(*row[:5], ("; ".join(row[5]),) if row[5] else ()) for row in meant(tasks)]
    assert told(found) == joined


@SETTINGS
@given(tasks=rendered.BEADS)
def test_beads(tmp_path, tasks):
    assert told(read(tmp_path / "issues.jsonl", rendered.beads(tasks), "beads")) == meant(tasks)


@SETTINGS
@given(tasks=rendered.GITHUB)
def test_github(tmp_path, tasks):
    assert told(read(tmp_path / "issues.json", rendered.github(tasks), "github")) == meant(tasks)


@SETTINGS
@given(tasks=rendered.BACKLOG, marked=st.booleans(), quote=st.sampled_from(["", "'", '"']))
def test_backlog(tmp_path, tasks, marked, quote):
    found = read(tmp_path / "task-1 - x.md", rendered.backlog(tasks[0], marked, quote), "backlog")
    assert told(found) == meant(tasks)


@SETTINGS
@given(tasks=rendered.kiro_models())
def test_kiro(tmp_path, tasks):
    found = read(tmp_path / "tasks.md", rendered.kiro(tasks), "kiro")
    assert told(found) == meant(tasks)
    assert [task.optional for task in found.tasks] == [m.extra["optional"] for m in tasks]


@SETTINGS
@given(tasks=rendered.TASK_MASTER)
def test_every_task_that_is_read_can_be_made_a_task_to_run(tmp_path, tasks):
    found = read(tmp_path / "tasks.json", rendered.task_master(tasks, False, None), "task-master")
    assert [json.loads(found.runnable(m.id).model_dump_json())["title"] for m in tasks] == [m.title for m in tasks]
