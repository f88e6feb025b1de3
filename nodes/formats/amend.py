"""What `waypost.checks.toml` adds to a card, or puts in the place of what the card says, criterion by criterion."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...state.task import Contract, Task
from ..checks.kinds import Kinds
from .card import make_tasks
from .checks import Check
from .checks_file import AddedCheck, ChecksFile, checks_beside, read_checks
from .proof import ALL
from .raw import Proof, RawCommand, RawContract, RawCriterion, Words
from .source import SourceFile


def amended(
    file: SourceFile, path: Path, raws: Sequence[RawContract], written: tuple[Task, ...], kinds: Kinds
) -> tuple[Task, ...]:
    """The tasks of a card with the checks that stand beside it; as written where there is no such file.

    Raises:
        TaskFileError: it speaks of a task or criterion that the card does not have, or of an impossible check.
    """
    known = {str(task.id): dict.fromkeys(_keys(task, raw), ()) for task, raw in zip(written, raws, strict=True)}
    checks = read_checks(checks_beside(path), known, frozenset(), kinds)
    if checks is None:
        return written
    changed = [_task(raw, task, checks) for raw, task in zip(raws, written, strict=True)]
    made = make_tasks(file, changed, kinds)
    return tuple(
        task.model_copy(update={"source": task.source.model_copy(update={"checks_sha256": checks.file.sha256})})
        for task in made
    )


def criterion_keys(task: Task) -> list[tuple[Contract, str, str]]:
    """Each criterion of a card, and the key that names it in the file: `AC1` of the task, `S1.AC1` of a step."""
    return [
        (contract, str(criterion.id), f"{prefix}{criterion.id}")
        for prefix, contract in (*((f"{step.id}.", step) for step in task.steps), ("", task))
        for criterion in contract.criteria
    ]


def _keys(task: Task, raw: RawContract) -> Iterable[str]:
    """The keys of a task; one that is a single step without a heading has them without its name too."""
    for _contract, id, key in criterion_keys(task):
        yield key
        if not raw.steps:
            yield id


def _task(raw: RawContract, task: Task, checks: ChecksFile) -> RawContract:
    def of(*keys: str) -> AddedCheck | None:
        return next((added for key in keys if (added := checks.of(str(task.id), key)) is not None), None)

    if not raw.steps:
        lone = task.steps[0]
        return _contract(raw, lone, {c.id: of(c.id, f"{lone.id}.{c.id}") for c in lone.criteria})
    steps = tuple(
        _contract(part, step, {c.id: of(f"{step.id}.{c.id}") for c in step.criteria})
        for part, step in zip(raw.steps, task.steps, strict=True)
    )
    return _contract(replace(raw, steps=steps), task, {c.id: of(c.id) for c in task.criteria})


def _contract(raw: RawContract, contract: Contract, found: Mapping[str, AddedCheck | None]) -> RawContract:
    """The contract with what was found for each of its criteria, which stand in the same order in both."""
    added = {id: one for id, one in found.items() if one is not None}
    replaced = {id for id, one in added.items() if one.replace}
    ids = [str(criterion.id) for criterion in contract.criteria]
    criteria = tuple(_criterion(criterion, added.get(id)) for criterion, id in zip(raw.criteria, ids, strict=True))
    commands = [_proves_less(command, ids, replaced) for command in raw.verification]
    limited = [
        command
        for criterion, id in zip(raw.criteria, ids, strict=True)
        if id in added and _has_limits(added[id])
        for command in added[id].raw_commands(criterion.text.line, Words(id, criterion.text.line))
    ]
    return replace(raw, criteria=criteria, verification=(*commands, *_numbered(limited, contract)))


def _criterion(raw: RawCriterion, added: AddedCheck | None) -> RawCriterion:
    if added is None:
        return raw
    line = raw.text.line
    proofs = () if added.replace else raw.proofs
    if _has_limits(added):
        return replace(raw, proofs=proofs)
    commands = (Proof(run, line, is_command=True) for run in added.run)
    return replace(raw, proofs=(*proofs, *commands, *(_proof(check, line) for check in added.checks)))


def _proof(check: Check, line: int) -> Proof:
    """A check that the card does not name, as one that its criterion names."""
    if not check.subject:
        return Proof(check.kind, line, is_command=False)
    first, *more = check.subject
    kind = "" if check.is_command else check.kind
    return Proof(first, line, is_command=check.is_command, kind=kind, more=tuple(more), args=check.args)


def _has_limits(added: AddedCheck) -> bool:
    """True where it says more about its commands than a criterion can."""
    return bool(added.equivalents) or added.timeout_s is not None


def _proves_less(command: RawCommand, ids: Sequence[str], replaced: Collection[str]) -> RawCommand:
    """A command of the card that no longer proves what is proved otherwise now. It is run all the same."""
    if not replaced:
        return command
    everything = [Words(id, words.line) for words in command.proves if words.text == ALL for id in ids]
    named = [words for words in command.proves if words.text != ALL]
    left = {words.text: words for words in (*everything, *named) if words.text not in replaced}
    return replace(command, proves=tuple(left.values()))


def _numbered(commands: Sequence[RawCommand], contract: Contract) -> list[RawCommand]:
    """Commands with ids of their own: those of the card keep theirs."""
    taken = {str(ref) for ref in contract.refs}
    free = (f"A{number}" for number in range(1, 10_000) if f"A{number}" not in taken)
    return [replace(command, ref=Words(next(free), command.run.line)) for command in commands]
