"""The reports of a batch: for people, for scripts, and for CI systems. All of it is derived from the batch's state."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

from ...state.batch import BatchState, BatchTask, TaskStatus
from ...state.batch_record import batch_record, counts
from .files import open_run_folder
from .render import render_batch
from .staging import staging

REPORTS = "reports"
MARKDOWN, JSON, JUNIT = "batch.md", "batch.json", "junit.xml"
# XML 1.0 has no way to write these characters down, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_batch_reports(state: BatchState, folder: Path) -> tuple[Path, ...]:
    """Write `reports/` with batch.md, batch.json and junit.xml; they appear together, at the end.

    Returns:
        Their paths.

    Raises:
        EvidenceError: the folder is reached through a link, or the disk refused. Nothing was replaced then.
    """
    with open_run_folder(folder) as run, run.make(REPORTS) as reports, staging(reports) as staged:
        for name, content in batch_reports(state).items():
            with staged.draft(name) as draft:
                draft.write(content)
                draft.end()
    return tuple(folder / REPORTS / name for name in (MARKDOWN, JSON, JUNIT))


def are_written(state: BatchState, folder: Path) -> bool:
    """True where the reports that stand there say all of this state."""
    try:
        return all((folder / REPORTS / name).read_bytes() == text for name, text in batch_reports(state).items())
    except OSError:
        return False


def batch_reports(state: BatchState) -> dict[str, bytes]:
    """The content of each report; the same state gives the same bytes."""
    return {
        MARKDOWN: render_batch(state, counts(state)),
        # In ASCII: a path may hold what UTF-8 has no bytes for.
        JSON: json.dumps(batch_record(state), indent=2).encode() + b"\n",
        JUNIT: _junit(state),
    }


def _junit(state: BatchState) -> bytes:
    held = state.held()
    cases = [_case(state, task, held=task.id in held) for task in state.tasks]
    suite = ElementTree.Element("testsuite", name=state.batch_id, timestamp=state.created_at.isoformat())
    suite.set("tests", str(len(cases)))
    for kind, plural in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(plural, str(sum(case.find(kind) is not None for case in cases)))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")
    suite.extend(cases)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _case(state: BatchState, task: BatchTask, *, held: bool) -> ElementTree.Element:
    """Only DONE is a success; a task that merely waits for another one is skipped, as what it waits for is told."""
    status, reason = state.status_of(task.id), state.reason_of(task.id)
    end = state.ends.get(task.id)
    took = (end.ended_at - end.started_at).total_seconds() if end and end.started_at and end.ended_at else 0.0
    name = _xml(f"{task.id}: {task.title}")
    case = ElementTree.Element("testcase", classname=_xml(Path(state.task_file).stem), name=name, time=f"{took:.3f}")
    if status is TaskStatus.DONE:
        return case
    if status is TaskStatus.SKIPPED or held:
        ElementTree.SubElement(case, "skipped", message=_xml(reason))
        return case
    kind = "failure" if status in (TaskStatus.FAILED, TaskStatus.BLOCKED) else "error"
    ElementTree.SubElement(case, kind, type=status.value, message=_xml(reason)).text = _xml(f"run {task.run_id}")
    return case


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
