"""A real agent of the Agent Client Protocol, written with the same package: it does what its script says, in order.

Run as `python acp_agent.py SCRIPT.json`; the script is a list of deeds, one object with one key each. What the client
answered is written to `AGENT_LOG`, one line a deed, where that variable names a file.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import acp
from acp.schema import (
    AgentCapabilities,
    AgentMessageChunk,
    Cost,
    PermissionOption,
    TextContentBlock,
    ToolCallLocation,
    ToolCallStart,
    ToolCallUpdate,
    Usage,
    UsageUpdate,
)

OPTIONS = [
    PermissionOption(option_id="always", name="Always", kind="allow_always"),
    PermissionOption(option_id="yes", name="Yes", kind="allow_once"),
    PermissionOption(option_id="no", name="No", kind="reject_once"),
]
SESSION = "session-1"


class ScriptedAgent:
    """Plays the script when it is prompted; `say` and `log` are all it answers by itself."""

    def __init__(self, script: list[dict[str, Any]]) -> None:
        self.script = script
        self.client: Any = None
        self.loaded = ""

    def on_connect(self, conn: Any) -> None:
        self.client = conn

    def option(self, name: str, default: Any = None) -> Any:
        return next((deed[name] for deed in self.script if name in deed), default)

    async def initialize(self, protocol_version: int, **_: Any) -> acp.InitializeResponse:
        if self.option("silent"):
            await asyncio.Event().wait()
        return acp.InitializeResponse(
            protocol_version=self.option("version", protocol_version),
            agent_capabilities=AgentCapabilities(load_session=self.option("can_load", False)),
        )

    async def new_session(self, cwd: str, **_: Any) -> acp.NewSessionResponse:
        if self.option("login"):
            raise acp.RequestError.auth_required({"details": "run agent login"})
        return acp.NewSessionResponse(session_id=SESSION)

    async def load_session(self, cwd: str, session_id: str, **_: Any) -> acp.LoadSessionResponse:
        if session_id != SESSION:
            raise acp.RequestError.resource_not_found(session_id)
        self.loaded = session_id
        return acp.LoadSessionResponse()

    async def prompt(self, prompt: list[Any], session_id: str, **_: Any) -> acp.PromptResponse:
        log(prompt=prompt[0].text, loaded=self.loaded)
        for deed in self.script:
            ((name, value),) = deed.items()
            await getattr(self, f"do_{name}", self.nothing)(session_id, value)
        stop: Any = self.option("stop", "end_turn")
        return acp.PromptResponse(stop_reason=stop, usage=Usage(total_tokens=15, input_tokens=10, output_tokens=5))

    async def cancel(self, session_id: str, **_: Any) -> None:
        return None

    async def nothing(self, session: str, value: Any) -> None:
        return None

    async def do_say(self, session: str, text: str) -> None:
        update = AgentMessageChunk(
            session_update="agent_message_chunk", content=TextContentBlock(type="text", text=text)
        )
        await self.client.session_update(session_id=session, update=update)

    async def do_flood(self, session: str, times: int) -> None:
        for _ in range(times):
            await self.do_say(session, "x" * 1000 + "\n")

    async def do_cost(self, session: str, amount: float) -> None:
        cost = Cost(amount=amount, currency="USD")
        await self.client.session_update(
            session_id=session, update=UsageUpdate(session_update="usage_update", used=1, size=2, cost=cost)
        )

    async def do_write(self, session: str, file: dict[str, str]) -> None:
        await asked(self.client.write_text_file(session_id=session, **file), write=file["path"])

    async def do_read(self, session: str, file: dict[str, Any]) -> None:
        await asked(self.client.read_text_file(session_id=session, **file), read=file["path"])

    async def do_run(self, session: str, command: dict[str, Any]) -> None:
        made = await asked(self.client.create_terminal(session_id=session, **command), run=command["command"])
        if made is not None:
            name = made.terminal_id
            ended = await self.client.wait_for_terminal_exit(session_id=session, terminal_id=name)
            printed = await self.client.terminal_output(session_id=session, terminal_id=name)
            await self.client.release_terminal(session_id=session, terminal_id=name)
            log(exit_code=ended.exit_code, output=printed.output, truncated=printed.truncated)

    async def do_ask(self, session: str, call: dict[str, Any]) -> None:
        """A permission request as honest agents make it."""
        if paths := call.pop("paths", None):
            call["locations"] = [ToolCallLocation(path=path) for path in paths]
        asking = self.client.request_permission(
            session_id=session, tool_call=ToolCallUpdate(tool_call_id="call-1", **call), options=OPTIONS
        )
        await asked(asking, ask=call.get("kind"))

    async def do_announce(self, session: str, call: dict[str, Any]) -> None:
        locations = [ToolCallLocation(path=path) for path in call.pop("paths", [])]
        start = ToolCallStart(session_update="tool_call", locations=locations, **call)
        await self.client.session_update(session_id=session, update=start)

    async def do_raw(self, session: str, request: dict[str, Any]) -> None:
        """A request that this package would not write."""
        params = {"sessionId": session, **request["params"]}
        await asked(self.client._conn.send_request(request["method"], params), raw=request["method"])

    async def do_print(self, session: str, text: str) -> None:
        os.write(1, text.encode())

    async def do_stuff(self, session: str, times: int) -> None:
        """Bytes without end, and without a line end."""
        os.set_blocking(1, True)
        for _ in range(times):
            os.write(1, b"x" * (1 << 20))

    async def do_crash(self, session: str, number: int) -> None:
        os.kill(os.getpid(), number or signal.SIGKILL)

    async def do_exit(self, session: str, code: int) -> None:
        os._exit(code)

    async def do_hang(self, session: str, _: Any) -> None:
        await asyncio.Event().wait()


async def asked(request: Any, **what: Any) -> Any:
    try:
        answer = await request
    except acp.RequestError as error:
        log(**what, error=str(error), code=error.code)
        return None
    log(**what, answer=answer if isinstance(answer, dict | None) else answer.model_dump(mode="json", exclude_none=True))
    return answer


def log(**row: Any) -> None:
    if path := os.environ.get("AGENT_LOG"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    played = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for item in played:
        if "garbage" in item:
            for _ in range(item["garbage"]):
                sys.stdout.write("this is no message\n")
            sys.stdout.flush()
        if "quit" in item:
            sys.exit(item["quit"])
    asyncio.run(acp.run_agent(ScriptedAgent(played), use_unstable_protocol=True))
