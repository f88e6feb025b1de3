"""What a run holds its own checks against: how they ended before any work, and the tests as they were then."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from .file_names import FileNames
from .ids import StepId
from .model import Record
from .records import Check, CheckKind, Outcome
from .task import Command, Criterion, Probe, Task


class Guarding(Record):
    """What was asked for when the run was made.

    Attributes:
        baseline: whether the verification commands run once before the first dispatch.
        no_baseline_by: what said that they do not.
        protected: globs of protected paths of the project, on top of the usual ones.
    """

    baseline: bool = True
    no_baseline_by: str = ""
    protected: tuple[str, ...] = ()


class Before(Record):
    """How the checks ended on the untouched tree.

    Attributes:
        checks: of round 0. A command that several steps name ran once; the others have no `argv` and no log.
        left: what the commands left in the tree: path -> SHA-256 of its content, or 'absent'.
        kept: protected files that differed from the commit before anything ran: path -> copy in the run's folder.
        programs: words of checks that stand for a program of the workspace: word -> its path and a hash over it.
        skipped: why the checks did not run; empty where they did.
    """

    checks: tuple[Check, ...] = ()
    left: FileNames = Field(default_factory=dict[str, str])
    kept: FileNames = Field(default_factory=dict[str, str])
    programs: FileNames = Field(default_factory=dict[str, str])
    skipped: str = ""
    at: datetime | None = None

    def of(self, task: Task, check: Check) -> Check | None:
        """The check that really ran then what `check` runs, asked for in the same way: exit code, pattern and limits.

        The words of a command are not enough: two checks can ask other things of one and the same command.
        """
        ran, wanted = (CheckKind.COMMAND, CheckKind.PROBE), _asked(task, check)
        if wanted is None:
            return None
        own = (c for c in self.checks if c.run == check.run and c.argv and c.kind in ran)
        return next((c for c in own if _asked(task, c) == wanted), None)

    def proofs(self, step: StepId | None, criterion: Criterion) -> tuple[Check, ...]:
        """The checks that the criterion rests on, as they ended; a command that does not exist is left out."""
        own = [c for c in self.checks if c.step == step and c.ref in criterion.verified_by]
        return tuple(c for c in own if c.kind is not CheckKind.BASELINE)

    def was_green(self, step: StepId | None, criterion: Criterion) -> bool:
        """True where everything that proves the criterion passed before any work: its passing proves no change."""
        proofs = self.proofs(step, criterion)
        refs = {check.ref for check in proofs}
        return (
            bool(proofs)
            and refs.issuperset(criterion.verified_by)
            and all(check.outcome is Outcome.PASSED for check in proofs)
        )

    def was_red(self, step: StepId | None, criterion: Criterion) -> bool:
        """True where a check of the criterion ran and failed; one that could not run shows nothing."""
        return any(check.outcome is Outcome.FAILED for check in self.proofs(step, criterion))


class LeftByChecks(Record):
    """Files that checks have made and nobody else has touched since: path -> SHA-256 of what they left there."""

    files: FileNames = Field(default_factory=dict[str, str])


def same_command(command: Command) -> Command:
    """A command without its name and its place in the card: what two that ask for the same thing have in common."""
    return command.model_copy(update={"ref": "V0", "line": None})


def _asked(task: Task, check: Check) -> Command | Probe | None:
    """What the card asks by that check, without its name there; None where it says nothing about it."""
    contract = next((contract for step, contract in task.contracts() if step == check.step), None)
    if contract is None:
        return None
    command = next((one for one in contract.verification if one.ref == check.ref), None)
    if command is not None:
        return same_command(command)
    probe = contract.probe(check.ref)
    return None if probe is None else probe.model_copy(update={"ref": "V0", "line": None})


def broken_demands(task: Task | None, before: Before | None) -> tuple[str, ...]:
    """The criteria that have to fail before the work, as their card demands, and are not known to have done so."""
    return tuple(
        f"criterion {criterion.id} of {f'step {step}' if step else 'the task'}"
        for step, contract in (task.contracts() if task else ())
        for criterion in contract.criteria
        if criterion.id in contract.red_before and not (before and before.was_red(step, criterion))
    )
