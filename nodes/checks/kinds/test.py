"""The kind `test`: named tests are in the JUnit XML report of a run of ours, and have passed."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ....state.task import Probe
from ..command import argv_of, plain
from .command import SUCCESS
from .junit import NoReport, read_report, verdict_on
from .kind import Argument, Bench, Judged, Kept, Kind, NotKept, Seen, Shape, failed, passed
from .reports import fresh_report

PLACE = "{junit}"
_REPORT = "report.xml"
_JUNIT = "junit.xml"
_PYTEST = "python3 -m pytest"
_RUNNERS = [[tool, "run"] for tool in ("uv", "poetry", "pdm", "pipenv", "rye")]
_PROGRAMS = frozenset({"pytest", "py.test"})


class TestKind(Kind):
    """Tests by their id: of pytest as it prints them, of other tools as `class name.test name`."""

    __test__ = False

    name = "test"
    subject = Argument("id", "the id of a test", required=True)
    most_subjects = 100
    arguments = (
        Argument("run", f"the command that runs them; {PLACE} stands for the path of its report", Shape.COMMAND),
        Argument("exit_code", "how the command has to end, 0 if not given", Shape.EXIT_CODE),
    )
    runs = True

    def complaint(self, subject: Sequence[str], args: Mapping[str, str]) -> str:
        """A command has to be told where its report goes."""
        run = args.get("run")
        if run is None:
            odd = next((id for id in subject if "::" not in id or id.startswith("-")), None)
            return f'names "{odd[:60]}", which is no id of pytest; for another tool say "run"' if odd else ""
        if PLACE in run or _is_pytest(run):
            return ""
        return f'runs "{run[:60]}", which is not told where its report goes: write {PLACE} in its place'

    def title(self, probe: Probe) -> str:
        """The ids, and the command."""
        return f"test {', '.join(probe.subject)} (by {_command(probe)})"

    def tests(self, probe: Probe) -> tuple[str, ...]:
        """The ids."""
        return probe.subject

    def look(self, probe: Probe, bench: Bench) -> Seen:
        """Run the command with a place for its report that nobody could know before, and keep what stands there."""
        out = Path(tempfile.mkdtemp(prefix="waypost-report-"))
        try:
            report = out / _REPORT
            made_ns = out.stat().st_mtime_ns
            command = _command(probe)
            if PLACE in command:
                seen = bench.run(command.replace(PLACE, shlex.quote(str(report))))
            else:
                seen = bench.run(command, (f"--junitxml={report}",))
            # Its place is another one each time, and gone when somebody reads of it.
            seen = replace(seen, argv=tuple(word.replace(str(report), PLACE) for word in seen.argv))
            if seen.given_up is not None:
                return seen
            try:
                content = fresh_report(report, made_ns)
            except NotKept as why:
                return replace(seen, given_up=failed(str(why)))
            return seen if content is None else replace(seen, kept={_JUNIT: bench.keep(_JUNIT, content)})
        finally:
            shutil.rmtree(out, ignore_errors=True)

    def judge(self, probe: Probe, kept: Kept) -> Judged:
        """Each test by itself; the exit code of the command last, as a failed one says less than a failed test."""
        wanted = int(probe.args.get("exit_code", SUCCESS))
        try:
            report = kept.file(_JUNIT)
        except NotKept:
            return failed(f"exit code {kept.exit_code}, and no JUnit report of this run was written")
        try:
            cases = read_report(report)
        except NoReport as why:
            return failed(f"exit code {kept.exit_code}, and what it wrote is no JUnit report: {why}")
        complaints = [complaint for id in probe.subject if (complaint := verdict_on(id, cases))]
        if complaints:
            return failed("; ".join(complaints))
        if kept.exit_code != wanted:
            return failed(
                f"the named tests passed, but the command ended with exit code {kept.exit_code}, not {wanted}"
            )
        return passed(f"{len(probe.subject)} named, passed; {len(cases)} tests in the report, exit code {wanted}")


def _command(probe: Probe) -> str:
    return probe.args.get("run") or f"{_PYTEST} {' '.join(shlex.quote(id) for id in probe.subject)}"


def _is_pytest(run: str) -> bool:
    """True for one plain command that is pytest, behind which an option can be put."""
    if not plain(run):
        return False
    words = list(argv_of(run))
    while words[1:] and (words[0] == "env" or "=" in words[0] or words[:2] in _RUNNERS):
        del words[: 2 if words[:2] in _RUNNERS else 1]
    program = words[0].rpartition("/")[2]
    return program in _PROGRAMS or (program.startswith("python") and words[1:3] == ["-m", "pytest"])
