"""From a foreign task to the Task that is run: by the card's own compiler, with the checks that may prove it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ....state.errors import InvalidId
from ....state.ids import task_id
from ....state.task import Action, ActionKind, Source, Task
from ..card import make_tasks
from ..paths import output_complaint
from ..raw import Proof, RawCommand, RawContract, RawCriterion, RawOutput, Words
from ..source import SourceFile
from .checks_file import AddedCheck, ChecksFile
from .model import Detail, ForeignCriterion, ForeignTask, Guess, Proposal


@dataclass(frozen=True, slots=True)
class Proving:
    """A criterion and what will prove it once the plan is accepted.

    Attributes:
        taken: proposed commands that will run.
        left: pieces of code that will not, each with the reason in it.
        added: what the sidecar adds.
    """

    criterion: ForeignCriterion
    taken: tuple[Proposal, ...]
    left: tuple[Proposal, ...]
    added: AddedCheck | None

    @property
    def undecided(self) -> tuple[Proposal, ...]:
        """What the criterion speaks of and nobody decided about: with it the other commands prove only a part."""
        if self.added is not None and self.added.run:
            return ()
        skip = self.added.skip if self.added is not None else frozenset[str]()
        return tuple(p for p in self.left if p.guess is Guess.UNSURE and p.run not in skip)

    @property
    def proves(self) -> bool:
        """True where the commands prove the whole criterion."""
        return bool(self.commands) and not self.undecided

    @property
    def commands(self) -> tuple[str, ...]:
        """Every command that will run, each once."""
        added = self.added.run if self.added is not None else ()
        return tuple(dict.fromkeys([*(proposal.run for proposal in self.taken), *added]))


def proving(task: ForeignTask, checks: ChecksFile | None) -> tuple[Proving, ...]:
    """Each criterion of a task with its checks."""
    return tuple(
        _proving(criterion, checks.of(task.id, criterion.key) if checks else None) for criterion in task.criteria
    )


def _proving(criterion: ForeignCriterion, added: AddedCheck | None) -> Proving:
    skip = added.skip if added is not None else frozenset[str]()
    run = added.run if added is not None else ()
    taken = tuple(p for p in criterion.proposals if p.guess is Guess.RUNNABLE and p.run not in skip)
    left = tuple(p for p in criterion.proposals if p not in taken and p.run not in run)
    return Proving(criterion, taken, left, added)


def compile_foreign(
    file: SourceFile, format: str, task: ForeignTask, checks: ChecksFile | None, known: frozenset[str]
) -> Task:
    """The task to run.

    Args:
        file: the file it stands in, and its format.
        known: the ids of all tasks beside it; other dependencies are not taken up.

    Raises:
        TaskFileError: its id is no safe name, or a check contradicts another one.
    """
    proved = proving(task, checks)
    details = task.details or (Detail(ActionKind.PROSE, task.goal, task.line),)
    raw = RawContract(
        id=Words(task.id, task.line),
        title=Words(task.title, task.line),
        line=task.line,
        goal=Words(task.goal, task.line),
        actions=tuple(Action(kind=one.kind, text=one.text, line=one.line) for one in details),
        criteria=tuple(_criterion(one) for one in proved),
        outputs=tuple(RawOutput(words) for words in _outputs(task)),
        verification=tuple(_commands(checks, proved)),
        depends_on=tuple(Words(name, task.line) for name in task.depends_on if name in known and _is_safe(name)),
    )
    (made,) = make_tasks(file, [raw])
    return made.model_copy(update={"source": Source(path=file.path, sha256=file.sha256, line=task.line, format=format)})


def _criterion(one: Proving) -> RawCriterion:
    criterion = one.criterion
    taken = one.taken if one.proves else ()
    proofs = tuple(Proof(proposal.run, proposal.line, is_command=True) for proposal in taken)
    return RawCriterion(Words(criterion.text, criterion.line), Words(criterion.key, criterion.line), proofs)


def _commands(checks: ChecksFile | None, proved: tuple[Proving, ...]) -> Iterator[RawCommand]:
    """The sidecar's commands, each once, with every criterion it proves."""
    found: dict[str, RawCommand] = {}
    for one in proved:
        added = one.added
        if checks is None or added is None:
            continue
        line, key = one.criterion.line, Words(one.criterion.key, one.criterion.line)
        equivalents = tuple(Words(text, line) for text in added.equivalents)
        for run in added.run:
            command = RawCommand(Words(run, line), None, equivalents, (key,), added.timeout_s)
            earlier = found.get(run)
            if earlier is None:
                found[run] = command
            elif (earlier.timeout_s, [e.text for e in earlier.equivalents]) != (added.timeout_s, [*added.equivalents]):
                raise checks.file.error(
                    added.line,
                    f"`{run}` stands twice in one task, with another timeout or other equivalents",
                    next_step="write both the same",
                )
            else:
                found[run] = replace(earlier, proves=(*earlier.proves, key))
    yield from found.values()


def _outputs(task: ForeignTask) -> Iterator[Words]:
    """What the task says it leaves behind, as far as it names files of the workspace."""
    seen: set[str] = set()
    for words in task.outputs:
        path = words.text.removeprefix("./")
        if path not in seen and " " not in path and "." in path and output_complaint(path) is None:
            seen.add(path)
            yield Words(path, words.line)


def _is_safe(name: str) -> bool:
    try:
        return bool(task_id(name))
    except InvalidId:
        return False
