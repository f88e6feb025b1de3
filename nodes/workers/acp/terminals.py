"""Commands that an agent runs through us: allowed ones only, in the workspace, with the end of their output kept."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..commands import Argv

OUTPUT_AT_MOST_BYTES = 1 << 20
TERMINALS_AT_MOST = 32
_CHUNK = 1 << 16
_POLL_S = 0.02
_GRACE_S = 0.5


async def ended(process: asyncio.subprocess.Process, timeout_s: float | None = None) -> bool:
    """Wait for a process; False where it takes longer.

    `process.wait()` waits in some versions of Python also for whoever else holds its output open.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while process.returncode is None:
        if deadline is not None and time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True


class NoTerminal(ValueError):
    """There is no terminal of that name, or no more can be had."""


@dataclass
class Terminal:
    """One started command. `output` is the end of what it printed, `dropped` tells that there was more."""

    process: asyncio.subprocess.Process
    limit: int
    output: bytearray = field(default_factory=bytearray)
    dropped: bool = False
    following: asyncio.Task[None] | None = None

    @property
    def text(self) -> str:
        """The kept output; a character that was cut in two is left out."""
        return bytes(self.output).decode("utf-8", "ignore" if self.dropped else "replace")

    @property
    def exit_status(self) -> dict[str, object] | None:
        """Exit code or signal as the protocol has them, None while it runs."""
        code = self.process.returncode
        if code is None:
            return None
        return {"exitCode": code} if code >= 0 else {"exitCode": None, "signal": signal.Signals(-code).name}

    async def follow(self) -> None:
        """Take in what it prints until it has ended. What it leaves in the background is killed, not waited for."""
        taking = asyncio.create_task(self._take())
        await ended(self.process)
        self.kill()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(taking, _GRACE_S)

    def kill(self) -> None:
        """End it and what it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    async def _take(self) -> None:
        stream = self.process.stdout
        while stream is not None and (chunk := await stream.read(_CHUNK)):
            self.output += chunk
            if (excess := len(self.output) - self.limit) > 0:
                del self.output[:excess]
                self.dropped = True


class Terminals:
    """The terminals of one session; `env` is all that their commands are given."""

    def __init__(self, workspace: str, env: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._env = dict(env)
        self._open: dict[str, Terminal] = {}
        self._made = 0

    async def create(self, argv: Argv, limit: int | None) -> str:
        """Start a command; its name. Raises NoTerminal, OSError."""
        if len(self._open) >= TERMINALS_AT_MOST:
            raise NoTerminal(f"{TERMINALS_AT_MOST} terminals are open: release one first")
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=self._workspace,
            env=self._env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        kept = OUTPUT_AT_MOST_BYTES if limit is None else min(limit, OUTPUT_AT_MOST_BYTES)
        terminal = Terminal(process, kept)
        terminal.following = asyncio.create_task(terminal.follow())
        self._made += 1
        name = f"terminal-{self._made}"
        self._open[name] = terminal
        return name

    def find(self, name: object) -> Terminal:
        """Raises NoTerminal."""
        if not isinstance(name, str) or name not in self._open:
            raise NoTerminal(f"there is no terminal {name!r}")
        return self._open[name]

    async def wait(self, name: object) -> dict[str, object]:
        """How the command ended, once it has. Raises NoTerminal."""
        terminal = self.find(name)
        if terminal.following is not None:
            await asyncio.shield(terminal.following)
        return terminal.exit_status or {}

    async def release(self, name: object) -> None:
        """End the command and forget it. Raises NoTerminal."""
        terminal = self.find(name)
        terminal.kill()
        del self._open[str(name)]
        if terminal.following is not None:
            await terminal.following

    async def close(self) -> None:
        """Release all."""
        for name in list(self._open):
            await self.release(name)
