"""A real agent process is driven over stdio, by dispatch and launcher, and gets no further than its step allows."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from kit.jobs import Recorded, make_job
from kit.processes import gone
from kit.states import make_step
from waypost.nodes.dispatch import dispatch
from waypost.nodes.workers import AcpWorker, WorkerRefused
from waypost.nodes.workers.acp.runner import work
from waypost.nodes.workers.acp.worker import AcpSettings
from waypost.nodes.workers.typed import EventWriter, Result
from waypost.state.job import Job
from waypost.state.records import Attempt, AttemptOutcome
from waypost.state.task import Command

AGENT = Path(__file__).resolve().parents[2] / "kit" / "acp_agent.py"


class Drive:
    """One attempt of an agent that plays a script."""

    def __init__(self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.repo, self.tmp_path = repo, tmp_path
        self.recorded = Recorded(tmp_path / "runs")
        self.log = tmp_path / "agent.log"
        monkeypatch.setenv("AGENT_LOG", str(self.log))

    def worker(self, *script: dict[str, Any], **options: Any) -> AcpWorker:
        path = self.tmp_path / "script.json"
        path.write_text(json.dumps(script))
        argv = (sys.executable, str(AGENT), str(path))
        return AcpWorker("agent", argv, pass_env=("AGENT_LOG",), **options)

    def __call__(self, *script: dict[str, Any], timeout_s: float = 60.0) -> Attempt:
        """Through dispatch: launcher, runner and agent are processes."""
        self.recorded.use_worker("agent", self.worker(*script))
        return dispatch(self.job(timeout_s=timeout_s), self.recorded.call).update["attempts"][0]

    def here(self, *script: dict[str, Any], **fields: Any) -> Result:
        """The runner in this process: only the agent is one of its own."""
        self.worker(*script)
        return self.start(sys.executable, str(AGENT), str(self.tmp_path / "script.json"), **fields)

    def start(self, *argv: str, handshake_timeout_s: float = 60.0, **fields: Any) -> Result:
        folder = self.tmp_path / "runs" / "run" / "dispatch" / "S1" / "attempt-1"
        folder.mkdir(parents=True)
        (folder / "prompt.md").write_text("do it")
        settings = AcpSettings(argv=argv, pass_env=("AGENT_LOG",), handshake_timeout_s=handshake_timeout_s)
        return asyncio.run(work(self.job(**fields), folder, settings, EventWriter(io.StringIO())))

    def job(self, **fields: Any) -> Job:
        step = make_step(
            allowed_paths=("src/**",), verification=(Command(ref="V1", run="python3 -c 'print(6 * 7)'"),), actions=()
        )
        return make_job(self.repo, step=step, worker="agent", **fields)

    def heard(self, name: str) -> list[dict[str, Any]]:
        """What the agent was answered, for one kind of deed."""
        rows = [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []
        return [row for row in rows if name in row]

    def folder(self, attempt: Attempt) -> Path:
        return self.recorded.run_dir / attempt.folder


@pytest.fixture
def drive(repo, tmp_path, monkeypatch) -> Drive:
    return Drive(repo, tmp_path, monkeypatch)


def test_an_agent_works_inside_its_scope_and_what_it_was_denied_is_on_record(drive):
    repo = drive.repo
    (repo / "out.py").symlink_to(drive.tmp_path / "outside.py")
    attempt = drive(
        {"say": "on it\nand "},
        {"say": "done\n"},
        {"read": {"path": str(repo / "README")}},
        {"write": {"path": str(repo / "src/a.py"), "content": "a = 1\n"}},
        {"write": {"path": str(repo / "README"), "content": "mine"}},
        {"write": {"path": str(repo / "out.py"), "content": "mine"}},
        {"read": {"path": "/etc/passwd"}},
        {"run": {"command": "python3", "args": ["-c", "print(6 * 7)"]}},
        {"run": {"command": "touch", "args": ["src/b.py"]}},
        {
            "announce": {
                "tool_call_id": "call-1",
                "title": "Edit a.py",
                "kind": "edit",
                "paths": [str(repo / "src/a.py")],
            }
        },
        {"ask": {}},
        {"ask": {"kind": "edit", "paths": [str(repo / "src/a.py"), str(repo / "setup.py")]}},
        {"cost": 0.25},
    )
    assert attempt.succeeded, attempt
    assert (repo / "src/a.py").read_text() == "a = 1\n"
    assert sorted(path.name for path in repo.iterdir()) == [".git", "README", "out.py", "src"]
    assert [("answer" in row) for row in drive.heard("write")] == [True, False, False]
    assert [row.get("answer", {}).get("content") for row in drive.heard("read")] == ["start\n", None]
    assert drive.heard("output") == [{"exit_code": 0, "output": "42\n", "truncated": False}]
    assert [row["answer"]["outcome"]["option_id"] for row in drive.heard("ask")] == ["yes", "no"]
    assert (attempt.session, attempt.usage.input_tokens, attempt.usage.cost_usd) == ("session-1", 10, 0.25)
    denied = [(denial.what, denial.why) for denial in attempt.permissions.denials]
    assert [what.split()[0] for what, _ in denied] == ["write", "write", "read", "run", "edit"]
    assert "not among the allowed paths (src/**)" in denied[0][1]
    rows = [json.loads(line) for line in (drive.folder(attempt) / "permissions.jsonl").read_text().splitlines()]
    assert (len(rows), attempt.permissions.asked, attempt.permissions.denied) == (10, 10, 5)


def test_what_the_agent_says_is_shown_by_the_line_and_the_prompt_is_the_one_on_record(drive):
    attempt = drive({"say": "on it\nand "}, {"say": "done\n"}, {"print": "loading...\n[]\n{}\n42\n\xff\n"})
    worker = drive.worker()
    lines = (drive.folder(attempt) / "stdout.log").read_bytes().splitlines()
    assert [text for line in lines if (text := worker.progress(line))] == ["session: session-1", "on it", "and done"]
    assert drive.heard("prompt")[0]["prompt"] == (drive.folder(attempt) / "prompt.md").read_text()
    assert attempt.succeeded


def test_an_agent_that_hangs_is_stopped_when_its_time_is_up(drive):
    attempt = drive({"hang": True}, timeout_s=1.0)
    assert (attempt.outcome, attempt.succeeded) == (AttemptOutcome.TIMED_OUT, False)


def test_what_an_agent_was_denied_is_known_even_where_it_was_stopped(drive):
    folder = drive.recorded.run_dir / "dispatch" / "S1" / "attempt-1"

    def stop() -> None:
        while not ((record := folder / "permissions.jsonl").exists() and record.read_text()):
            os.sched_yield()
        os.kill(json.loads((folder / "started.json").read_text())["launcher_pid"], signal.SIGTERM)

    stopper = threading.Thread(target=stop, daemon=True)
    stopper.start()
    attempt = drive({"read": {"path": "/etc/passwd"}}, {"hang": True})
    assert attempt.outcome is AttemptOutcome.LOST
    assert [denial.what for denial in attempt.permissions.denials] == ["read /etc/passwd"]


def test_an_agent_that_crashes_half_way_has_failed_and_its_session_is_known(drive):
    attempt = drive({"say": "half"}, {"write": {"path": "src/a.py", "content": "half"}}, {"crash": 9})
    assert (attempt.outcome, attempt.succeeded) == (AttemptOutcome.REPORTED_FAILURE, False)
    assert attempt.reason == "the agent ended before it answered session/prompt: killed by signal 9"
    assert attempt.session == "session-1"


def test_a_flood_of_updates_neither_fills_memory_nor_hides_the_result(drive):
    attempt = drive({"flood": 2000}, {"stop": "end_turn"})
    record = json.loads((drive.folder(attempt) / "exit.json").read_text())
    assert attempt.succeeded
    assert record["max_rss_bytes"] < 250 << 20


def says(*answers: dict[str, Any]) -> str:
    """A program that reads a line and answers it, one for each of these."""
    return "; ".join(f"read -r line; echo '{json.dumps({'id': n, **a})}'" for n, a in enumerate(answers))


HELLO, SESSION = {"result": {"protocolVersion": 1}}, {"result": {"sessionId": "s"}}


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([{"result": {"protocolVersion": 7}}], "the agent speaks version 7 of the protocol, not 1"),
        (
            [HELLO, {"error": {"code": -32000, "message": "Login first"}}],
            "answered session/new with error -32000: Login first",
        ),
        ([HELLO, {"result": {}}], "answered session/new with what the protocol does not know: {}"),
        ([HELLO, SESSION], "the agent ended before it answered session/prompt: exit code 0"),
        ([HELLO, SESSION, {"result": {"stopReason": "refusal"}}], "the agent stopped with refusal"),
        ([HELLO, SESSION, {"result": {"stopReason": "max_tokens"}}], "the agent stopped with max_tokens"),
        ([HELLO, SESSION, {"result": {"stopReason": "all tests passed"}}], "what the protocol does not know"),
        ([HELLO, SESSION, {"result": None}], "what the protocol does not know: null"),
        ([HELLO, SESSION, {"result": {"stopReason": "end_turn"}}], ""),
    ],
)
def test_only_an_agent_that_comes_to_the_end_of_its_turn_has_not_failed(drive, answers, reason):
    result = drive.start("/bin/sh", "-c", says(*answers))
    assert result.ok is not bool(reason)
    assert reason in result.reason


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (
            "echo oops; echo []; exit 3",
            "before it answered initialize: exit code 3; it printed 2 lines that are no message",
        ),
        ("exec >&-; cat >/dev/null", "it closed its output and goes on"),
        ("exec yes garbage", "did not answer initialize within 1 s"),
        ("exec sleep 60", "did not answer initialize within 1 s"),
        ("head -c 40000000 /dev/zero; exec sleep 60", "sent a line of more than 16777216 bytes"),
        ('read -r line; echo \'{"id": 0, "result": 7}\'', "with what the protocol does not know: 7"),
        ("read -r line; echo '{\"id\": 0}'", "with what the protocol does not know: null"),
        ('read -r line; echo \'{"id": 0, "error": 7}\'', "error 0: an error that is no object: 7"),
    ],
)
def test_a_program_that_does_not_speak_the_protocol_has_failed(drive, program, reason):
    result = drive.start("/bin/sh", "-c", program, handshake_timeout_s=1.0)
    assert not result.ok
    assert reason in result.reason


def test_what_an_agent_leaves_in_the_background_is_killed_and_not_waited_for(drive):
    program = says(HELLO, SESSION, {"result": {"stopReason": "end_turn"}})
    worker = AcpWorker("agent", ("/bin/sh", "-c", f"sleep 600 & echo $! > pid; {program}"))
    drive.recorded.use_worker("agent", worker)
    assert dispatch(drive.job(), drive.recorded.call).update["attempts"][0].succeeded
    assert gone(int((drive.repo / "pid").read_text()))


def test_a_program_that_cannot_be_started_has_failed(drive):
    (drive.tmp_path / "agent").write_text("no program")
    result = drive.start(str(drive.tmp_path / "agent"))
    assert (result.ok, result.reason) == (False, f"cannot start '{drive.tmp_path}/agent': Permission denied")


@pytest.mark.parametrize(("session", "loaded"), [("session-1", "session-1"), ("gone", "")])
def test_a_rework_continues_the_session_that_the_agent_still_knows(drive, session, loaded):
    result = drive.here({"can_load": True}, session=session)
    assert (result.ok, result.session, drive.heard("prompt")[0]["loaded"]) == (True, "session-1", loaded)


@pytest.mark.parametrize(
    ("argv", "variable", "complaint"),
    [
        (None, "", "not told which agent"),
        (("no-such-agent", "--acp"), "", "cannot be found: no-such-agent"),
        (("./agent",), "", "cannot be found: ./agent"),
        (None, "no-such-agent --acp", "cannot be found: no-such-agent"),
    ],
)
def test_an_agent_that_is_not_there_is_not_started(drive, monkeypatch, argv, variable, complaint):
    monkeypatch.setenv("WAYPOST_ACP_AGENT", variable)
    (drive.repo / "agent").write_text("#!/bin/sh\n")
    (drive.repo / "agent").chmod(0o755)
    with pytest.raises(WorkerRefused, match=complaint):
        AcpWorker("agent", argv).prepare(drive.job(), drive.tmp_path)


def test_without_the_extra_it_is_named(drive, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(WorkerRefused, match=re.escape('pip install "waypost[acp]"')):
        drive.worker().prepare(drive.job(), drive.tmp_path)
