"""What the reports say, and that no sentence says more than the records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from kit.links import unlinked
from markdown_it import MarkdownIt
from waypost.nodes.evidence import write_evidence
from waypost.state.pipeline import Baseline, Blocked
from waypost.state.plan import Gap, Plan
from waypost.state.records import AttemptOutcome, CheckKind, Decision, Order, Outcome
from waypost.state.status import Node, Route, Status
from waypost.state.task import Command, Criterion

from .conftest import START, Run

GOLDEN = Path(__file__).parent / "golden"
EIGHT = [
    "Step Identification",
    "Summary of Work",
    "Files Changed",
    "Commands Executed",
    "Verification Results",
    "Logs / Artifacts",
    "Risks & Limitations",
    "Reproduction Guide",
]
AUDIT = ["Scope", "Acceptance Coverage", "Command Contract", "Transitions", "Attempts"]


def written(run: Run, name: str = "report.md", **changes: Any) -> str:
    return unlinked(linked(run, name, **changes))


def linked(run: Run, name: str = "report.md", **changes: Any) -> str:
    write_evidence(run.state(**changes), run.folder)
    return (run.reports / name).read_text()


def sections(markdown: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", markdown, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_report_has_its_eight_sections_in_order(done: Run) -> None:
    assert list(sections(written(done))) == EIGHT


def test_the_report_of_a_run_without_anything_has_them_too(run: Run) -> None:
    assert list(sections(written(run, status=Status.FAILED, plan=None, baseline=None))) == EIGHT


def test_the_audit_summary_has_its_sections_in_order(done: Run) -> None:
    assert list(sections(written(done, "audit-summary.md"))) == AUDIT


@pytest.mark.parametrize("name", ["report.md", "audit-summary.md", "verification.log"])
def test_the_evidence_of_a_mapped_run_keeps_its_shape(mapped: Run, name: str) -> None:
    mapped.move(Status.ACCEPT, Status.DONE, Node.TRANSITION, Route.ACCEPTED_ALL, "every criterion passed")
    assert linked(mapped, name) == (GOLDEN / name).read_text()


def test_title_and_status_come_first(done: Run) -> None:
    lines = written(done).splitlines()
    assert lines[0] == "# Report: DKT-003: Implement orchestrator state machine"
    assert lines[2].startswith("**Status:** DONE. **Verdict:** PASSED. Criteria: 1 PASSED, 0 FAILED")


def test_the_baseline_mapping_is_explained_in_words(mapped: Run) -> None:
    said = sections(written(mapped))["Verification Results"]
    why = 'make has no rule for "test-orchestrator"'
    assert f"The command `make test-orchestrator` (check `2.S1.V1`) does not exist here: {why}" in said
    assert "In its place ran `python -m pytest tests/test_machine.py` (check `2.S1.V1.e1`): PASSED" in said
    assert "What it was to prove is PASSED." in said


def test_an_absent_command_without_equivalents_proves_nothing(run: Run) -> None:
    run.quiet("V1", CheckKind.BASELINE, "make test", Outcome.UNVERIFIABLE, "there is no makefile")
    run.verdict(outcome=Outcome.UNVERIFIABLE, reason="make test: there is no makefile")
    said = sections(written(run, status=Status.BLOCKED))["Verification Results"]
    assert "Nothing ran in its place." in said
    assert "What it was to prove is UNVERIFIABLE." in said


def test_an_equivalent_that_failed_is_not_hidden_by_one_that_passed(run: Run) -> None:
    run.task = run.a_task(verification=(Command(ref="V1", run="make test", equivalents=("true", "false")),))
    run.quiet("V1", CheckKind.BASELINE, "make test", Outcome.UNVERIFIABLE, "there is no makefile")
    run.check("V1", suffix=".e1", stands_for="make test")
    run.check("V1", suffix=".e2", stands_for="make test", outcome=Outcome.FAILED, exit_code=1)
    run.verdict()
    said = sections(written(run, status=Status.BLOCKED))["Verification Results"]
    assert "What it was to prove is FAILED." in said
    assert "| `A1` | Every allowed transition is taken | FAILED |" in said


def test_without_checks_the_report_says_so_and_the_verdict_is_not_passed(run: Run) -> None:
    run.attempt()
    run.verdict(checks=())
    run.verdict(None, checks=())
    report = written(run, status=Status.BLOCKED)
    assert "**Verdict:** UNVERIFIABLE. Criteria: 0 PASSED, 0 FAILED, 1 UNVERIFIABLE." in report
    assert "No check is recorded: nothing was verified." in sections(report)["Verification Results"]
    assert "recorded as PASSED, but V1 did not run" in sections(report)["Verification Results"]


def test_a_state_that_claims_done_without_proof_is_not_reported_as_passed(run: Run) -> None:
    run.attempt()
    run.verdict(checks=())
    forged = run.state(Status.BLOCKED).model_copy(update={"status": Status.DONE})
    write_evidence(forged, run.folder)
    assert "**Status:** DONE. **Verdict:** UNVERIFIABLE." in unlinked((run.reports / "report.md").read_text())


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNVERIFIABLE])
def test_a_verdict_is_never_shown_better_than_its_checks(run: Run, outcome: Outcome) -> None:
    run.attempt()
    run.check(outcome=outcome, exit_code=1, reason="exit code 1")
    run.verdict()
    report = written(run, status=Status.BLOCKED)
    assert f"| `A1` | Every allowed transition is taken | {outcome} | 1 | `1.S1.V1` {outcome} |" in report
    assert f"**Verdict:** {outcome}." in report
    assert f"recorded as PASSED, but check 1.S1.V1 is {outcome}" in report


def test_a_criterion_without_a_check_is_unverifiable(run: Run) -> None:
    run.task = run.a_task(criteria=(Criterion(id="A1", text="It feels right"),))
    run.verdict(checks=())
    assert "| `A1` | It feels right | UNVERIFIABLE | none | none |" in written(run, status=Status.BLOCKED)


def test_a_task_without_criteria_proves_nothing(run: Run) -> None:
    run.task = run.a_task(criteria=())
    run.check()
    report = written(run, status=Status.BLOCKED)
    assert "The task has no acceptance criteria: nothing can be proved." in report
    assert "**Verdict:** UNVERIFIABLE." in report


def test_a_verdict_from_an_earlier_round_says_from_which(done: Run) -> None:
    done.scope(("modified", "src/machine.py", True), round=2)
    report = written(done, status=Status.BLOCKED)
    assert "| `A1` | Every allowed transition is taken | PASSED | 1 | `1.S1.V1` PASSED |" in report
    assert "- Criterion A1 of step S1 was last checked in round 1 of 2." in report
    assert "**Verdict:** UNVERIFIABLE." in report


def test_the_summary_holds_records_and_not_what_a_worker_said(done: Run) -> None:
    summary = sections(written(done))["Summary of Work"]
    assert "| `S1` | 1 | create | `shell` | finished | 0 | 2.500 s | `dispatch/S1/attempt-1` |" in summary
    assert "trust me" not in written(done)


def test_changed_files_come_from_the_newest_scope_check_only(run: Run) -> None:
    run.scope(("added", "old.py", False))
    run.scope(("modified", "src/a.py", True), ("deleted", "../outside", False), round=2)
    report = written(run, status=Status.BLOCKED)
    changed = sections(report)["Files Changed"]
    assert "old.py" not in changed
    assert "saw 2 changed files, 1 of them outside the allowed scope" in changed
    assert changed.index("| deleted | `../outside` | NO |") < changed.index("| modified | `src/a.py` | yes |")
    assert "- Changes outside the allowed scope: 1." in report
    assert "2, in scope 1, out of scope 1; 1 deleted, 1 modified" in (run.reports / "audit-summary.md").read_text()


def test_an_unknown_list_of_changes_is_not_an_empty_one(run: Run) -> None:
    assert "which files changed is not known" in written(run, status=Status.BLOCKED)
    run.quiet("SCOPE", CheckKind.SCOPE, "scope", Outcome.UNVERIFIABLE, "git is gone", step=None)
    report = written(run, status=Status.BLOCKED)
    assert "left no list of changes: git is gone" in report
    assert "- No list of changed files is recorded." in report


def test_many_changes_are_counted_even_where_they_are_not_shown(run: Run) -> None:
    rows = [("added", f"src/{number}.py", True) for number in range(700)]
    run.scope(*rows, ("added", "last.py", False))
    changed = sections(written(run, status=Status.BLOCKED))["Files Changed"]
    assert "saw 701 changed files, 1 of them outside" in changed
    assert "201 more stand in `checks/0001/task.SCOPE.log`." in changed
    assert "| added | `last.py` | NO |" in changed


def test_every_file_stands_with_its_hash(done: Run) -> None:
    files = write_evidence(done.state(), done.folder)
    listed = sections(unlinked((done.reports / "report.md").read_text()))["Logs / Artifacts"]
    for file in files[1:]:
        assert f"| `{Path(file.path).name}` | `{file.sha256}` | computed |" in listed
    for check in done.checks:
        assert f"| `{check.log}` | `{check.log_sha256}` | recorded |" in listed
    assert f"| `dispatch/S1/attempt-1/stdout.log` | `{done.attempts[0].stdout_sha256}` | recorded |" in listed
    assert "| `dispatch/S1/attempt-1/request.json` |" in listed


def test_a_run_with_nothing_to_warn_about_says_so(done: Run) -> None:
    done.earlier()
    assert sections(written(done))["Risks & Limitations"].strip() == "None recorded."


def test_risks_are_facts_from_the_records(run: Run) -> None:
    run.task = run.a_task(allowed_paths=())
    lost = {"outcome": AttemptOutcome.LOST, "exit_code": None, "stdout_sha256": None, "stderr_sha256": None}
    run.attempt(1, reason="gone without a result", **lost)
    run.attempt(2, outcome=AttemptOutcome.TIMED_OUT, exit_code=None)
    run.check(outcome=Outcome.UNVERIFIABLE, exit_code=None, reason="command not found: python")
    run.move(Status.EXECUTE, Status.DRAINING, Node.VERIFY, Route.DRAIN, "SIGTERM")
    report = written(
        run,
        status=Status.BLOCKED,
        baseline=Baseline(commit="c" * 40, dirty={"notes.txt": "2" * 64}),
        plan=Plan(waves=(("S1",),), coverage=(), gaps=(Gap(step="S1", criterion="A1", reason="no check is named"),)),
        orders=(Order(step="S1", number=3, kind="rework"),),
        blocked=Blocked(question="Go on?", reasons=("S1 still fails",)),
        decisions=(Decision(route=Route.RECOVER, who="ada", note="once more", at=START),),
    )
    assert sections(report)["Risks & Limitations"].strip().splitlines() == [
        "- Criterion A1 of step S1 is UNVERIFIABLE: no verdict is recorded; no check is mapped to it",
        "- Check 1.S1.V1 is UNVERIFIABLE: command not found: python",
        "- The plan has a gap in step S1: no check is named",
        "- Step S1 was reworked 1 time (limit 3).",
        "- Attempt 1 of step S1 is recorded as lost: gone without a result",
        "- Attempt 2 of step S1 is recorded as timed out.",
        "- Attempt 3 of step S1 was ordered; no result of it is recorded.",
        "- The run was drained 1 time.",
        "- The run waits for a person: Go on?",
        "- It is blocked because: S1 still fails",
        "- File notes.txt differed from the commit before the first step.",
        "- Criterion A1 of step S1: what it was before is not known: no check ran.",
        "- No allowed scope is declared for step S1.",
        "- No list of changed files is recorded.",
        "- ada decided recover at 2026-02-11T13:40:56Z, not signed: once more",
    ]


def test_the_guide_names_commit_workspace_commands_and_run(run: Run) -> None:
    run.check(argv=("python", "-c", "print('a b')\n"))
    run.check("V2", argv=("ls",), cwd="/elsewhere")
    run.check("V3", argv=("echo", "```", "\x1b[31m"))
    guide = sections(written(run, status=Status.BLOCKED))["Reproduction Guide"]
    assert "commit `ac778e9000" in guide
    blocks = [token.content for token in MarkdownIt("commonmark").parse(guide) if token.type == "fence"]
    assert blocks == [
        "cd '/srv/work space/project'\n"
        "# 1.S1.V1\npython -c 'print('\"'\"'a b'\"'\"')\n'\n"
        "# 1.S1.V2\n(cd /elsewhere && ls)\n"
        "# 1.S1.V3\necho '```' $'\\033[31m'\n",
        "waypost status DKT-003_20260211T134056Z_ac778e9\n",
    ]


def test_the_command_contract_shows_what_was_declared_and_what_ran(mapped: Run) -> None:
    contract = sections(written(mapped, "audit-summary.md"))["Command Contract"]
    assert "| `2.S1.V1` | `make test-orchestrator` | 2 | UNVERIFIABLE |" in contract
    assert "| `2.S1.V1.e2` | `bash -euo pipefail -c 'ruff check src \\| tee lint.txt'` | 0 | PASSED |" in contract
    assert "Declared equivalents of `make test-orchestrator` (step S1, V1): `python -m pytest" in contract
    assert "`1.S1.V1.e1`" not in contract


def test_a_declared_command_that_never_ran_is_not_checked(run: Run) -> None:
    contract = sections(written(run, "audit-summary.md", status=Status.BLOCKED))["Command Contract"]
    assert "| `S1` | `V1` | `python -m pytest -q` | none | nothing | none | not checked |" in contract


def test_transitions_stand_in_order(done: Run) -> None:
    rows = sections(written(done, "audit-summary.md"))["Transitions"].strip().splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == ["| PLANNING", "| ANALYSIS", "| FREEZE", "| EXECUTE", "| ACCEPT"]


HOSTILE = "x\n## Verification Results\n\n| a | b |\n<script>alert(1)</script> `` ``` \x1b[2J ](http://a) &lt; *b*"


@pytest.mark.parametrize("name", ["report.md", "audit-summary.md"])
def test_hostile_text_changes_no_structure(run: Run, name: str) -> None:
    run.task = run.a_task(
        title=HOSTILE,
        goal=HOSTILE,
        criteria=(Criterion(id="A1", text=HOSTILE, verified_by=("V1",)),),
        verification=(Command(ref="V1", run=HOSTILE, equivalents=(HOSTILE,)),),
        allowed_paths=(HOSTILE,),
    )
    run.attempt(worker=HOSTILE, reason=HOSTILE)
    run.quiet("V1", CheckKind.BASELINE, HOSTILE, Outcome.UNVERIFIABLE, HOSTILE)
    run.check("V1", suffix=".e1", run=HOSTILE, reason=HOSTILE, argv=(HOSTILE,), cwd=HOSTILE, stands_for=HOSTILE)
    run.scope((HOSTILE, HOSTILE, False))
    run.verdict(outcome=Outcome.FAILED, reason=HOSTILE)
    run.verdict(None, outcome=Outcome.FAILED, reason=HOSTILE)
    run.move(Status.ACCEPT, Status.BLOCKED, Node.TRANSITION, Route.EXHAUSTED, HOSTILE)
    report = linked(
        run,
        name,
        status=Status.BLOCKED,
        workspace=HOSTILE,
        worker=HOSTILE,
        writer_version=HOSTILE,
        baseline=Baseline(commit=HOSTILE, dirty={HOSTILE: HOSTILE}),
        blocked=Blocked(question=HOSTILE, reasons=(HOSTILE,)),
        decisions=(Decision(route=Route.RECOVER, who=HOSTILE, note=HOSTILE, at=START),),
    )
    assert "\x1b" not in report
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(report)
    headings = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings[1:] == (EIGHT if name == "report.md" else AUDIT)
    children = [child for token in tokens for child in token.children or []]
    types = {"text", "text_special", "code_inline", "strong_open", "strong_close", "softbreak"}
    assert {child.type for child in children} <= types | {"link_open", "link_close"}
    targets = {str(child.attrs["href"]) for child in children if child.type == "link_open"}
    ours = ("../../ledger.jsonl#/", "../../checks/", "../../dispatch/", "verification.log", "audit-summary.md")
    assert all(target.startswith(ours) for target in targets)
    assert "html_block" not in {token.type for token in tokens}
    for widths in _tables(tokens):
        assert len(set(widths)) == 1


def _tables(tokens: list[Any]) -> list[list[int]]:
    """For each table, the number of cells in each of its rows."""
    tables: list[list[int]] = []
    for token in tokens:
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append(0)
        elif token.type in {"th_open", "td_open"}:
            tables[-1][-1] += 1
    return tables
