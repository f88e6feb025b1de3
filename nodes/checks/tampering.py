"""Whether a command passes because the work is done, or because the tests that judge it were changed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import gettempdir

from pathspec import PathSpec

from ...state.errors import WorkspaceError
from ...state.ids import CheckRef
from ...state.pipeline import Baseline, PipelineState
from ...state.records import Check, CheckKind, Outcome
from ...state.task import Probe, Task, TestsMay
from ..needs import need
from ..workers.files import sha256_file, write_private
from .copy_tree import Copy, copied
from .judge_seen import allowances, declared_as, judge_rerun, judge_seen
from .judge_tests import MAY_FAIL, MAY_GO, Judged
from .kinds.kind import Kinds
from .programs import TOOLS_REF, Programs, words_said
from .protected import Originals, Patterns, Touched, judging_files, patterns_of, touched
from .round import Round
from .seen_tests import Seen, read_seen
from .watch_tests import is_pytest
from .workspace import Change

TESTS_REF = CheckRef("TESTS")
ORIGINALS_REF = CheckRef("ORIGINALS")
_SEEN_MOST = 64 << 20


@dataclass(frozen=True)
class Place:
    """Where commands have just passed.

    Attributes:
        top: of the checkout.
        folder: of the workspace, relative to `top`.
        changes: everything that differs from the start of the run, relative to the workspace.
    """

    round: Round
    top: Path
    folder: str
    changes: tuple[Change, ...]


class Tampering:
    """Looks at the tests of a run: what has become of them, and what they say in their first versions."""

    def __init__(self, state: PipelineState, task: Task, kinds: Kinds) -> None:
        self._before = state.before
        self._kinds = kinds
        self._patterns: Patterns = patterns_of(state, task, kinds)
        self._found: dict[tuple[Path, tuple[Change, ...]], Touched] = {}
        self._baseline: Baseline = need(state.baseline, "baseline")
        self._task = task
        self._workspace = Path(state.workspace)

    def look(self, place: Place, checks: Iterable[Check]) -> Iterator[Check]:
        """What is found about those of `checks` that passed: by what they have run, or by a file that judges."""
        passed = [c for c in checks if c.outcome is Outcome.PASSED and (runs(c) or self._judging(c))]
        for check in passed:
            if (judged := self._tests(check, place.round)) is not None:
                yield _check(place.round, check, judged, CheckKind.TESTS)
        if passed:
            yield from self._programs(place, passed)
            yield from self._originals(place, passed)

    def _programs(self, place: Place, passed: list[Check]) -> Iterator[Check]:
        """Programs of the workspace that were replaced where git does not look; what it sees stands in the scope."""
        before = self._before.programs if self._before else {}
        own, seen = programs_for(place.round, self._workspace), {change.path for change in place.changes}
        texts = [text for check in passed for text in words_said(declared_as(self._task, check))]
        here = place.round.workspace
        # What a worktree holds is of its commit, whatever stands in the user's checkout.
        elsewhere = here != self._workspace
        changed = [path for path in own.replaced(before, texts) if path not in seen]
        if changed := [path for path in changed if not (elsewhere and (here / path).exists())]:
            accepted = TestsMay.ORIGINALS_FAIL in allowances(self._task)
            reason = f"not those of before the work, where git does not look: {', '.join(changed)}"
            outcome = Outcome.PASSED if accepted else Outcome.FAILED
            reason += (
                "; the card accepts that" if accepted else f"; where that is wanted, the card has to say: {MAY_FAIL}"
            )
            yield place.round.git(TOOLS_REF, passed[0].step, "the programs that judge", outcome, reason)

    def _tests(self, check: Check, this_round: Round) -> Judged | None:
        run_dir = this_round.run_dir
        before = self._before.of(self._task, check) if self._before else None
        try:
            seen_before = seen_by(before, run_dir) if before else None
            return judge_seen(self._task, self._kinds, check, seen_by(check, run_dir), before, seen_before)
        except ValueError as error:
            return Judged(Outcome.FAILED, f"what was written down about its tests cannot be read: {error}")

    def _originals(self, place: Place, passed: list[Check]) -> Iterator[Check]:
        kept = self._before.kept if self._before else {}
        here = place.round.workspace
        originals = Originals(place.top, place.folder, self._baseline, kept, place.round.run_dir)
        try:
            key = (here, place.changes)
            if key not in self._found:
                self._found[key] = touched(here, place.changes, self._patterns, originals)
            found = self._found[key]
            for check in passed:
                if new := sorted({*found.added}.intersection(self._judging(check))):
                    yield _check(place.round, check, self._on_new(check, new), CheckKind.TESTS)
            todo = [(check, gone) for check in passed if (gone := self._to_remove(check, found)) is not None]
            for gone in dict.fromkeys(gone for _, gone in todo):
                with copied(place.top, without=(place.round.call.context.runs_dir,)) as copy:
                    _put_back(copy, place.folder, found, gone, originals)
                    for check in (check for check, removed in todo if removed == gone):
                        yield self._again(place, check, copy, found)
        except (WorkspaceError, OSError) as error:
            what = error.what if isinstance(error, WorkspaceError) else str(error)
            for check in passed:
                judged = Judged(Outcome.FAILED, f"the first versions of protected files cannot be put back: {what}")
                yield _check(place.round, check, judged, CheckKind.ORIGINALS)

    def _on_new(self, check: Check, new: list[str]) -> Judged:
        """A file that says what is right, and that the worker has written: only the card can want that."""
        contract = self._task.contract(check.step)
        globs = (*(contract.allowed_paths or self._task.allowed_paths), *(output.path for output in contract.outputs))
        wanted = PathSpec.from_lines("gitignore", globs)
        by_card = TestsMay.ORIGINALS_FAIL in allowances(self._task) or all(wanted.match_file(path) for path in new)
        what = f"{', '.join(new)}, by which it judges, was written in this run"
        if by_card:
            return Judged(Outcome.PASSED, f"{what}, as the card accepts: it shows no more than that the two fit")
        cure = "have it there before, or name it in the card, in Allowed Scope or Expected Outputs"
        return Judged(Outcome.FAILED, f"{what}: {cure}")

    def _to_remove(self, check: Check, found: Touched) -> tuple[str, ...] | None:
        """The added files that are taken away for the run with the first versions; None where there is no such run.

        A command that failed before the work may fail without the tests that the worker has added to it, and that says
        nothing. One that passed without them has to pass without them again.
        """
        if not runs(check):
            return () if {*found.changed, *found.deleted}.intersection(self._judging(check)) else None
        settings = tuple(path for path in found.added if self._patterns.configures(path))
        before = self._before.of(self._task, check) if self._before else None
        if (
            not (check.tests and is_pytest(check.argv))
            and before is not None
            and before.outcome is Outcome.PASSED
            and found.any
        ):
            return found.added
        return settings if found.changed or found.deleted or settings else None

    def _again(self, place: Place, check: Check, copy: Copy, found: Touched) -> Check:
        if str(place.round.workspace) in check.run or str(place.top) in check.run:
            what = "it names the workspace by its path, so it cannot be run on a copy with the first versions"
            accepted = TestsMay.ORIGINALS_FAIL in allowances(self._task)
            outcome = Outcome.PASSED if accepted else Outcome.FAILED
            judged = Judged(outcome, f"{what} ({found.names()})" + ("; the card accepts that" if accepted else ""))
            judged = replace(judged, reason=f"{judged.reason}{_cure(judged)}")
            return _check(place.round, check, judged, CheckKind.ORIGINALS)
        there = replace(place.round, workspace=copy.top / place.folder)
        ran = there.again(check, declared_as(self._task, check), suffix=_suffix(CheckKind.ORIGINALS))
        before = self._before.of(self._task, check) if self._before else None
        try:
            first, after, old = (seen_by(one, there.run_dir) if one else None for one in (ran, check, before))
            judged = judge_rerun(self._task, self._kinds, ran, (first, after, old), found.added)
        except ValueError as error:
            judged = Judged(Outcome.FAILED, f"what was written down about its tests cannot be read: {error}")
        judged = replace(judged, reason=f"{judged.reason} ({found.names()}){_cure(judged)}")
        return _check(place.round, check, judged, CheckKind.ORIGINALS, ran)

    def _judging(self, check: Check) -> tuple[str, ...]:
        declared = declared_as(self._task, check) if check.kind is CheckKind.PROBE else None
        return judging_files(self._kinds, declared) if isinstance(declared, Probe) else ()


def runs(check: Check) -> bool:
    """True for a check that has started a process in the workspace."""
    return check.kind is CheckKind.COMMAND or (check.kind is CheckKind.PROBE and bool(check.argv))


def seen_by(check: Check, run_dir: Path) -> Seen | None:
    """The tests that a check saw. Raises ValueError where what it wrote down is not that any more."""
    if check.tests is None:
        return None
    path = run_dir / check.tests
    if path.stat().st_size > _SEEN_MOST:
        raise ValueError(f"{check.tests} has {path.stat().st_size} bytes")
    if sha256_file(path) != check.tests_sha256:
        raise ValueError(f"{check.tests} is not what was recorded")
    return read_seen(path.read_bytes())


def _put_back(copy: Copy, folder: str, found: Touched, gone: tuple[str, ...], originals: Originals) -> None:
    for path in (*found.changed, *found.deleted):
        copy.put(posixpath.normpath(posixpath.join(folder, path)), originals.of(path))
    for path in gone:
        copy.put(posixpath.normpath(posixpath.join(folder, path)), None)


def programs_for(this_round: Round, *tops: Path) -> Programs:
    """Where the words of the checks of a round are looked up. `tops`: other checkouts of the run."""
    env = this_round.call.context.environment.variables()
    folders = tuple(folder.resolve() for folder in (this_round.workspace, *tops))
    # Copies with first versions are made in the folder for temporary files, worktrees in that of the run.
    roots = (*folders, Path(gettempdir()) / "copy", this_round.run_dir)
    return Programs(this_round.workspace, folders, roots, env)


def _cure(judged: Judged) -> str:
    """What a worker can do about it, and what only the card can say."""
    if judged.outcome is Outcome.PASSED or MAY_GO in judged.reason:
        return ""
    return f"; put new tests into files of their own and leave these as they were, or have the card say: {MAY_FAIL}"


def _suffix(kind: CheckKind) -> str:
    return f".{kind.value}"


def _check(this_round: Round, about: Check, judged: Judged, kind: CheckKind, ran: Check | None = None) -> Check:
    """The record; the log is that of the process, or else the tests that it is about."""
    words = {CheckKind.TESTS: "the tests of", CheckKind.ORIGINALS: "with the first versions of protected files:"}[kind]
    id = about.id + _suffix(kind)
    log, log_sha256 = (ran.log, ran.log_sha256) if ran else (None, None)
    if log is None and judged.lines:
        path = this_round.folder / f"{id.partition('.')[2]}.log"
        text = "".join(f"{line}\n" for line in judged.lines).encode("utf-8", "backslashreplace")
        write_private(path, this_round.call.context.environment.masker().bytes(text))
        log, log_sha256 = str(path.relative_to(this_round.run_dir)), sha256_file(path)
    check = Check(
        id=id,
        round=about.round,
        step=about.step,
        attempt=about.attempt,
        ref=TESTS_REF if kind is CheckKind.TESTS else ORIGINALS_REF,
        kind=kind,
        run=f"{words} {about.run}",
        outcome=judged.outcome,
        reason=judged.reason,
        argv=ran.argv if ran else (),
        cwd=ran.cwd if ran else "",
        exit_code=ran.exit_code if ran else None,
        started_at=ran.started_at if ran else None,
        duration_s=ran.duration_s if ran else None,
        log=log,
        log_sha256=log_sha256,
        tests=ran.tests if ran else None,
        tests_sha256=ran.tests_sha256 if ran else None,
        kept=ran.kept if ran else (),
    )
    this_round.told(check)
    return check
