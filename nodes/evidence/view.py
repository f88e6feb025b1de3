"""Everything the reports show, worked out beforehand: templates only print it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...state.budget import Resource, amount
from ...state.ids import StepId
from ...state.pipeline import PipelineState
from ...state.records import Attempt, Check, CheckKind, Outcome
from ...state.task import Command, Output, Probe, Task
from ..budget import run_allowance, step_allowance
from .before import BeforeView, all_checks, before_view
from .files import RunFolder
from .links import Links
from .log_writer import Entry, entries_of
from .markdown import shell_join, shell_quote, visible
from .proof import BaselineRow, CriterionRow, baseline_rows, contracts, criterion_rows, newest_checks, overall
from .risks import Risk, risks
from .scope import Scope, read_scope

# Empty, and of the living: nothing to prove.
_LOCKS = frozenset({"claim.lock"})
_RAN = frozenset({CheckKind.COMMAND, CheckKind.PROBE})

_ByRef = dict[tuple[StepId | None, str], list[Check]]


@dataclass(frozen=True)
class Artifact:
    """A file a reader may want. `recorded`: its hash stands in the run's state, and the file was checked against it."""

    path: str
    sha256: str
    recorded: bool


@dataclass(frozen=True)
class DeclaredCommand:
    """A verification command of the task file, and the newest checks it led to."""

    step: StepId | None
    command: Command
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class DeclaredOutput:
    """An expected output of the task file, and the newest checks that looked at it."""

    step: StepId | None
    output: Output
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class DeclaredProbe:
    """A check of another kind that the task file declares, and the newest checks it led to."""

    step: StepId | None
    probe: Probe
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class View:
    """What a template is handed besides the task and the state.

    Attributes:
        verdict: PASSED only for a run that is DONE and proved.
        missing: in words, everything that keeps the verdict from PASSED.
        counts: criteria per outcome, all three outcomes.
        entries: the checks that stand in verification.log.
        commands, outputs, probes: what the task file declares, with the newest checks it led to.
        limits: who has a budget, and the amounts, in words.
        script: the newest commands of each step and of the task, for a shell; empty where none ran.
        links: from what is shown to the record behind it.
    """

    state: PipelineState
    task: Task
    verdict: Outcome
    missing: tuple[str, ...]
    criteria: tuple[CriterionRow, ...]
    counts: dict[Outcome, int]
    baselines: tuple[BaselineRow, ...]
    entries: tuple[Entry, ...]
    before: BeforeView
    attempts: tuple[Attempt, ...]
    commands: tuple[DeclaredCommand, ...]
    outputs: tuple[DeclaredOutput, ...]
    probes: tuple[DeclaredProbe, ...]
    allowed: tuple[tuple[StepId | None, tuple[str, ...]], ...]
    scope: Scope
    artifacts: tuple[Artifact, ...]
    risks: tuple[Risk, ...]
    script: str
    limits: tuple[tuple[str, str], ...]
    links: Links


def build_view(state: PipelineState, task: Task, run: RunFolder) -> View:
    """Work out what the reports show.

    Raises:
        EvidenceError: a file that a record names is missing, or is not what was recorded.
    """
    criteria = criterion_rows(state, task)
    verdict, missing = overall(state, criteria)
    found = Counter(row.outcome for row in criteria)
    newest = newest_checks(state)
    scope = read_scope(state.checks, run)
    return View(
        state=state,
        task=task,
        verdict=verdict,
        missing=missing,
        criteria=criteria,
        counts={outcome: found[outcome] for outcome in Outcome},
        baselines=baseline_rows(newest),
        entries=entries_of(all_checks(state)),
        before=before_view(state, task, criteria),
        attempts=state.attempts,
        commands=_declared_commands(task, _by_ref(newest)),
        outputs=_declared_outputs(task, _by_ref(newest)),
        probes=_declared_probes(task, _by_ref(newest)),
        allowed=tuple((step, contract.allowed_paths) for step, contract in contracts(task)),
        scope=scope,
        artifacts=_artifacts(state, run),
        risks=risks(state, task, criteria, scope),
        limits=tuple(_limits(state, task)),
        script=_script(state, newest),
        links=Links(state),
    )


def _limits(state: PipelineState, task: Task) -> Iterator[tuple[str, str]]:
    owners = [("the run", run_allowance(state)), *((f"step {s.id}", step_allowance(state, s)) for s in task.steps)]
    for owner, allowed in owners:
        limits = [amount(resource, limit) for resource in Resource if (limit := allowed.limit(resource)) is not None]
        if limits:
            yield owner, ", ".join(limits)


def _declared_commands(task: Task, checks: _ByRef) -> tuple[DeclaredCommand, ...]:
    return tuple(
        DeclaredCommand(step, command, tuple(checks.get((step, command.ref), ())))
        for step, contract in contracts(task)
        for command in contract.verification
    )


def _declared_outputs(task: Task, checks: _ByRef) -> tuple[DeclaredOutput, ...]:
    return tuple(
        DeclaredOutput(step, output, tuple(checks.get((step, output.ref), ())))
        for step, contract in contracts(task)
        for output in contract.outputs
    )


def _declared_probes(task: Task, checks: _ByRef) -> tuple[DeclaredProbe, ...]:
    return tuple(
        DeclaredProbe(step, probe, tuple(checks.get((step, probe.ref), ())))
        for step, contract in contracts(task)
        for probe in contract.probes
    )


def _by_ref(checks: tuple[Check, ...]) -> _ByRef:
    found: _ByRef = {}
    for check in checks:
        found.setdefault((check.step, check.ref), []).append(check)
    return found


def _artifacts(state: PipelineState, run: RunFolder) -> tuple[Artifact, ...]:
    # The logs of checks were held against their hashes when verification.log was written from them.
    verified = {check.log: check.log_sha256 for check in all_checks(state) if check.log and check.log_sha256}
    found = [artifact for attempt in state.attempts for artifact in _of_attempt(attempt, run, verified)]
    kept = {file.path: file.sha256 for check in state.checks for file in check.kept}
    for path, sha256 in kept.items():
        run.verify(path, sha256)
    verified |= kept
    known = {artifact.path for artifact in found}
    found += [Artifact(path, sha256, True) for path, sha256 in verified.items() if path not in known]
    for check in all_checks(state):
        if check.tests and check.tests_sha256:
            run.verify(check.tests, check.tests_sha256)
            found.append(Artifact(check.tests, check.tests_sha256, True))
    if state.tree is not None and state.tree.patch is not None:
        recorded = state.tree.patch_sha256 or "none"
        run.verify(state.tree.patch, recorded)
        found.append(Artifact(state.tree.patch, recorded, True))
    return tuple(found)


def _of_attempt(attempt: Attempt, run: RunFolder, verified: Mapping[str, str]) -> Iterator[Artifact]:
    hashes = {
        "stdout.log": attempt.stdout_sha256,
        "stderr.log": attempt.stderr_sha256,
        "permissions.jsonl": attempt.permissions.sha256,
    }
    recorded = {name: sha256 for name, sha256 in hashes.items() if sha256 is not None}
    for name in sorted({*run.names(attempt.folder), *recorded}):
        path = f"{attempt.folder}/{name}"
        if name in _LOCKS:
            continue
        if (wanted := recorded.get(name)) is not None:
            if verified.get(path) != wanted:
                run.verify(path, wanted)
            yield Artifact(path, wanted, True)
        # A file that is gone between the listing and here belonged to a worker that is still alive.
        elif (sha256 := run.sha256(path)) is not None:
            yield Artifact(path, sha256, False)


def _script(state: PipelineState, checks: tuple[Check, ...]) -> str:
    ran = [check for check in checks if check.kind in _RAN and check.argv]
    if not ran:
        return ""
    lines, here = [f"cd {shell_quote(state.workspace)}"], state.workspace
    isolated = state.isolated
    if isolated is not None and isolated.verified == isolated.head:
        # The worktree that was looked at may be gone: the commit is what was verified.
        again = f'git -C {shell_quote(state.workspace)} worktree add --detach "$PWD/again" {isolated.head}'
        lines, here = ['cd "$(mktemp -d)"', again, f"cd {shell_quote(f'again/{isolated.folder}')}"], ran[-1].cwd
    for check in ran:
        lines += [f"# {visible(check.id)}", _in_directory(check, here)]
    return "\n".join(lines)


def _in_directory(check: Check, workspace: str) -> str:
    command = shell_join(check.argv)
    return command if check.cwd in ("", workspace) else f"(cd {shell_quote(check.cwd)} && {command})"
