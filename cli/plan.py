"""`waypost plan`: what a task file asks for, in which order, and what of it can be proved. Runs nothing."""

from __future__ import annotations

import getpass
import json as jsonlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..nodes.checks.kinds import Kinds
from ..nodes.checks.weak import weakness
from ..nodes.formats.amend import criterion_keys
from ..nodes.formats.foreign import Guess, Progress, TaskSource
from ..nodes.formats.foreign.compiled import Proving, other_checks
from ..nodes.formats.foreign.model import ForeignTask, Proposal
from ..nodes.freeze import criterion_checks, freeze, read_frozen
from ..nodes.plan import compile_plan
from ..nodes.secrets import without_secrets
from ..nodes.workers import Environment
from ..state.errors import WaypostError
from ..state.frozen import task_digest
from ..state.task import ActionKind, Task
from .safe import printable
from .sources import SourceOptions, open_source
from .view import choose_view

_TEXT_MAX = 160
_SHOWN_IDS = 12
_SHOWN_NOTES = 30


def show_plan(path: Path, *, task: str | None, options: SourceOptions, freezing: str | None, json: bool) -> int:
    """Print the plan of a task file, or of one task of it.

    Args:
        freezing: freeze what is shown, with this note; None: only show it.
    """
    try:
        source = open_source(path, options)
        tasks = [source.task(task)] if task is not None else list(source.tasks)
        print_plan(
            source, tasks, whole=task is not None, json=json, closing="plan" if freezing is not None else "result"
        )
        if freezing is not None:
            _freeze(source, tasks, freezing, json=json)
        return 0
    except WaypostError as error:
        return choose_view(json=json).failed(error)


def _freeze(source: TaskSource, tasks: list[ForeignTask], note: str, *, json: bool) -> None:
    masker = Environment().masker()
    shown = [without_secrets(source.runnable(task.id), masker) for task in tasks]
    who, at = getpass.getuser(), datetime.now(UTC)
    path = freeze(source.path, shown, source.kinds, who=who, at=at, note=masker.text(note))
    digests = {str(task.id): task_digest(task) for task in shown}
    if json:
        print(jsonlib.dumps({"event": "result", "frozen": str(path), "who": who, "digests": digests, "exit_code": 0}))
        return
    print()
    for id, digest in digests.items():
        print(f"{'frozen':<11} {printable(id)} by {printable(who)}, sha256 {digest}")
    print(f"{'':<11} in {printable(str(path))}: a run that differs from it is not started")


def print_plan(source: TaskSource, tasks: list[ForeignTask], *, whole: bool, json: bool, closing: str = "plan") -> None:
    """Print the plan of some tasks of a file.

    Args:
        whole: show a task in full also where the file says that it is done.
        closing: the event of the last JSON record.
    """
    if json:
        at = {"at": datetime.now(UTC).isoformat(timespec="milliseconds")} if closing == "plan" else {}
        for record in plan_records(source, tasks):
            print(jsonlib.dumps({**record, "event": record.get("event", closing), **at}, ensure_ascii=True))
        return
    for label, text in plan_lines(source, tasks, whole=whole):
        line = f"{label:<11} {printable(text)}" if label or text else ""
        print(line.rstrip())


def plan_lines(source: TaskSource, tasks: list[ForeignTask], *, whole: bool) -> Iterator[tuple[str, str]]:
    """Label and text of each line of the plan, for a reader."""
    count = {progress: sum(task.progress is progress for task in source.tasks) for progress in Progress}
    counts = ", ".join(f"{number} {progress.value}" for progress, number in count.items() if number)
    yield "file", str(source.path)
    yield "format", f"{source.format}: {len(source.tasks)} task(s), {counts}"
    yield "order", _order(source)
    yield "digest", source.digest
    yield from _frozen_lines(source, tasks)
    for task in tasks:
        if task.progress is Progress.OPEN or whole:
            yield "", ""
            yield from _task_lines(source, task)
        else:
            yield task.progress.value, f"{task.id}: {_cut(task.title)}"
    if source.notes:
        yield "", ""
    for note in source.notes[:_SHOWN_NOTES]:
        yield "note", f"{Path(note.file).name}:{note.line}: {_cut(note.text)}"
    if len(source.notes) > _SHOWN_NOTES:
        yield "note", f"{len(source.notes) - _SHOWN_NOTES} more; --json shows all"


def _frozen_lines(source: TaskSource, tasks: list[ForeignTask]) -> Iterator[tuple[str, str]]:
    """Of a file whose plan was frozen: by whom, and which of these tasks are another one now."""
    known = read_frozen(source.path)
    if known is None:
        return
    path, plan, _ = known
    for task in tasks:
        frozen = plan.tasks.get(task.id)
        if frozen is None:
            yield "frozen", f"{task.id} is not in {path.name}: it cannot be run"
        elif frozen.digest != task_digest(without_secrets(source.runnable(task.id), Environment().masker())):
            yield "CHANGED", f"{task.id} is not what {frozen.who} froze at {frozen.at:%Y-%m-%d %H:%M}: it cannot be run"
        else:
            yield "frozen", f"{task.id} by {frozen.who} at {frozen.at:%Y-%m-%d %H:%M}, unchanged"


def _order(source: TaskSource) -> str:
    open_ids = [id for id in source.order.ids if source.task(id).progress is Progress.OPEN]
    shown = ", ".join(open_ids[:_SHOWN_IDS]) + (", ..." if len(open_ids) > _SHOWN_IDS else "")
    return shown or "nothing is open"


def _task_lines(source: TaskSource, task: ForeignTask) -> Iterator[tuple[str, str]]:
    marks = " ".join([*(f"[{label}]" for label in task.labels), *(["(optional)"] if task.optional else [])])
    yield "task", f"{task.id}: {_cut(task.title)}"
    group = f" in {_cut(task.group)}" if task.group else ""
    status = f"{task.progress.value} ({task.status})" if task.status else task.progress.value
    yield "", f"{status} {marks}".rstrip() + f", {Path(task.file).name}:{task.line}{group}"
    if task.by_model:
        yield "", "PROPOSED BY A LANGUAGE MODEL: nobody wrote this task"
    waits = source.in_file_order(source.waits_for(task.id))
    if waits:
        undone = [id for id in waits if source.task(id).progress is Progress.OPEN]
        yield "waits for", _ids(waits) + (f"; not done in the file: {_ids(undone)}" if undone else "")
    compiled = source.runnable(task.id)
    for wave, steps in enumerate(compile_plan(compiled).waves, start=1):
        for id in steps:
            step = compiled.step(id)
            where = f", wave {wave}" if len(compiled.steps) > 1 else ""
            yield "step", f"{id}{where}: {len(step.actions)} action(s)"
            for action in step.actions:
                if action.kind is ActionKind.BASH:
                    # In full: what is accepted has to be seen.
                    yield "", f"the shell worker runs, from line {action.line}:"
                    yield from (("", f"    {line}") for line in action.text.split("\n"))
    if source.is_card:
        yield from _card_lines(compiled, source.kinds)
    else:
        for one in source.proving(task.id):
            yield from _proving_lines(source, task, one)
        for step in compiled.steps:
            for output in step.outputs:
                yield "output", f"{output.path} has to be there"


def _proving_lines(source: TaskSource, task: ForeignTask, one: Proving) -> Iterator[tuple[str, str]]:
    criterion = one.criterion
    said = f"({criterion.origin}): {_cut(criterion.text)}"
    yield "criterion", f"{criterion.key} {'(the title: the file states no criterion)' if criterion.implied else said}"
    proposed = {proposal.run: proposal for proposal in one.taken}
    for run in one.commands:
        where = (
            f"line {proposed[run].line}"
            if run in proposed
            else f"waypost.checks.toml:{one.added.line}"
            if one.added
            else ""
        )
        yield "check", f"{run}  ({where})"
    for other in other_checks(one, source.kinds):
        yield "check", f"{other}  (waypost.checks.toml:{one.added.line if one.added else 1})"
    for proposal in one.left:
        if proposal.guess is not Guess.CODE:
            yield "not run", f"{_cut(proposal.run)}: {proposal.reason}"
    if not one.proves:
        part = ", this proves only a part of it" if one.commands else ""
        skip = " or skip what is not run" if one.commands else ""
        where = f'[task."{task.id}"."{criterion.key}"]'
        yield "", f'UNVERIFIABLE{part}; add to waypost.checks.toml: {where} run = "COMMAND"{skip}'


def _card_lines(task: Task, kinds: Kinds) -> Iterator[tuple[str, str]]:
    for record in _card_records(task, kinds):
        yield "criterion", f"{' '.join(filter(None, (record['step'], record['id'])))}: {_cut(record['text'])}"
        for check in record["checks"]:
            yield "check", f"{check['what']}  ({check['kind']} {check['ref']})"
        if record["weak"]:
            yield "", f"PROVES NOTHING: {record['weak']}"
        if not record["proved"]:
            where = f'[task."{task.id}"."{record["key"]}"]'
            yield "", 'UNVERIFIABLE: it names no check; add "Verified by `command`" to it,'
            yield "", f'or to waypost.checks.toml: {where} run = "COMMAND"'


def _card_records(task: Task, kinds: Kinds) -> Iterator[dict[str, Any]]:
    """Each criterion of a card with its checks, for a script."""
    for contract, id, key in criterion_keys(task):
        criterion = next(one for one in contract.criteria if one.id == id)
        kind_of = {str(probe.ref): probe.kind for probe in contract.probes}
        kind_of |= {str(output.ref): "output" for output in contract.outputs}
        words = criterion_checks(contract, criterion.verified_by, kinds)
        refs = [str(ref) for ref in criterion.verified_by]
        yield {
            "key": key,
            "step": key.removesuffix(id).removesuffix("."),
            "id": id,
            "text": criterion.text,
            "line": criterion.line,
            "checks": [
                {"ref": ref, "kind": kind_of.get(ref, "command"), "what": what}
                for ref, what in zip(refs, words, strict=True)
            ],
            "proved": bool(refs),
            "weak": weakness(contract, criterion) or "",
        }


def plan_records(source: TaskSource, tasks: list[ForeignTask]) -> Iterator[dict[str, Any]]:
    """The same for a script: a record per task, one with all notes and the digest last."""
    unproved = 0
    for task in tasks:
        record = _task_record(source, task)
        unproved += bool(record["unverifiable"])
        yield record
    yield {
        "file": str(source.path),
        "format": source.format,
        "digest": source.digest,
        "tasks": len(tasks),
        "unverifiable_tasks": unproved,
        "order": list(source.order.ids),
        "notes": [{"file": note.file, "line": note.line, "text": note.text} for note in source.notes],
        "exit_code": 0,
    }


def _task_record(source: TaskSource, task: ForeignTask) -> dict[str, Any]:
    compiled = source.runnable(task.id)
    plan = compile_plan(compiled)
    criteria = (
        list(_card_records(compiled, source.kinds))
        if source.is_card
        else [_criterion_record(one, source.kinds) for one in source.proving(task.id)]
    )
    return {
        "event": "task",
        "id": task.id,
        "title": task.title,
        "file": task.file,
        "line": task.line,
        "progress": task.progress.value,
        "status": task.status,
        "parent": task.parent,
        "group": task.group,
        "labels": list(task.labels),
        "optional": task.optional,
        "by_model": task.by_model,
        "depends_on": list(task.depends_on),
        "waits_for": sorted(source.waits_for(task.id)),
        "steps": [{"id": step.id, "title": step.title, "actions": len(step.actions)} for step in compiled.steps],
        "waves": [list(wave) for wave in plan.waves],
        "criteria": criteria,
        "checks": [command.run for contract in (*compiled.steps, compiled) for command in contract.verification],
        "unverifiable": [gap.reason for gap in plan.gaps],
    }


def _criterion_record(one: Proving, kinds: Kinds) -> dict[str, Any]:
    criterion = one.criterion
    return {
        "key": criterion.key,
        "text": criterion.text,
        "line": criterion.line,
        "origin": criterion.origin,
        "implied": criterion.implied,
        "checks": [*one.commands, *other_checks(one, kinds)],
        "proved": one.proves,
        "not_run": [_proposal_record(proposal) for proposal in one.left],
    }


def _proposal_record(proposal: Proposal) -> dict[str, Any]:
    return {"run": proposal.run, "looks_like": proposal.guess.value, "reason": proposal.reason, "line": proposal.line}


def _ids(ids: list[str]) -> str:
    return ", ".join(ids[:_SHOWN_IDS]) + (f" and {len(ids) - _SHOWN_IDS} more" if len(ids) > _SHOWN_IDS else "")


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_MAX else line[: _TEXT_MAX - 3] + "..."
