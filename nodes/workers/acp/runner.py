"""Drives one agent through one prompt, in a process of its own: `python -m waypost.nodes.workers.acp.runner FOLDER`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TypeVar

from acp.connection import Connection
from acp.exceptions import RequestError
from acp.meta import AGENT_METHODS, PROTOCOL_VERSION
from acp.schema import (
    ClientCapabilities,
    FileSystemCapabilities,
    Implementation,
    InitializeRequest,
    InitializeResponse,
    LoadSessionRequest,
    LoadSessionResponse,
    NewSessionRequest,
    NewSessionResponse,
    PromptRequest,
    PromptResponse,
    TextContentBlock,
)
from acp.transports import default_environment
from acp.utils import serialize_params
from pydantic import BaseModel, ValidationError

from ...._version import __version__
from ....state.job import Job
from ....state.records import Usage
from ..asked import read_request
from ..gate import DECISIONS_AT_MOST, Gate
from ..typed import EventWriter, Result, own_stdout
from .client import Client
from .terminals import ended
from .transport import LINE_AT_MOST_BYTES, StdioTransport
from .worker import AGENT_VARIABLE, SETTINGS, AcpSettings

_Answer = TypeVar("_Answer", bound=BaseModel)
_GRACE_S = 2.0
_ENVIRONMENT = ("LANG", "LC_ALL", "TMPDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")


class AgentFailed(Exception):
    """The agent did not do what the protocol asks of it; in words."""


class AgentRefused(AgentFailed):
    """The agent answered a request with an error."""


class Conversation:
    """One connection to one agent process."""

    def __init__(self, process: asyncio.subprocess.Process, client: Client) -> None:
        if process.stdout is None or process.stdin is None:
            raise ValueError("the agent was started without pipes")
        self._process = process
        self._transport = StdioTransport(process.stdout, process.stdin)
        self._connection = Connection(client.handle, self._transport)

    async def ask(self, method: str, request: BaseModel, answer: type[_Answer], timeout_s: float | None) -> _Answer:
        """The agent's answer to a request.

        Raises:
            AgentRefused: it answered with an error.
            AgentFailed: it did not answer in time, ended, or answered with something else.
        """
        try:
            given = await asyncio.wait_for(self._connection.send_request(method, serialize_params(request)), timeout_s)
        except TimeoutError:
            raise AgentFailed(f"the agent did not answer {method} within {timeout_s:g} s{self._noise()}") from None
        except RequestError as error:
            data = f" ({json.dumps(error.data)[:500]})" if error.data else ""
            raise AgentRefused(f"the agent answered {method} with error {error.code}: {error}{data}") from None
        except OSError:
            raise AgentFailed(f"the agent ended before it answered {method}: {await self._how()}") from None
        try:
            return answer.model_validate({} if given is None else given)
        except ValidationError:
            shown = json.dumps(given)[:200]
            raise AgentFailed(f"the agent answered {method} with what the protocol does not know: {shown}") from None

    async def close(self) -> None:
        """Close the connection and end the agent, kindly first."""
        await self._connection.close()
        for end in (self._process.terminate, self._process.kill):
            if not await ended(self._process, _GRACE_S):
                with contextlib.suppress(ProcessLookupError):
                    end()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._transport.drain(), _GRACE_S)

    async def _how(self) -> str:
        if self._transport.broken:
            return self._transport.broken
        if not await ended(self._process, _GRACE_S):
            return f"it closed its output and goes on{self._noise()}"
        code = self._process.returncode or 0
        return f"{f'exit code {code}' if code >= 0 else f'killed by signal {-code}'}{self._noise()}"

    def _noise(self) -> str:
        if not self._transport.noise:
            return ""
        return (
            f"; it printed {self._transport.noise} lines that are no message, the first: {self._transport.first_noise}"
        )


async def work(job: Job, folder: Path, settings: AcpSettings, events: EventWriter) -> Result:
    """Start the agent, hand it the prompt, serve it until it has answered."""
    program = settings.argv[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *settings.argv,
            cwd=job.workspace,
            env={**default_environment(), **_environment(settings.pass_env)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_AT_MOST_BYTES,
        )
    except OSError as error:
        return Result(ok=False, reason=f"cannot start {program!r}: {error.strerror}")
    gate = Gate(job, folder, events)
    client = Client(gate, events, job.workspace, hidden_env=settings.pass_env)
    talk = Conversation(process, client)
    try:
        result = await _converse(talk, client, job, folder, settings, bool(gate.commands.allowed), events)
    except AgentFailed as error:
        result = Result(ok=False, reason=str(error), session=client.session, usage=client.usage)
    finally:
        await client.close()
        await talk.close()
        gate.close()
    if gate.overrun:
        reason = f"the agent asked for more than {DECISIONS_AT_MOST} permissions"
        return result.model_copy(update={"ok": False, "reason": reason})
    return result


async def _converse(
    talk: Conversation,
    client: Client,
    job: Job,
    folder: Path,
    settings: AcpSettings,
    terminal: bool,
    events: EventWriter,
) -> Result:
    limit_s = settings.handshake_timeout_s
    prompt = (folder / "prompt.md").read_text(encoding="utf-8")
    hello = InitializeRequest(
        protocol_version=PROTOCOL_VERSION,
        client_capabilities=ClientCapabilities(
            fs=FileSystemCapabilities(read_text_file=True, write_text_file=True), terminal=terminal
        ),
        client_info=Implementation(name="waypost", version=__version__),
    )
    agent = await talk.ask(AGENT_METHODS["initialize"], hello, InitializeResponse, limit_s)
    if agent.protocol_version != PROTOCOL_VERSION:
        raise AgentFailed(f"the agent speaks version {agent.protocol_version} of the protocol, not {PROTOCOL_VERSION}")
    can_load = bool(agent.agent_capabilities and agent.agent_capabilities.load_session)
    if not (job.session and can_load and await _load(talk, client, job, job.session, limit_s, events)):
        opened = await talk.ask(
            AGENT_METHODS["session_new"],
            NewSessionRequest(cwd=job.workspace, mcp_servers=[]),
            NewSessionResponse,
            limit_s,
        )
        client.session = opened.session_id
    session = client.session or ""
    events.progress("session", session)
    asked = PromptRequest(session_id=session, prompt=[TextContentBlock(type="text", text=prompt)])
    answer = await talk.ask(AGENT_METHODS["session_prompt"], asked, PromptResponse, None)
    used = client.usage
    if answer.usage is not None:
        tokens = {"input_tokens": answer.usage.input_tokens, "output_tokens": answer.usage.output_tokens}
        used = Usage.model_validate({**used.model_dump(), **tokens})
    ok = answer.stop_reason == "end_turn"
    reason = "" if ok else f"the agent stopped with {answer.stop_reason}"
    return Result(ok=ok, reason=reason, session=session, usage=used)


async def _load(
    talk: Conversation, client: Client, job: Job, session: str, limit_s: float, events: EventWriter
) -> bool:
    """Continue an earlier session; False where the agent does not know it any more."""
    wanted = LoadSessionRequest(cwd=job.workspace, mcp_servers=[], session_id=session)
    try:
        await talk.ask(AGENT_METHODS["session_load"], wanted, LoadSessionResponse, limit_s)
    except AgentRefused as refused:
        events.progress("note", f"session {session} is not continued: {refused}")
        return False
    client.session = session
    return True


def _environment(names: tuple[str, ...]) -> dict[str, str]:
    ours = [name for name in os.environ if name.startswith("WAYPOST_") and name != AGENT_VARIABLE]
    return {name: os.environ[name] for name in (*_ENVIRONMENT, *names, *ours) if name in os.environ}


def main(folder: Path) -> int:
    """Returns 0 only where the agent came to the end of its turn."""
    events = own_stdout()
    job = read_request(folder)
    settings = AcpSettings.model_validate_json((folder / SETTINGS).read_bytes())
    result = asyncio.run(work(job, folder, settings, events))
    events.result(result)
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
