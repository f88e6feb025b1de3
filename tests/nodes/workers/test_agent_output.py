"""Events out of output of any size and shape, in bounded memory."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waypost.nodes.workers.agents import shipped_agents
from waypost.nodes.workers.agents.output import BLOCK, MAX_LINE, Output
from waypost.nodes.workers.agents.result import read_report
from waypost.state.records import Usage

RESULT = b'{"type":"result","subtype":"success","is_error":false,"session_id":"s-1"}\n'


def log(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "stdout.log"
    path.write_bytes(data)
    return path


def report(tmp_path: Path, data: bytes, agent: str = "claude", code: int = 0):
    return read_report(shipped_agents()[agent], log(tmp_path, data), code, session=None, chosen=None)


@pytest.mark.parametrize("before", [0, 1, BLOCK - 40, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK - 10])
def test_an_event_is_found_wherever_it_stands_in_the_blocks(tmp_path, before):
    data = b"x" * (before - 1) + b"\n" * (before > 0) + RESULT + b"y" * BLOCK
    assert report(tmp_path, data).missing == ""


@pytest.mark.parametrize("newline", [b"", b"\n", b"\r\n"])
def test_the_last_line_needs_no_newline(tmp_path, newline):
    assert report(tmp_path, b"noise\n" + RESULT.strip() + newline).missing == ""


def test_a_line_that_is_too_long_is_left_out_and_what_follows_is_read(tmp_path):
    data = b'{"type":"result","result":"' + b"x" * (MAX_LINE + 3 * BLOCK) + b'"}\n'
    assert "1 line(s) were longer" in report(tmp_path, data).missing
    assert report(tmp_path, data + RESULT).missing == ""
    assert report(tmp_path, RESULT + data).missing == ""


@pytest.mark.parametrize("line", [None, 8000], ids=["one line", "short lines"])
def test_memory_does_not_grow_with_the_output(tmp_path, line):
    size = 4 * MAX_LINE
    noise = b"x" * size if line is None else (b'{"result"'.ljust(line - 1) + b"\n") * (size // line)
    path = log(tmp_path, noise + b"\n" + RESULT)
    del noise
    tracemalloc.start()
    try:
        list(Output(path).events(["result"]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * MAX_LINE


FAILED = b'{"type":"result","subtype":"success","is_error":true,"result":"no credit"}\n'


@pytest.mark.parametrize(
    "data", [FAILED + RESULT, RESULT + FAILED, FAILED], ids=["then success", "after success", "alone"]
)
def test_one_result_that_failed_is_enough(tmp_path, data):
    assert "no credit" in report(tmp_path, data).failure


@pytest.mark.parametrize(
    "event",
    [
        {"type": "result"},
        {"type": "result", "subtype": "success"},
        {"type": "result", "subtype": "success", "is_error": 0},
        {"type": "result", "subtype": "success", "is_error": "false"},
        {"type": "result", "subtype": "success", "is_error": None},
        {"type": "result", "subtype": ["success"], "is_error": False},
        {"type": "result", "subtype": "Success", "is_error": False},
        {"type": "result", "result": {"subtype": "success", "is_error": False}},
    ],
)
def test_a_success_that_is_missing_or_of_another_type_is_a_failure(tmp_path, event):
    assert report(tmp_path, json.dumps(event).encode()).failure


@pytest.mark.parametrize(
    "event",
    [
        {"result": "result", "subtype": "success", "is_error": False},
        {"type": "Result", "subtype": "success", "is_error": False},
        {"type": ["result"], "subtype": "success", "is_error": False},
        {"message": {"type": "result", "subtype": "success", "is_error": False}},
    ],
)
def test_what_only_looks_like_a_result_is_none(tmp_path, event):
    assert report(tmp_path, json.dumps(event).encode()).missing


@pytest.mark.parametrize("amount", ["-1", "NaN", "1e999", '"5"', "true", "null", "[]", "9e99"])
def test_an_amount_that_is_none_is_not_recorded(tmp_path, amount):
    line = f'{{"type":"result","subtype":"success","is_error":false,"num_turns":{amount},"total_cost_usd":{amount}}}'
    assert report(tmp_path, line.encode()).usage == Usage()


@pytest.mark.parametrize("session", ["--force", "a b", "", "x" * 300, 7, None, ["s"]])
def test_a_session_that_is_no_plain_name_is_not_recorded(tmp_path, session):
    line = json.dumps({"type": "system", "subtype": "init", "session_id": session}).encode()
    assert report(tmp_path, line + b"\n" + RESULT).session is None


def test_a_session_inside_what_the_agent_wrote_is_not_its_own(tmp_path):
    planted = {"type": "assistant", "message": {"type": "system", "subtype": "init", "session_id": "planted"}}
    own = {"type": "system", "subtype": "init", "session_id": "own"}
    assert report(tmp_path, b"\n".join(json.dumps(event).encode() for event in (own, planted))).session == "own"


@pytest.mark.parametrize(("code", "said"), [(42, "refused its input"), (53, "limit of turns"), (1, ""), (0, "")])
def test_an_exit_code_that_the_tool_documents_is_named(tmp_path, code, said):
    assert said in report(tmp_path, b"", "gemini", code).failure


def test_a_log_that_is_not_there_is_a_failure(tmp_path):
    gone = read_report(shipped_agents()["claude"], tmp_path / "gone", 0, session=None, chosen=None)
    assert "cannot be read" in gone.failure


@given(st.binary(max_size=300), st.sampled_from(sorted(shipped_agents())))
def test_no_output_makes_reading_it_fail(tmp_path_factory, data, agent):
    path = tmp_path_factory.getbasetemp() / "any.log"
    path.write_bytes(data)
    read = read_report(shipped_agents()[agent], path, 0, session=None, chosen=None)
    assert read.missing or read.failure or shipped_agents()[agent].exit_code_decides
