"""Which task waits for which: dependencies, stages that are barriers, and tasks made of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from ....state.errors import TaskFileError
from .model import ForeignTask, TaskList

# Nodes of the graph that are no tasks: the end of a stage, the begin of a task made of tasks.
_Node = tuple[str, str]


class Order:
    """The order of a list of tasks.

    A task waits for what it depends on, for all tasks of the stage before its own, and for its parts; a part waits for
    what the whole depends on. Stages are kept as barriers, so that two large ones do not cost their product.

    Raises:
        TaskFileError: the tasks wait for each other in a circle.
    """

    def __init__(self, found: TaskList) -> None:
        self._tasks = {task.id: task for task in found.tasks}
        self._stages = found.stages
        self._stage_of = {task: number for number, stage in enumerate(found.stages) for task in stage}
        self._parts: dict[str, list[str]] = {}
        for task in found.tasks:
            if task.parent is not None:
                self._parts.setdefault(task.parent, []).append(task.id)
        self.ids = self._as_written(found) or self._sorted(found.tasks)

    def waits_for(self, id: str) -> frozenset[str]:
        """The tasks that have to be done before this one begins."""
        waits = set(self._parts.get(id, ()))
        stage = self._stage_of.get(id, 0)
        if stage:
            waits.update(self._stages[stage - 1])
        current: str | None = id
        seen: set[str] = set()
        while current is not None and current not in seen:
            seen.add(current)
            task = self._tasks[current]
            waits.update(name for name in task.depends_on if name in self._tasks)
            current = task.parent
        # A part does not wait for the whole it belongs to, also where the file says so.
        return frozenset(waits - seen)

    def parts_of(self, id: str) -> tuple[str, ...]:
        """The tasks that this one is made of."""
        return tuple(self._parts.get(id, ()))

    def _as_written(self, found: TaskList) -> tuple[str, ...] | None:
        """The order of the file, or of its stages, where nothing waits for something below it; None else."""
        if found.stages and len(self._stage_of) < len(found.tasks):
            return None
        ids = tuple(id for stage in found.stages for id in stage) or tuple(self._tasks)
        position = {id: number for number, id in enumerate(ids)}
        for task in found.tasks:
            own = position[task.id]
            if task.parent is not None and position[task.parent] <= own:
                return None
            if any(position.get(name, -1) >= own for name in task.depends_on):
                return None
            # A part that waits for what its whole depends on may stand above that.
            if task.id in self._parts and task.depends_on:
                return None
        return ids

    def _sorted(self, tasks: Sequence[ForeignTask]) -> tuple[str, ...]:
        sorter: TopologicalSorter[_Node] = TopologicalSorter()
        for number, stage in enumerate(self._stages):
            sorter.add(("stage", str(number)), *(("task", id) for id in stage))
        for task in tasks:
            self._add(sorter, task)
        try:
            sorter.prepare()
        except CycleError as error:
            raise self._cycle(error.args[1]) from None
        position = {task.id: number for number, task in enumerate(tasks)}
        ordered: list[str] = []
        while sorter.is_active():
            ready = sorter.get_ready()
            ordered += sorted((name for kind, name in ready if kind == "task"), key=position.__getitem__)
            sorter.done(*ready)
        return tuple(ordered)

    def _add(self, sorter: TopologicalSorter[_Node], task: ForeignTask) -> None:
        begin, node = ("begin", task.id), ("task", task.id)
        above = self._above(task)
        waits = [("task", name) for name in task.depends_on if name in self._tasks and name not in above]
        if task.parent is not None and task.parent != task.id:
            waits.append(("begin", task.parent))
        sorter.add(begin, *waits)
        sorter.add(node, begin, *(("task", part) for part in self._parts.get(task.id, ()) if part != task.id))
        stage = self._stage_of.get(task.id, 0)
        if stage:
            sorter.add(node, ("stage", str(stage - 1)))

    def _above(self, task: ForeignTask) -> set[str]:
        above: set[str] = set()
        current = task.parent
        while current is not None and current not in above:
            above.add(current)
            current = self._tasks[current].parent
        return above

    def _cycle(self, found: list[_Node]) -> TaskFileError:
        names = list(dict.fromkeys(name for kind, name in found[:0:-1] if kind != "stage"))
        first = min((self._tasks[name] for name in names), key=lambda task: (task.file, task.line))
        start = names.index(first.id)
        shown = [*names[start:], *names[:start], first.id]
        circle = " -> ".join(f'"{name}"' for name in (shown if len(shown) <= 12 else [*shown[:11], "..."]))
        return TaskFileError(
            first.file,
            first.line,
            f"the tasks wait for each other in a circle: {circle}",
            next_step="remove one of these dependencies",
        )
