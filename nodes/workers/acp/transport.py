"""JSON-RPC messages over an agent's standard streams, with limits on a line and on requests that wait for an answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

LINE_AT_MOST_BYTES = 16 << 20
OPEN_REQUESTS_AT_MOST = 64
_NOISE_SHOWN = 200
_CHUNK = 1 << 16


class StdioTransport:
    """What `acp.connection.Connection` sends and receives through.

    Attributes:
        ended: set once the agent has closed its output, or said something that cannot be gone on from.
        noise: how many lines were no message.
        broken: why nothing more is read although the agent lives, empty otherwise.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ended = asyncio.Event()
        self.noise = 0
        self.first_noise = ""
        self.broken = ""
        self._reader = reader
        self._writer = writer
        self._sending = asyncio.Lock()
        self._open = asyncio.Semaphore(OPEN_REQUESTS_AT_MOST)

    async def send(self, message: dict[str, Any]) -> None:
        """One message to the agent."""
        if "method" not in message:
            self._open.release()
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        async with self._sending:
            self._writer.write(data)
            await self._writer.drain()

    async def receive(self) -> dict[str, Any] | None:
        """The next message, None at the end. Lines that are none are counted and left out."""
        while True:
            message = self._message(await self._line())
            if message is None:
                self.ended.set()
                return None
            if not message:
                continue
            if "method" in message and "id" in message:
                await self._open.acquire()
            # Without this a buffer full of messages would become tasks before the first of them runs.
            await asyncio.sleep(0)
            return message

    async def close(self) -> None:
        """Say that nothing more will be sent."""
        self._writer.close()

    async def drain(self) -> None:
        """Read what is left to its end, and forget it."""
        while await self._reader.read(_CHUNK):
            pass

    async def _line(self) -> bytes:
        try:
            return await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            # Half a line is no message.
            return b""
        except asyncio.LimitOverrunError:
            self.broken = f"it sent a line of more than {LINE_AT_MOST_BYTES} bytes"
            return b""
        except OSError as error:
            self.broken = f"its output cannot be read: {error.strerror}"
            return b""

    def _message(self, line: bytes) -> dict[str, Any] | None:
        """A message, {} for a line that is none, None at the end."""
        if not line:
            return None
        try:
            found: object = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict) and ("method" in found or "id" in found):
            message = cast("dict[str, Any]", found)
            if isinstance(message.get("method", ""), str) and isinstance(message.get("id", 0), int | str):
                # An error of another form would end the reading in the middle and leave its request without an answer.
                if "error" in message and not isinstance(message["error"], dict):
                    message["error"] = {"code": 0, "message": f"an error that is no object: {message['error']!r:.200}"}
                return message
        if line.strip():
            self.noise += 1
            self.first_noise = self.first_noise or line[:_NOISE_SHOWN].decode("utf-8", "replace").strip()
        return {}
