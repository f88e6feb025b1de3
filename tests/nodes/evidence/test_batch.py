"""The reports of a batch, from states made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from waypost.nodes.evidence.batch import JSON, JUNIT, MARKDOWN, are_written, batch_reports, write_batch_reports
from waypost.state.acceptance import Acceptance
from waypost.state.batch import BatchState, BatchTask, TaskEnd, TaskStatus

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ENDED = [status for status in TaskStatus if status is not TaskStatus.PENDING]


def batch(statuses: list[TaskStatus], *, title: str = "A task", reason: str = "so it is") -> BatchState:
    """A batch with a task for each status; PENDING ones have no end."""
    ids = [f"T-{number}" for number in range(len(statuses))]
    ends = {
        id: TaskEnd(status=status, reason=reason, started_at=AT, ended_at=AT + timedelta(seconds=2))
        for id, status in zip(ids, statuses, strict=True)
        if status is not TaskStatus.PENDING
    }
    return BatchState(
        batch_id="B",
        task_file="/tasks.md",
        workspace="/w",
        acceptance=Acceptance(format="card", digest="d", files={}, how="a card", who="me", at=AT),
        contracts_sha256="0",
        created_at=AT,
        tasks=tuple(BatchTask(id=id, title=title, run_id=f"{id}_R") for id in ids),
        ends=ends,
    )


def suite_of(state: BatchState) -> ElementTree.Element:
    suite = ElementTree.fromstring(batch_reports(state)[JUNIT]).find("testsuite")
    assert suite is not None
    return suite


@pytest.mark.parametrize("status", TaskStatus)
def test_only_a_done_task_is_a_success_for_a_ci_system(status):
    (case,) = suite_of(batch([status]))
    assert [child.tag for child in case] == {
        TaskStatus.DONE: [],
        TaskStatus.FAILED: ["failure"],
        TaskStatus.BLOCKED: ["failure"],
        TaskStatus.SKIPPED: ["skipped"],
        TaskStatus.INTERRUPTED: ["error"],
        TaskStatus.PENDING: ["error"],
    }[status]


@pytest.mark.parametrize("status", TaskStatus)
def test_a_batch_is_done_only_if_every_task_is(status):
    outcome = batch([TaskStatus.DONE, status]).outcome()
    assert (outcome is TaskStatus.DONE) == (status is TaskStatus.DONE)


def test_characters_that_xml_cannot_hold_are_replaced():
    nasty = '<b>\x00\x1b[31m\ufffe\ud800]]>&"'
    suite = suite_of(batch([TaskStatus.FAILED], title=nasty, reason=nasty))
    assert suite[0].get("name") == 'T-0: <b>\ufffd\ufffd[31m\ufffd\ufffd]]>&"'
    assert suite[0][0].get("message") == '<b>\ufffd\ufffd[31m\ufffd\ufffd]]>&"'


def test_titles_and_reasons_stay_text_in_markdown():
    state = batch([TaskStatus.FAILED], title="a | b\n# no heading \x1b[31m", reason="<b>")
    text = batch_reports(state)[MARKDOWN].decode()
    assert "\x1b" not in text
    (row,) = [line for line in text.splitlines() if line.startswith("| `T-0`")]
    assert "a \\| b \\# no heading" in row
    assert "\\<b\\>" in row


def test_what_stands_there_is_told_from_what_would_be_written_now(tmp_path):
    state = batch([TaskStatus.DONE])
    write_batch_reports(state, tmp_path)
    assert are_written(state, tmp_path)
    assert not are_written(batch([TaskStatus.BLOCKED]), tmp_path)
    (tmp_path / "reports" / JSON).unlink()
    assert not are_written(state, tmp_path)
