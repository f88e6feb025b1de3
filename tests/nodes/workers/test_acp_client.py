"""What our side of the protocol answers, message by message: nothing is allowed that cannot be read and judged."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from acp.exceptions import RequestError
from kit.jobs import make_job
from kit.processes import gone
from kit.states import make_step
from waypost.nodes.workers import gate as gates
from waypost.nodes.workers.acp.client import Client
from waypost.nodes.workers.gate import Gate
from waypost.nodes.workers.typed import EventWriter
from waypost.state.task import Command

OPTIONS = [
    {"optionId": "a", "name": "Always", "kind": "allow_always"},
    {"optionId": "y", "name": "Yes", "kind": "allow_once"},
    {"optionId": "n", "name": "No", "kind": "reject_once"},
]
ALLOWED, REFUSED = {"outcome": "selected", "optionId": "y"}, {"outcome": "selected", "optionId": "n"}


class Side:
    """A client in a workspace with `src/**` allowed, one command, and one open session."""

    def __init__(self, repo: Path, folder: Path) -> None:
        step = make_step(allowed_paths=("src/**",), verification=(Command(ref="V1", run="make check"),), actions=())
        folder.mkdir(parents=True)
        self.repo, self.record = repo, folder / "permissions.jsonl"
        self.shown = io.StringIO()
        self.gate = Gate(make_job(repo, step=step), folder, EventWriter(self.shown))
        self.client = Client(self.gate, EventWriter(self.shown), str(repo))
        self.client.session = "s"

    def request(self, method: str, **params: Any) -> Any:
        return asyncio.run(self.client.handle(method, {"sessionId": "s", **params}, False))

    def ask(self, call: Any, options: Any = OPTIONS) -> Any:
        return self.request("session/request_permission", toolCall=call, options=options)["outcome"]

    def tell(self, update: Any, session: str = "s") -> None:
        asyncio.run(self.client.handle("session/update", {"sessionId": session, "update": update}, True))

    def decisions(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.record.read_text().splitlines()]


@pytest.fixture
def side(repo, tmp_path, monkeypatch) -> Side:
    # Where make runs the tests, a make below it would also say where it is.
    for name in ("MAKELEVEL", "MAKEFLAGS", "MFLAGS"):
        monkeypatch.delenv(name, raising=False)
    return Side(repo, tmp_path / "runs" / "run" / "dispatch" / "S1" / "attempt-1")


def call(kind: Any = None, *paths: Any, **fields: Any) -> dict[str, Any]:
    given = {"toolCallId": "c", "title": "A tool", **fields}
    if kind is not None:
        given["kind"] = kind
    return {**given, "locations": [{"path": path} for path in paths]} if paths else given


def diff(*paths: str) -> list[dict[str, str]]:
    return [{"type": "diff", "path": path, "newText": ""} for path in paths]


@pytest.mark.parametrize(
    "asked",
    [
        call("edit", "src/a.py"),
        call("edit", "src/a.py", content=diff("src/b.py")),
        call("delete", "src/a.py"),
        call("move", "src/a.py", "src/b.py"),
        call("read", "README"),
        call("search", "."),
        call("edit", rawInput={"file_path": "src/a.py"}),
        call("execute", rawInput={"command": "make check"}),
        call("execute", rawInput={"command": ["bash", "-lc", "make check"]}),
        call("execute", rawInput={"command": "make", "args": ["check"]}),
        call("execute", "src/a.py", rawInput={"command": "make check", "cwd": "."}),
    ],
)
def test_what_the_step_allows_is_allowed_once(side, asked):
    assert side.ask(asked) == ALLOWED
    assert all(row["allowed"] for row in side.decisions())


@pytest.mark.parametrize(
    "asked",
    [
        call("edit"),
        call("edit", locations=[]),
        call("edit", "README"),
        call("edit", "src/a.py", "README"),
        call("edit", "src/a.py", content=diff("README")),
        call("edit", "src/a.py", rawInput={"file_path": "/etc/passwd"}),
        call("edit", "src/a.py", rawInput={"oldPath": ["src/a.py", "../x"]}),
        call("edit", "src/a.py", rawInput={"path": {"deep": "x"}}),
        call("edit", "src/a.py", 7),
        call("edit", locations=[{"path": "src/a.py"}, {"file": "README"}]),
        call("edit", "src/a.py", content="README"),
        call("edit", "src/a.py", content=[{"type": "diff"}]),
        call("edit", ".git/config"),
        call("delete", "src/../README"),
        call("move", "src/a.py", "lib/a.py"),
        call("read", "/etc/passwd"),
        call("read", "README", "~/../../etc/passwd"),
        call("search"),
        call("execute"),
        call("execute", title="make check"),
        call("execute", rawInput="make check"),
        call("execute", rawInput={"command": "make check; id"}),
        call("execute", rawInput={"command": "make", "args": ["check", "-f", "x"]}),
        call("execute", rawInput={"command": "make", "args": "check"}),
        call("execute", rawInput={"command": ["make", 7]}),
        call("execute", rawInput={"command": "make check", "workdir": "src"}),
        call("execute", rawInput={"command": "make check", "cwd": "/"}),
        call("execute", "/etc", rawInput={"command": "make check"}),
        call("fetch", "src/a.py"),
        call("other", "src/a.py"),
        call("switch_mode"),
        call("think"),
        call(None, "src/a.py"),
        call("EDIT", "src/a.py"),
        call(["edit"], "src/a.py"),
        {"kind": "edit", "locations": [{"path": "src/a.py"}]},
        {"toolCallId": 7, "kind": "edit", "locations": [{"path": "src/a.py"}]},
        None,
        [],
    ],
)
def test_anything_else_is_refused_and_written_down(side, asked):
    assert side.ask(asked) == REFUSED
    refused = [row for row in side.decisions() if not row["allowed"]]
    assert len(refused) == 1
    assert refused[0]["reason"]


@pytest.mark.parametrize(
    "options",
    [[OPTIONS[0], OPTIONS[2]], [], None, [7], [{"kind": "allow_once"}], [{"kind": "allow_once", "optionId": 1}]],
)
def test_where_it_cannot_be_allowed_once_it_is_not_allowed(side, options):
    assert side.ask(call("edit", "src/a.py"), options) == {"outcome": "cancelled"}
    assert side.decisions()[-1]["reason"] == "the agent offers no way to allow it once"


def test_a_request_is_judged_together_with_what_was_told_of_its_tool_call(side):
    side.tell({"sessionUpdate": "tool_call", **call("edit", "README")})
    assert side.ask({"toolCallId": "c"}) == REFUSED
    side.tell({"sessionUpdate": "tool_call_update", "toolCallId": "c", "locations": [{"path": "src/a.py"}]})
    assert side.ask({"toolCallId": "c"}) == ALLOWED
    assert side.ask({"toolCallId": "d"}) == REFUSED


def test_a_tool_call_that_was_unreadable_once_is_refused_for_good(side):
    side.tell({"sessionUpdate": "tool_call", **call("edit", "src/a.py"), "content": 7})
    assert side.ask(call("edit", "src/a.py")) == REFUSED


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("fs/write_text_file", {"path": "README", "content": "mine"}),
        ("fs/write_text_file", {"path": "src/a.py", "content": 7}),
        ("fs/write_text_file", {"path": ["src/a.py"], "content": "mine"}),
        ("fs/write_text_file", {"content": "mine", "_meta": {"path": "src/a.py"}}),
        ("fs/write_text_file", {"path": "src/a.py", "content": "mine", "sessionId": "t"}),
        ("fs/read_text_file", {"path": "/etc/passwd"}),
        ("fs/read_text_file", {"path": "README", "line": -1}),
        ("fs/read_text_file", {"path": "no-such-file"}),
        ("terminal/create", {"command": "id"}),
        ("terminal/create", {"command": "make check", "args": "x"}),
        ("terminal/create", {"command": "make check", "cwd": "/"}),
        ("terminal/output", {"terminalId": "terminal-1"}),
        ("terminal/kill", {}),
        ("elicitation/create", {"message": "your password?"}),
        ("_own/method", {}),
    ],
)
def test_a_request_that_is_not_allowed_or_not_readable_is_an_error_and_changes_nothing(side, method, params):
    with pytest.raises(RequestError):
        side.request(method, **params)
    assert sorted(path.name for path in side.repo.iterdir()) == [".git", "README"]
    assert (side.repo / "README").read_text() == "start\n"


def test_before_there_is_a_session_nothing_is_allowed(side):
    side.client.session = None
    with pytest.raises(RequestError):
        asyncio.run(side.client.handle("fs/read_text_file", {"sessionId": None, "path": "README"}, False))


@pytest.mark.parametrize(
    ("span", "content"),
    [({}, "a\nb\nc\n"), ({"line": 2}, "b\nc\n"), ({"line": 2, "limit": 1}, "b\n"), ({"line": 9}, "")],
)
def test_a_part_of_a_file_can_be_read(side, span, content):
    (side.repo / "abc").write_text("a\nb\nc\n")
    assert side.request("fs/read_text_file", path=str(side.repo / "abc"), **span) == {"content": content}


def test_updates_of_any_form_are_survived_and_cost_is_taken_only_in_dollars(side):
    for update in (None, 7, {}, {"sessionUpdate": ["x"]}, {"sessionUpdate": "plan", "entries": 7},
                   {"sessionUpdate": "agent_message_chunk", "content": 7}, {"sessionUpdate": "tool_call"},
                   {"sessionUpdate": "usage_update", "cost": {"amount": 3, "currency": "EUR"}},
                   {"sessionUpdate": "usage_update", "cost": {"amount": float("nan"), "currency": "USD"}}):  # fmt: skip
        side.tell(update)
    assert side.client.usage.cost_usd is None
    side.tell({"sessionUpdate": "usage_update", "cost": {"amount": 3, "currency": "USD"}}, session="other")
    assert side.client.usage.cost_usd is None
    side.tell({"sessionUpdate": "usage_update", "cost": {"amount": 3, "currency": "USD"}})
    assert side.client.usage.cost_usd == 3.0


def test_an_agent_that_asks_without_end_is_not_answered_without_end(side, monkeypatch):
    side.gate._left = 3
    for _ in range(3):
        assert side.ask(call("read", "README")) == ALLOWED
    assert side.ask(call("read", "README")) == REFUSED
    assert (side.gate.overrun, len(side.decisions())) == (True, 3)
    assert gates.DECISIONS_AT_MOST == 50_000


def terminal(side: Side, **asked: Any) -> dict[str, Any]:
    async def play() -> dict[str, Any]:
        async def request(method: str, **params: Any) -> Any:
            return await side.client.handle(f"terminal/{method}", {"sessionId": "s", **params}, False)

        name = (await request("create", **asked))["terminalId"]
        status = await request("wait_for_exit", terminalId=name)
        output = await request("output", terminalId=name)
        assert output["exitStatus"] == status
        await request("release", terminalId=name)
        with pytest.raises(RequestError):
            await request("output", terminalId=name)
        await side.client.close()
        return output

    return asyncio.run(play())


MAKEFILE = "check:\n\t@echo one; echo två; exit 3\n"


@pytest.mark.parametrize(
    ("limit", "output", "cut"),
    [(None, "one\ntvå\n", False), (100, "one\ntvå\n", False), (2, "\n", True), (0, "", True)],
)
def test_a_terminal_keeps_the_end_of_the_output_at_a_whole_character(side, limit, output, cut):
    (side.repo / "Makefile").write_text(MAKEFILE.replace("exit 3", "exit 0"))
    found = terminal(side, command="make", args=["check"], outputByteLimit=limit)
    assert (found["output"], found["truncated"], found["exitStatus"]) == (output, cut, {"exitCode": 0})


def test_a_terminal_does_not_wait_for_what_its_command_left_in_the_background(side):
    (side.repo / "Makefile").write_text("check:\n\t@sleep 600 & echo $$! > pid\n")
    assert terminal(side, command="make check")["exitStatus"] == {"exitCode": 0}
    assert gone(int((side.repo / "pid").read_text()))


def test_a_terminal_does_not_see_the_keys_of_the_agent(side, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "secret")
    side.client = Client(side.gate, EventWriter(side.shown), str(side.repo), hidden_env=("MY_API_KEY",))
    side.client.session = "s"
    (side.repo / "Makefile").write_text("check:\n\t@env\n")
    output = terminal(side, command="make check")["output"]
    assert "PATH=" in output
    assert "MY_API_KEY" not in output
