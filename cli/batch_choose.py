"""Which tasks of a file a batch runs, which it leaves out, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..nodes.batch import Chosen
from ..nodes.formats.foreign import Progress, TaskSource
from ..nodes.freeze import held_to
from ..nodes.plan import compile_plan
from ..nodes.secrets import without_secrets
from ..nodes.workers.launcher.masking import Masker
from ..state.batch import LeftOut
from ..state.errors import InputError


@dataclass(frozen=True)
class Choice:
    """The tasks to run in an order in which they can be run one by one, and those that are left out."""

    chosen: tuple[Chosen, ...]
    left_out: tuple[LeftOut, ...]


def choose(source: TaskSource, only: Sequence[str], begin_at: str | None, masker: Masker) -> Choice:
    """Choose the tasks of a batch.

    Args:
        only: these tasks; empty for all.
        begin_at: this task and all after it in the order of the file; those before it count as done.
        masker: hides secrets in what will be written down.

    Raises:
        TaskFileError: a task is not there, or cannot be run, or executes a secret.
        InputError: nothing is open, a task is not what was frozen, or waits for one that is neither done nor chosen.
    """
    if only and begin_at is not None:
        raise InputError("--only and --from contradict each other", next_step="give one of them")
    for id in (*only, *([begin_at] if begin_at is not None else [])):
        source.task(id)
    before = _before(source, begin_at)
    why = {id: _why_not(source, id, only, before) for id in source.order.ids}
    ids = [id for id, reason in why.items() if reason is None]
    if not ids:
        reasons = sorted({reason for reason in why.values() if reason})
        raise InputError(f"{source.path}: there is nothing to run", facts={"why": "; ".join(reasons[:5])})
    chosen = tuple(_chosen(source, id, frozenset(ids), before, masker) for id in ids)
    left_out = (
        LeftOut(id=id, title=masker.text(source.task(id).title), why=reason)
        for id, reason in why.items()
        if reason is not None
    )
    return Choice(chosen, tuple(left_out))


def _before(source: TaskSource, begin_at: str | None) -> frozenset[str]:
    ids = source.order.ids
    return frozenset(ids[: ids.index(begin_at)]) if begin_at is not None else frozenset()


def _why_not(source: TaskSource, id: str, only: Sequence[str], before: frozenset[str]) -> str | None:
    task = source.task(id)
    if task.progress is Progress.DONE:
        return "the file says that it is done"
    if task.progress is Progress.DROPPED:
        return f"the file says that it is dropped ({task.status})" if task.status else "the file says it is dropped"
    if id in before:
        return "before --from: it counts as done by the word of who gave that option; nothing here proves it"
    return "not named with --only" if only and id not in only else None


def _chosen(source: TaskSource, id: str, ids: frozenset[str], before: frozenset[str], masker: Masker) -> Chosen:
    waits = source.waits_for(id)
    for other in sorted(waits - ids - before):
        if source.task(other).progress is not Progress.DONE:
            state = source.task(other).progress.value
            raise InputError(
                f'{source.path}: task "{id}" waits for "{other}", which is {state} in the file and not chosen',
                next_step=f"choose it too (--only {other}), or begin there: --from {id} counts it as done",
            )
    task = without_secrets(source.runnable(id), masker)
    compile_plan(task)
    held_to(source.path, task, source.kinds)
    return Chosen(task, tuple(other for other in source.order.ids if other in waits & ids))
