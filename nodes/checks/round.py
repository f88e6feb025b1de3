"""One round of verification: runs checks in the workspace and keeps a record of each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ...state.errors import WorkspaceError
from ...state.events import CheckFinished, CheckStarted
from ...state.ids import CheckRef, RunId, StepId
from ...state.pipeline import Limits
from ...state.records import Attempt, AttemptOutcome, Check, CheckKind, Outcome
from ...state.status import Node
from ...state.task import Command, Contract, Output
from ..context import Call
from ..workers.files import make_private_folder, sha256_file, write_private
from ..workers.leftovers import RUN_DIR_VARIABLE
from .command import argv_of, why_absent
from .outputs import look_at_output
from .process import Ran, run_command
from .scope import judge_changes, scope_log
from .workspace import Change

WORKER_REF = CheckRef("WORKER")
SCOPE_REF = CheckRef("SCOPE")
COMMIT_REF = CheckRef("COMMIT")
MERGE_REF = CheckRef("MERGE")


@dataclass(frozen=True)
class Round:
    """Where a round happens, and what it may take.

    Attributes:
        holds: in an isolated run, whether the commit that is looked at holds a path; an output has to be in it.
    """

    number: int
    run: RunId
    run_dir: Path
    workspace: Path
    limits: Limits
    call: Call
    holds: Callable[[str], bool] | None = None

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
        """Every command and expected output of one contract, in the order they are written."""
        for command in contract.verification:
            yield from self._command(command, step, attempt)
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
        outside = [change.path for change, allowed in judged if not allowed]
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
        check_id = self._id(step, command.ref) + suffix
        self._say_started(check_id, step, text)
        started = datetime.now(UTC)
        log = self.folder / f"{check_id.partition('.')[2]}.log"
        timeout_s = command.timeout_s or self.limits.check_timeout_s
        argv: tuple[str, ...] = ()
        environment = self.call.context.environment
        env = {**environment.variables(), RUN_DIR_VARIABLE: str(self.run_dir)}
        try:
            argv = argv_of(text)
            ran = run_command(
                argv,
                workspace=self.workspace,
                log=log,
                timeout_s=timeout_s,
                output_limit_bytes=self.limits.output_limit_bytes,
                env=env,
                masker=environment.masker(),
                stop=self.call.draining,
            )
        except ValueError as error:
            ran = Ran(None, 0.0, error=f"not a command: {error}")
        outcome, reason = self._judge(ran, text, argv, env)
        self._say_finished(check_id, step, text, outcome, ran.duration_s)
        return Check(
            id=check_id,
            round=self.number,
            step=step,
            attempt=attempt,
            ref=command.ref,
            kind=CheckKind.COMMAND,
            run=text,
            outcome=outcome,
            reason=reason,
            argv=() if ran.error else argv,
            cwd=str(self.workspace),
            exit_code=ran.exit_code,
            started_at=started,
            duration_s=round(ran.duration_s, 3),
            stands_for=stands_for,
            log=str(log.relative_to(self.run_dir)) if log.exists() else None,
            log_sha256=sha256_file(log) if log.exists() else None,
        )

    def _judge(self, ran: Ran, text: str, argv: tuple[str, ...], env: Mapping[str, str]) -> tuple[Outcome, str]:
        if ran.stopped:
            return Outcome.FAILED, ran.stopped
        if ran.exit_code == 0:
            return Outcome.PASSED, "exit code 0"
        stop = self.call.draining
        absent = why_absent(text, argv, ran.exit_code, self.workspace, env, stop=stop) if argv else None
        if absent:
            return Outcome.UNVERIFIABLE, absent
        if ran.exit_code is None:
            return Outcome.UNVERIFIABLE, ran.error
        return Outcome.FAILED, f"exit code {ran.exit_code}"

    def _id(self, step: StepId | None, ref: CheckRef) -> str:
        return f"{self.number}.{step or 'task'}.{ref}"

    def _say_started(self, check: str, step: StepId | None, text: str) -> None:
        event = CheckStarted(event="check_started", run_id=self.run, node=Node.VERIFY, check=check, text=text)
        if step:
            event["step"] = step
        self.call.say(event)

    def _say_finished(
        self, check: str, step: StepId | None, text: str, outcome: Outcome, duration_s: float = 0.0
    ) -> None:
        event = CheckFinished(
            event="check_finished",
            run_id=self.run,
            node=Node.VERIFY,
            check=check,
            text=text,
            outcome=outcome,
            duration_s=round(duration_s, 3),
        )
        if step:
            event["step"] = step
        self.call.say(event)


def _worker_reason(attempt: Attempt) -> str:
    if attempt.outcome is AttemptOutcome.FINISHED:
        return f"exit code {attempt.exit_code}"
    return f"{attempt.outcome}: {attempt.reason}" if attempt.reason else attempt.outcome


def _first_with_content(run_dir: Path, *paths: str) -> str | None:
    return next((path for path in paths if (run_dir / path).is_file() and (run_dir / path).stat().st_size), None)
