"""A worker's typed result: the last whole line, or none."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest
from waypost.nodes.workers.typed import EventWriter, Result, progress_text, read_report

GOOD = json.dumps({"type": "result", "ok": True, "session": "s", "usage": {"turns": 2}})
BAD = json.dumps({"type": "result", "ok": False, "reason": "the model is down"})


def left(folder: Path, out: bytes) -> Path:
    (folder / "stdout.log").write_bytes(out)
    return folder


def test_the_last_line_is_the_result_whatever_stands_before_it(tmp_path):
    report = read_report(left(tmp_path, b"x" * 300_000 + b"\n\xff\n" + BAD.encode() + b"\n" + GOOD.encode() + b"\n"))
    assert (report.failure, report.missing, report.session, report.usage.turns) == ("", "", "s", 2)


def test_a_result_that_says_it_failed_is_a_failure_with_its_reason(tmp_path):
    assert read_report(left(tmp_path, BAD.encode() + b"\n")).failure == "the model is down"
    assert read_report(left(tmp_path, b'{"type": "result", "ok": false}\n')).failure


@pytest.mark.parametrize(
    "out",
    [
        b"",
        b"\n",
        GOOD.encode(),
        GOOD.encode() + b" ",
        GOOD.encode()[:-1] + b"\n",
        GOOD.encode() + b"\n\n",
        GOOD.encode() + b"\nafterwards\n",
        GOOD.encode().replace(b"true", b'"true"') + b"\n",
        GOOD.encode().replace(b"true", b"1") + b"\n",
        GOOD.encode().replace(b'"result"', b'"message"') + b"\n",
        GOOD.encode().replace(b'"turns": 2', b'"turns": -2') + b"\n",
        GOOD.encode().replace(b'"session": "s"', b'"more": 1') + b"\n",
        b"[" * 100_000 + b"\n",
        b"null\n",
        b"\xff\n",
    ],
)
def test_anything_else_is_a_missing_result(tmp_path, out):
    report = read_report(left(tmp_path, out))
    assert report.missing
    assert not report.failure


def test_without_any_output_the_result_is_missing(tmp_path):
    assert read_report(tmp_path).missing


def test_permissions_are_counted_and_what_cannot_be_read_counts_as_denied(tmp_path):
    rows = [{"action": "read", "subject": f"{n}", "allowed": n % 2 == 0, "reason": "no"} for n in range(60)]
    data = "".join(json.dumps(row) + "\n" for row in rows).encode() + b"garbage\n[]\n" + b'{"allowed": "yes"}\n'
    (tmp_path / "permissions.jsonl").write_bytes(data)
    found = read_report(left(tmp_path, GOOD.encode() + b"\n")).permissions
    assert (found.asked, found.denied, len(found.denials)) == (63, 33, 20)
    assert (found.denials[0].what, found.denials[0].why) == ("read 1", "no")
    assert found.sha256 == hashlib.sha256(data).hexdigest()


def test_progress_is_cut_short_and_ends_before_it_fills_the_disk(monkeypatch):
    monkeypatch.setattr("waypost.nodes.workers.typed._PROGRESS_AT_MOST_BYTES", 2000)
    stream = io.StringIO()
    events = EventWriter(stream)
    for _ in range(50):
        events.progress("message", "x" * 10_000)
    events.result(Result(ok=True))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 6
    assert all(len(line) < 500 for line in lines)
    assert "further progress is not kept" in lines[-2]
    assert json.loads(lines[-1])["ok"] is True


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b'{"type": "message", "text": "hello"}\n', "hello"),
        (b'{"type": "tool", "text": "write_file"}\n', "tool: write_file"),
        (GOOD.encode(), None),
        (b'{"type": "message", "text": ""}', None),
        (b'{"type": ["message"], "text": "hello"}', None),
        (b"[]", None),
        (b"\xff", None),
        (b"", None),
        (b"[" * 70_000, None),
    ],
)
def test_people_are_shown_events_and_nothing_else(line, text):
    assert progress_text(line) == text
