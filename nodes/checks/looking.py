"""One check of any kind, from the look to the verdict; and that verdict again, from what the look has kept."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from ...state.ids import StepId
from ...state.records import Check, CheckKind, EvidenceFile
from ...state.task import Contract, Probe, Task
from ..evidence.files import RunFolder, open_run_folder
from ..workers.files import sha256_file
from .bench import KeptFiles, WorkBench, never_passed
from .kinds.bounded import Bounded
from .kinds.command import CommandKind, as_probe
from .kinds.kind import Judged, Kind, Kinds, NotKept, Seen, failed, unverifiable
from .process import CheckStopped
from .watch_tests import tests_file

_COMMAND = CommandKind()


def look_and_judge(kind: Kind, probe: Probe, bench: WorkBench, blank: Check, run_dir: Path) -> Check:
    """The check `blank` with what its kind found.

    Raises:
        CheckStopped: the run drains.
    """
    try:
        seen = kind.look(probe, bench)
    except CheckStopped:
        raise
    except NotKept as why:
        seen = Seen(given_up=failed(str(why)))
    except Exception as error:  # a kind of a user may raise anything
        seen = Seen(given_up=unverifiable(_broken(kind, error)))
    return judged(kind, probe, seen, blank, run_dir)


def judged(kind: Kind, probe: Probe, seen: Seen, blank: Check, run_dir: Path) -> Check:
    """The check `blank` with what was seen, and the verdict over that."""
    files = {"log": seen.log, **seen.kept}
    hashed = {
        name: EvidenceFile(path=_inside(path, run_dir), sha256=sha256_file(path))
        for name, path in files.items()
        if path
    }
    log = hashed.pop("log", None)
    tests = tests_file(seen.log) if seen.log is not None else None
    tests = tests if tests is not None and tests.exists() else None
    check = blank.model_copy(
        update={
            "argv": seen.argv,
            "exit_code": seen.exit_code,
            "duration_s": None if seen.duration_s is None else round(seen.duration_s, 3),
            "log": log.path if log else None,
            "log_sha256": log.sha256 if log else None,
            "kept": tuple(hashed.values()),
            "tests": _inside(tests, run_dir) if tests else None,
            "tests_sha256": sha256_file(tests) if tests else None,
        }
    )
    if seen.given_up is not None:
        verdict = never_passed(seen.given_up)
    else:
        with open_run_folder(run_dir) as folder, Bounded() as bounded:
            verdict = judge_again(kind, probe, check, folder, bounded)
    return check.model_copy(update={"outcome": verdict.outcome, "reason": verdict.reason})


def judge_again(kind: Kind, probe: Probe, check: Check, folder: RunFolder, bounded: Bounded) -> Judged:
    """The verdict over a check, from the files of its run alone."""
    try:
        told = cast(object, kind.judge(probe, KeptFiles(check, folder, bounded)))
    except NotKept as why:
        return failed(str(why))
    except Exception as error:  # a kind of a user may raise anything
        return unverifiable(_broken(kind, error))
    return told if isinstance(told, Judged) else unverifiable(f'the kind "{kind.name}" gave no verdict')


def declared(task: Task, check: Check, kinds: Kinds) -> tuple[Kind, Probe] | None:
    """What the task says about a check, and the kind that judges it; None where it says nothing, or nobody knows it."""
    contract = _contract(task, check.step)
    if contract is None:
        return None
    if check.kind is CheckKind.COMMAND:
        found = next((command for command in contract.verification if command.ref == check.ref), None)
        return None if found is None else (_COMMAND, as_probe(found, check.run))
    probe, kind = contract.probe(check.ref), kinds.get(check.probe)
    return (kind, probe) if probe is not None and kind is not None and probe.kind == kind.name else None


def title_of(kinds: Kinds, probe: Probe) -> str:
    """A probe in one line."""
    kind = kinds.get(probe.kind)
    return " ".join((kind.title(probe) if kind else f"{probe.kind} {' '.join(probe.subject)}").split())


def _contract(task: Task, step: StepId | None) -> Contract | None:
    try:
        return task.contract(step)
    except KeyError:
        return None


def _inside(path: Path, run_dir: Path) -> str:
    return str(path.relative_to(run_dir))


def _broken(kind: Kind, error: Exception) -> str:
    return f'the kind of check "{kind.name}" failed: {type(error).__name__}: {error}'
