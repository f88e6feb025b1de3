"""The runs that this server drives: each in a `waypost` process of its own, whose events are kept for whoever asks."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

from ..state.errors import InputError, NotAllowed

AT_ONCE = 4
EVENTS_KEPT = 200
_LINE_MAX = 16 << 20
_END_WITHIN_S = 10.0
_WAYPOST = __name__.partition(".")[0]
_STOP_SIGNAL = signal.SIGTERM


class Job:
    """One process that drives a run to its next stop.

    Attributes:
        events: the newest things it told; `seen` counts all of them.
        last: how it ended, told shortly before it is gone.
        running: whether the process is there.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._news = asyncio.Condition()
        self.run_id: str | None = None
        self.events: deque[dict[str, Any]] = deque(maxlen=EVENTS_KEPT)
        self.seen = 0
        self.last: dict[str, Any] = {}
        self.running = True
        self.reader = asyncio.create_task(self._read())

    def events_after(self, seen: int) -> list[dict[str, Any]]:
        """What came after the first `seen` events, as far as it is kept."""
        return list(self.events)[-new:] if (new := self.seen - seen) > 0 else []

    async def next_event(self, seen: int) -> bool:
        """Wait until more than `seen` events have come; False where none will."""
        async with self._news:
            await self._news.wait_for(lambda: self.seen > seen or not self.running)
            return self.seen > seen

    def drain(self) -> None:
        """Ask it to stop at its next checkpoint; asked again, it stops its workers too."""
        if self._process.returncode is None:
            self._process.send_signal(_STOP_SIGNAL)

    async def ended(self) -> None:
        """Wait until the process is gone."""
        await self.reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                await self._heard(line)
        except ValueError:
            # A line that is too long is nothing that we write. A process that nobody reads would never come to its end.
            self.drain()
            while await self._process.stdout.read(_LINE_MAX):
                pass
        code = await self._process.wait()
        async with self._news:
            self.running = False
            self.last = self.last or {"event": "error", "text": f"the process ended with {code}", "exit_code": code}
            self._news.notify_all()

    async def _heard(self, line: bytes) -> None:
        try:
            event: Any = json.loads(line)
        except ValueError:
            return
        if not isinstance(event, dict):
            return
        told = cast(dict[str, Any], event)
        async with self._news:
            self.events.append(told)
            self.seen += 1
            if told.get("event") in ("run_started", "result") and self.run_id is None:
                self.run_id = str(told["run_id"])
            if "exit_code" in told and told.get("event") in ("result", "error"):
                self.last = told
            self._news.notify_all()


class Jobs:
    """All of them."""

    def __init__(self, cwd: str) -> None:
        self._cwd = cwd
        self._jobs: list[Job] = []
        self._starting = asyncio.Lock()

    def of(self, run: str) -> Job | None:
        """The newest process that drives, or drove, a run."""
        return next((job for job in reversed(self._jobs) if job.run_id == run), None)

    async def start(self, words: Sequence[str]) -> Job:
        """Begin a `waypost` command, and return once its run has begun.

        Raises:
            NotAllowed: too many are driven already. InputError: the command refused what it was given.
        """
        # One after the other: several that are asked for at once would all find room.
        async with self._starting:
            if sum(job.running for job in self._jobs) >= AT_ONCE:
                raise NotAllowed(f"{AT_ONCE} runs are driven already", next_step="wait for one of them: status")
            job = await self._begun(words)
        seen = 0
        while job.run_id is None and await job.next_event(seen):
            seen = job.seen
            if job.last:
                break
        if job.run_id is None:
            await job.ended()
            raise _refusal(job.last)
        return job

    async def _begun(self, words: Sequence[str]) -> Job:
        # -P: nothing in the project may stand for Waypost. What it prints is the protocol between us, and no input.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", _WAYPOST, *words),
            cwd=self._cwd,
            stdin=DEVNULL,
            stdout=PIPE,
            limit=_LINE_MAX,
            env={**os.environ, "NO_COLOR": "1"},
        )
        self._jobs.append(Job(process))
        return self._jobs[-1]

    async def close(self) -> None:
        """Drain all; what does not stop in time is left to itself, and can be resumed."""
        driven = [job for job in self._jobs if job.running]
        for job in driven:
            job.drain()
        if driven:
            await asyncio.wait([job.reader for job in driven], timeout=_END_WITHIN_S)


def _refusal(last: dict[str, Any]) -> InputError:
    return InputError(
        str(last.get("text", "nothing was started")), facts=last.get("facts") or {}, next_step=str(last.get("next", ""))
    )
