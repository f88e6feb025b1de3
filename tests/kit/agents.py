"""An agent: a client of the official SDK, talking to a server from ordinary, synchronous tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, StdioServerParameters
from mcp.types import Implementation
from waypost.mcp_server.rules import Rules
from waypost.mcp_server.server import make_server
from waypost.nodes.config import load_config


class Refusal(Exception):
    """What the server told instead of a result."""


class Agent:
    def __init__(self, portal: BlockingPortal, client: Client) -> None:
        self._portal = portal
        self._client = client

    def names(self) -> tuple[set[str], set[str], set[str]]:
        """The names of all tools, and the addresses of all resources and of their templates."""
        tools = self._portal.call(self._client.list_tools).tools
        resources = self._portal.call(self._client.list_resources).resources
        templates = self._portal.call(self._client.list_resource_templates).resource_templates
        return {t.name for t in tools}, {str(r.uri) for r in resources}, {t.uri_template for t in templates}

    def call(self, tool: str, *, progress: list[str] | None = None, **arguments: Any) -> dict[str, Any]:
        async def heard(_done: float, _total: float | None, message: str | None) -> None:
            if progress is not None:
                progress.append(message or "")

        async def ask() -> Any:
            return await self._client.call_tool(tool, arguments, progress_callback=heard)

        result = self._portal.call(ask)
        text = "".join(part.text for part in result.content)
        if result.is_error:
            raise Refusal(text)
        return json.loads(text)

    def read(self, uri: str) -> str:
        async def ask() -> Any:
            return await self._client.read_resource(uri)

        return "".join(part.text for part in self._portal.call(ask).contents)

    def run(self, task_file: Path, **arguments: Any) -> str:
        """Look at a plan, accept it, start it; the run id."""
        digest = self.call("plan", task_file=str(task_file))["digest"]
        return self.call("run", task_file=str(task_file), accept=digest, **arguments)["run_id"]


@contextmanager
def talking(server: Any) -> Iterator[Agent]:
    info = Implementation(name="tester", version="1")
    with start_blocking_portal() as portal:
        client = Client(server, client_info=info)
        with portal.wrap_async_context_manager(client) as ready:
            yield Agent(portal, ready)


def program(root: Path, *options: str) -> StdioServerParameters:
    """`waypost mcp` as a client starts it."""
    return StdioServerParameters(
        command=sys.executable, args=["-m", "waypost", "mcp", "--root", str(root), *options], cwd=str(root.parent)
    )


def in_process(root: Path, **rules: Any) -> Any:
    """The same server without a process of its own; nothing is allowed that is not given here."""
    denied = {"workers": ("shell",), "accepted": (), "may_accept": False, "may_decide": False}
    runs = root.parent / "runs"
    return make_server(Rules(**{"root": root.resolve(), "runs": runs, "config": load_config(root), **denied, **rules}))
