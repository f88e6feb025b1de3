"""The smallest agent that speaks the Agent Client Protocol: it asks before it writes, and takes no for an answer.

    WAYPOST_ACP_AGENT="python examples/acp_agent.py" waypost run tasks.md --worker acp

A stand-in for `gemini --acp`, `goose acp` and others, without a model: it wants to write `NOTES.md`, and then writes
`src/greet.py`. Needs the package agent-client-protocol: pip install "waypost[acp]".
"""

from __future__ import annotations

import asyncio
from typing import Any

import acp
from acp.schema import AgentMessageChunk, PermissionOption, TextContentBlock, ToolCallLocation, ToolCallUpdate

GREET = "import sys\n\nprint('Hello', sys.argv[1])\n"
OPTIONS = [
    PermissionOption(option_id="yes", name="Allow", kind="allow_once"),
    PermissionOption(option_id="no", name="Reject", kind="reject_once"),
]


class Greeter:
    """One session, one prompt."""

    def on_connect(self, conn: Any) -> None:
        self.client = conn

    async def initialize(self, protocol_version: int, **_: Any) -> acp.InitializeResponse:
        return acp.InitializeResponse(protocol_version=protocol_version)

    async def new_session(self, cwd: str, **_: Any) -> acp.NewSessionResponse:
        self.workspace = cwd
        return acp.NewSessionResponse(session_id="greeter-1")

    async def prompt(self, prompt: list[Any], session_id: str, **_: Any) -> acp.PromptResponse:
        for name, text in (("NOTES.md", "I was here.\n"), ("src/greet.py", GREET)):
            path = f"{self.workspace}/{name}"
            if await self.allowed(session_id, path):
                await self.client.write_text_file(session_id=session_id, path=path, content=text)
                await self.say(session_id, f"wrote {name}\n")
            else:
                await self.say(session_id, f"may not write {name}\n")
        return acp.PromptResponse(stop_reason="end_turn")

    async def cancel(self, session_id: str, **_: Any) -> None:
        return None

    async def allowed(self, session: str, path: str) -> bool:
        call = ToolCallUpdate(
            tool_call_id=path, title=f"Write {path}", kind="edit", locations=[ToolCallLocation(path=path)]
        )
        answer = await self.client.request_permission(session_id=session, tool_call=call, options=OPTIONS)
        return answer.outcome.outcome == "selected" and answer.outcome.option_id == "yes"

    async def say(self, session: str, text: str) -> None:
        content = TextContentBlock(type="text", text=text)
        update = AgentMessageChunk(session_update="agent_message_chunk", content=content)
        await self.client.session_update(session_id=session, update=update)


if __name__ == "__main__":
    asyncio.run(acp.run_agent(Greeter()))
