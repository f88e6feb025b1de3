"""One round of verification: runs checks in the workspace and keeps a record of each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from ...state.errors import WorkspaceError
from ...state.events import CheckFinished, CheckStarted, Event
from ...state.ids import CheckRef, RunId, StepId
from ...state.pipeline import Limits
from ...state.records import Attempt, AttemptOutcome, Check, CheckKind, Outcome
from ...state.status import Node
from ...state.task import MANUAL, Command, Contract, Output, Probe, Task
from ..context import Call
from ..workers.files import make_private_folder, sha256_file, write_private
from ..workers.leftovers import RUN_DIR_VARIABLE
from .bench import WorkBench
from .kinds.command import CommandKind, as_probe
from .kinds.kind import Kind
from .looking import look_and_judge, title_of
from .outputs import look_at_output
from .scope import judge_changes, scope_log
from .workspace import Change

WORKER_REF = CheckRef("WORKER")
SCOPE_REF = CheckRef("SCOPE")
COMMIT_REF = CheckRef("COMMIT")
MERGE_REF = CheckRef("MERGE")
_COMMAND = CommandKind()


@dataclass(frozen=True)
class ForPerson:
    """A check that a person decides: its record before that, and where the files are that it is about."""

    blank: Check
    probe: Probe
    workspace: Path


@dataclass(frozen=True)
class Round:
    """Where a round happens, and what it may take.

    Attributes:
        holds: in an isolated run, whether the commit that is looked at holds a path; an output has to be in it.
        for_people: the checks of this round that a person decides, in order; shared with copies of the round.
        node: whose round it is.
        extra: variables on top of those that checks are given.
    """

    number: int
    run: RunId
    run_dir: Path
    workspace: Path
    limits: Limits
    call: Call
    holds: Callable[[str], bool] | None = None
    for_people: list[ForPerson] = field(default_factory=list["ForPerson"])
    node: Node = Node.VERIFY
    extra: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def folder(self) -> Path:
        """Where the output of this round's checks goes."""
        return self.run_dir / "checks" / f"{self.number:04d}"

    def begin(self) -> None:
        """An empty folder: what a killed verify left there was never recorded."""
        if self.folder.is_symlink():
            self.folder.unlink()
        elif self.folder.exists():
            shutil.rmtree(self.folder)
        make_private_folder(self.folder)

    def worker(self, attempt: Attempt) -> Check:
        """The end of an attempt as a check: it proves nothing, but a failed one is a failure of its step."""
        outcome = Outcome.PASSED if attempt.succeeded else Outcome.FAILED
        log = _first_with_content(self.run_dir, f"{attempt.folder}/stderr.log", f"{attempt.folder}/stdout.log")
        return Check(
            id=self._id(attempt.step, WORKER_REF),
            round=self.number,
            step=attempt.step,
            attempt=attempt.number,
            ref=WORKER_REF,
            kind=CheckKind.WORKER,
            run=f'worker "{attempt.worker}" on step {attempt.step}, attempt {attempt.number}',
            outcome=outcome,
            reason=_worker_reason(attempt),
            exit_code=attempt.exit_code,
            started_at=attempt.started_at,
            duration_s=None,
            log=log,
            log_sha256=sha256_file(self.run_dir / log) if log else None,
        )

    def contract(self, contract: Contract, step: StepId | None, attempt: int | None) -> Iterator[Check]:
        """Every command, probe and expected output of one contract, in the order they are written."""
        for command in contract.verification:
            yield from self._command(command, step, attempt)
        for probe in contract.probes:
            if probe.kind == MANUAL:
                # A person is asked once everything else has passed.
                self.for_people.append(ForPerson(self._blank(probe, step, attempt), probe, self.workspace))
            else:
                yield self.probe(probe, step, attempt)
        for output in contract.outputs:
            outcome, reason = look_at_output(self.workspace, output.path)
            if outcome is Outcome.PASSED and self.holds is not None and not self.holds(output.path):
                reason = f"{output.path} is in no commit: git ignores it, or a check has made it"
                outcome = Outcome.FAILED
            check = Check(
                id=self._id(step, output.ref),
                round=self.number,
                step=step,
                attempt=attempt,
                ref=output.ref,
                kind=CheckKind.OUTPUT,
                run=f"expected output {output.path}",
                outcome=outcome,
                reason=reason,
            )
            self._say_finished(check.id, check.step, check.run, outcome)
            yield check

    def output(self, output: Output, before: Check) -> Check:
        """An expected output that was looked at before, as it is now."""
        outcome, reason = look_at_output(self.workspace, output.path)
        if outcome is before.outcome:
            return before.model_copy(update={"reason": reason})
        self._say_finished(before.id, before.step, before.run, outcome)
        return before.model_copy(update={"outcome": outcome, "reason": reason})

    def scope(
        self,
        changes: tuple[Change, ...],
        globs: tuple[str, ...],
        *,
        step: StepId | None = None,
        attempt: int | None = None,
    ) -> Check:
        """The changed files against what the task allows, or what `step` allows where the files are its alone."""
        judged = judge_changes(changes, globs)
        outside = [f"{change.path} ({change.kind})" for change, allowed in judged if not allowed]
        log = self.folder / f"{f'{step}.' if step else ''}{SCOPE_REF}.jsonl"
        write_private(log, self.call.context.environment.masker().bytes(scope_log(judged)))
        limits = f"Allowed Scope {', '.join(globs)}" if globs else "no Allowed Scope declared"
        reason = f"{len(judged)} changed, {len(outside)} outside; {limits}"
        if outside:
            reason = f"changed outside the Allowed Scope: {', '.join(outside[:20])}; {limits}"
        return Check(
            id=self._id(step, SCOPE_REF),
            round=self.number,
            step=step,
            attempt=attempt,
            ref=SCOPE_REF,
            kind=CheckKind.SCOPE,
            run="changed files against the Allowed Scope",
            outcome=Outcome.FAILED if outside else Outcome.PASSED,
            reason=reason,
            log=str(log.relative_to(self.run_dir)),
            log_sha256=sha256_file(log),
        )

    def scope_unknown(self, error: WorkspaceError) -> Check:
        """Git cannot say what changed: whatever was done cannot be held against what the task allows."""
        return Check(
            id=self._id(None, SCOPE_REF),
            round=self.number,
            step=None,
            attempt=None,
            ref=SCOPE_REF,
            kind=CheckKind.SCOPE,
            run="changed files against the Allowed Scope",
            outcome=Outcome.UNVERIFIABLE,
            reason="; ".join([error.what, *(f"{label}: {fact}" for label, fact in error.facts.items())]),
        )

    def git(self, ref: CheckRef, step: StepId | None, run: str, outcome: Outcome, reason: str) -> Check:
        """Something that git was asked about the branch of an isolated run."""
        self._say_finished(self._id(step, ref), step, run, outcome)
        return Check(
            id=self._id(step, ref),
            round=self.number,
            step=step,
            attempt=None,
            ref=ref,
            kind=CheckKind.GIT,
            run=run,
            outcome=outcome,
            reason=reason,
        )

    def again(self, check: Check, declared: Command | Probe, *, suffix: str) -> Check:
        """A check that runs something once more, where this round stands; nothing is said of it.

        Args:
            declared: what the task says about it.
        """
        quiet = replace(self, call=replace(self.call, say=_nothing))
        if isinstance(declared, Command):
            suffix = check.id.removeprefix(self._id(check.step, check.ref)) + suffix
            return quiet._run(declared, check.run, check.step, check.attempt, suffix=suffix)
        blank = self._blank(declared, check.step, check.attempt)
        kind = self.call.context.kinds.get(declared.kind)
        if kind is None:
            return blank
        return quiet._looked(kind, declared, blank.model_copy(update={"id": blank.id + suffix}), declared.timeout_s)

    def told(self, check: Check) -> None:
        """Say how a check ended that was made elsewhere."""
        self._say_finished(check.id, check.step, check.run, check.outcome, check.duration_s or 0.0)

    def _command(self, command: Command, step: StepId | None, attempt: int | None) -> Iterator[Check]:
        baseline = self._run(command, command.run, step, attempt, suffix="")
        if baseline.outcome is not Outcome.UNVERIFIABLE or not command.equivalents:
            yield baseline
            return
        yield baseline.model_copy(update={"kind": CheckKind.BASELINE})
        for number, text in enumerate(command.equivalents, 1):
            yield self._run(command, text, step, attempt, suffix=f".e{number}", stands_for=command.run)

    def _run(
        self,
        command: Command,
        text: str,
        step: StepId | None,
        attempt: int | None,
        *,
        suffix: str,
        stands_for: str | None = None,
    ) -> Check:
        blank = Check(
            id=self._id(step, command.ref) + suffix,
            round=self.number,
            step=step,
            attempt=attempt,
            ref=command.ref,
            kind=CheckKind.COMMAND,
            run=text,
            outcome=Outcome.UNVERIFIABLE,
            reason="",
            stands_for=stands_for,
        )
        return self._looked(_COMMAND, as_probe(command, text), blank, command.timeout_s)

    def probe(self, probe: Probe, step: StepId | None, attempt: int | None) -> Check:
        """A check of a registered kind."""
        kind = self.call.context.kinds.get(probe.kind)
        blank = self._blank(probe, step, attempt)
        return blank if kind is None else self._looked(kind, probe, blank, probe.timeout_s)

    def probe_again(self, task: Task, before: Check) -> Check:
        """A check that only looks, as it is now; one that runs a command as it was."""
        kind = self.call.context.kinds.get(before.probe)
        probe = task.contract(before.step).probe(before.ref)
        if kind is None or probe is None or kind.runs:
            return before
        now = self._looked(kind, probe, self._blank(probe, before.step, before.attempt), probe.timeout_s, quiet=True)
        if now.outcome is not before.outcome:
            self._say_finished(now.id, now.step, now.run, now.outcome)
        return now

    def _blank(self, probe: Probe, step: StepId | None, attempt: int | None) -> Check:
        return Check(
            id=self._id(step, probe.ref),
            round=self.number,
            step=step,
            attempt=attempt,
            ref=probe.ref,
            kind=CheckKind.PROBE,
            probe=probe.kind,
            run=title_of(self.call.context.kinds, probe),
            outcome=Outcome.UNVERIFIABLE,
            reason=f'there is no kind of check "{probe.kind}" here',
        )

    def _looked(self, kind: Kind, probe: Probe, blank: Check, timeout_s: float | None, *, quiet: bool = False) -> Check:
        """The check, done: what its look kept, and the verdict over that."""
        environment = self.call.context.environment
        bench = WorkBench(
            workspace=self.workspace,
            folder=self.folder,
            name=blank.id.partition(".")[2],
            timeout_s=timeout_s or self.limits.check_timeout_s,
            output_limit_bytes=self.limits.output_limit_bytes,
            env={**environment.variables(), RUN_DIR_VARIABLE: str(self.run_dir), **self.extra},
            masker=environment.masker(),
            stop=self.call.draining,
            holds=self.holds,
        )
        if not quiet:
            self._say_started(blank.id, blank.step, blank.run)
        started = datetime.now(UTC)
        check = look_and_judge(kind, probe, bench, blank, self.run_dir)
        if check.argv or kind.runs:
            check = check.model_copy(update={"started_at": started, "cwd": str(self.workspace)})
        if not quiet:
            self._say_finished(check.id, check.step, check.run, check.outcome, check.duration_s or 0.0)
        return check

    def _id(self, step: StepId | None, ref: CheckRef) -> str:
        return f"{self.number}.{step or 'task'}.{ref}"

    def _say_started(self, check: str, step: StepId | None, text: str) -> None:
        event = CheckStarted(event="check_started", run_id=self.run, node=self.node, check=check, text=text)
        if step:
            event["step"] = step
        self.call.say(event)

    def _say_finished(
        self, check: str, step: StepId | None, text: str, outcome: Outcome, duration_s: float = 0.0
    ) -> None:
        event = CheckFinished(
            event="check_finished",
            run_id=self.run,
            node=self.node,
            check=check,
            text=text,
            outcome=outcome,
            duration_s=round(duration_s, 3),
        )
        if step:
            event["step"] = step
        self.call.say(event)


def _nothing(_event: Event) -> None:
    return None


def _worker_reason(attempt: Attempt) -> str:
    if attempt.outcome is AttemptOutcome.FINISHED:
        return f"exit code {attempt.exit_code}"
    return f"{attempt.outcome}: {attempt.reason}" if attempt.reason else attempt.outcome


def _first_with_content(run_dir: Path, *paths: str) -> str | None:
    return next((path for path in paths if (run_dir / path).is_file() and (run_dir / path).stat().st_size), None)
