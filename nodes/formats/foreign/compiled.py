"""From a foreign task to the Task that is run: by the card's own compiler, with the checks that may prove it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ....state.errors import InvalidId
from ....state.ids import task_id
from ....state.task import Action, ActionKind, Source, Task
from ...checks.kinds import BUILTIN, Kinds
from ..card import make_tasks
from ..checks import Check
from ..checks_file import AddedCheck, ChecksFile
from ..paths import output_complaint
from ..raw import Proof, RawCommand, RawContract, RawCriterion, RawOutput, Words
from ..source import SourceFile
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
        if self.added is not None and self.added.proves:
            return ()
        skip = self.added.skip if self.added is not None else frozenset[str]()
        return tuple(p for p in self.left if p.guess is Guess.UNSURE and p.run not in skip)

    @property
    def proves(self) -> bool:
        """True where the commands prove the whole criterion."""
        return bool(self.commands or self.others) and not self.undecided

    @property
    def commands(self) -> tuple[str, ...]:
        """Every command that will run, each once."""
        added = self.added.run if self.added is not None else ()
        return tuple(dict.fromkeys([*(proposal.run for proposal in self.taken), *added]))

    @property
    def others(self) -> tuple[Check, ...]:
        """Every check that is more than a command."""
        return self.added.checks if self.added is not None else ()


def proving(task: ForeignTask, checks: ChecksFile | None) -> tuple[Proving, ...]:
    """Each criterion of a task with its checks."""
    return tuple(
        _proving(criterion, checks.of(task.id, criterion.key) if checks else None) for criterion in task.criteria
    )


def other_checks(one: Proving, kinds: Kinds) -> list[str]:
    """Its checks that are more than a command, in words."""
    return [check.title(kinds) for check in one.others]


def _proving(criterion: ForeignCriterion, added: AddedCheck | None) -> Proving:
    skip = added.skip if added is not None else frozenset[str]()
    run = added.run if added is not None else ()
    replaced = added is not None and added.replace
    taken = tuple(p for p in criterion.proposals if not replaced and p.guess is Guess.RUNNABLE and p.run not in skip)
    left = tuple(p for p in criterion.proposals if p not in taken and p.run not in run)
    return Proving(criterion, taken, left, added)


def compile_foreign(
    file: SourceFile,
    format: str,
    task: ForeignTask,
    checks: ChecksFile | None,
    known: frozenset[str],
    kinds: Kinds = BUILTIN,
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
    (made,) = make_tasks(file, [raw], kinds)
    source = Source(
        path=file.path,
        sha256=file.sha256,
        line=task.line,
        format=format,
        checks_sha256=checks.file.sha256 if checks else None,
    )
    return made.model_copy(update={"source": source})


def _criterion(one: Proving) -> RawCriterion:
    criterion = one.criterion
    taken = one.taken if one.proves else ()
    proofs = tuple(Proof(proposal.run, proposal.line, is_command=True) for proposal in taken)
    return RawCriterion(Words(criterion.text, criterion.line), Words(criterion.key, criterion.line), proofs)


def _commands(checks: ChecksFile | None, proved: tuple[Proving, ...]) -> Iterator[RawCommand]:
    """The sidecar's commands, each once, with every criterion it proves."""
    found: dict[object, RawCommand] = {}
    for one in proved:
        added = one.added
        if checks is None or added is None:
            continue
        key = Words(one.criterion.key, one.criterion.line)
        for command in added.raw_commands(key.line, key):
            told = (command.kind and command.kind.text, command.run.text, command.more, command.args)
            name = repr([part.text if isinstance(part, Words) else part for part in told]) if command.kind else told[1]
            earlier = found.get(name)
            if earlier is None:
                found[name] = command
            elif _limits(earlier) != _limits(command):
                raise checks.file.error(
                    added.line,
                    f"`{command.run.text}` stands twice in one task, with another timeout or other equivalents",
                    next_step="write both the same",
                )
            else:
                found[name] = replace(earlier, proves=(*earlier.proves, key))
    yield from found.values()


def _limits(command: RawCommand) -> tuple[object, ...]:
    return command.timeout_s, [words.text for words in command.equivalents]


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
