"""What a worker asked for and was not allowed is in the report, and rests on a file that cannot be changed unseen."""

from __future__ import annotations

import pytest
from kit.links import unlinked
from waypost.nodes.evidence import write_evidence
from waypost.state.errors import EvidenceError
from waypost.state.records import Denial, Permissions

PATH = "dispatch/S1/attempt-1/permissions.jsonl"


def denied(run, *, total=1):
    row = b'{"action": "write", "subject": "Makefile", "allowed": false}\n'
    denial = Denial(what="write Makefile", why="it is not among the allowed paths (src/**)")
    permissions = Permissions(asked=total + 4, denied=total, denials=(denial,), sha256=run.file(PATH, row * total))
    run.attempts[0] = run.attempts[0].model_copy(update={"permissions": permissions})
    return run


def report(run):
    write_evidence(run.state(), run.folder)
    return unlinked((run.reports / "report.md").read_text(encoding="utf-8"))


def test_a_denial_is_told_with_what_and_why(done):
    risks = report(denied(done)).partition("## Risks & Limitations")[2]
    assert "Attempt 1 of step S1 was denied: write Makefile: it is not among the allowed paths (src/\\*\\*)" in risks


def test_denials_that_are_not_shown_are_counted_and_their_file_is_named(done):
    assert "was denied 7 more requests, listed in dispatch/S1/attempt-1/permissions.jsonl." in report(
        denied(done, total=8)
    )


def test_the_file_of_decisions_is_listed_with_its_recorded_hash(done):
    run = denied(done)
    assert f"| `{PATH}` | `{run.attempts[0].permissions.sha256}` | recorded |" in report(run)


def test_a_file_of_decisions_that_was_changed_later_is_found_out(done):
    run = denied(done)
    run.file(PATH, b'{"action": "write", "subject": "Makefile", "allowed": true}\n')
    with pytest.raises(EvidenceError, match=r"permissions\.jsonl does not hold the bytes"):
        write_evidence(run.state(), run.folder)


def test_a_worker_that_was_denied_nothing_is_not_accused(done):
    assert "denied" not in report(done)
