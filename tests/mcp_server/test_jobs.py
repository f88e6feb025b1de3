"""The processes that drive runs for an agent: how many there are, and what is heard of them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import pytest
from waypost.mcp_server import jobs as module
from waypost.mcp_server.jobs import AT_ONCE, EVENTS_KEPT, Job, Jobs
from waypost.state.errors import NotAllowed

BEGINS = """
import json, sys
print(json.dumps({"event": "run_started", "run_id": sys.argv[1]}), flush=True)
exec(sys.argv[2])
"""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of Waypost a small program is started: its name, and what it does once its run has begun."""
    begin = asyncio.create_subprocess_exec

    async def small(*words: str, **given: object) -> asyncio.subprocess.Process:
        return await begin(sys.executable, "-c", BEGINS, *words[4:], **given)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", small)


@pytest.mark.usefixtures("started")
def test_of_many_that_are_asked_for_at_once_only_so_many_are_started():
    async def many() -> list[Job | BaseException]:
        jobs = Jobs(".")
        begun = await asyncio.gather(
            *(jobs.start([f"R{n}", "import signal; signal.pause()"]) for n in range(9)), return_exceptions=True
        )
        await jobs.close()
        return begun

    begun = asyncio.run(many())
    assert sum(isinstance(one, Job) for one in begun) <= AT_ONCE
    assert any(isinstance(one, NotAllowed) for one in begun)


@pytest.mark.usefixtures("started")
def test_a_process_that_prints_a_line_without_an_end_is_read_on_and_comes_to_its_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_LINE_MAX", 1 << 16)

    async def one() -> Job:
        job = await Jobs(".").start(
            ["R", "import signal; signal.signal(15, print); print('x' * 5_000_000); print('end')"]
        )
        await asyncio.wait_for(job.ended(), 60)
        return job

    assert not asyncio.run(one()).running


def told(words: Sequence[int], after: int) -> list[int]:
    async def heard() -> list[int]:
        job = await Jobs(".").start(["R", ";".join(f"print('{{\"n\": {n}}}')" for n in words)])
        await job.ended()
        return [event["n"] for event in job.events_after(after) if "n" in event]

    return asyncio.run(heard())


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize(("after", "found"), [(1, 300), (251, 50), (301, 0), (999, 0)])
def test_what_came_after_so_many_events_is_told_once_as_far_as_it_is_kept(after: int, found: int):
    assert told(range(300), after) == [*range(300)][300 - min(found, EVENTS_KEPT) :]
