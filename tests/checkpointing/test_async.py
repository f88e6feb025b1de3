"""The same saver in an event loop: it never waits for the disk there, and shares everything with plain calls."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kit.ledgers import Talk, config, make_checkpoint, values_of
from kit.talking import THREAD, chat, shown
from langchain_core.messages import HumanMessage
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.disk import PosixDisk


class SlowDisk(PosixDisk):
    """Syncs only when it is let."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.threads: set[int] = set()

    def sync(self, fd: int) -> None:
        self.threads.add(threading.get_ident())
        assert self.go.wait(20)
        super().sync(fd)


def test_the_loop_goes_on_while_the_disk_is_slow(root: Path) -> None:
    disk = SlowDisk()

    async def main() -> None:
        saver = LedgerSaver(root, disk=disk)
        put = asyncio.create_task(saver.aput(config("t"), make_checkpoint({"a": 1}, {"a": "1"}), {}, {"a": "1"}))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not put.done()
        disk.go.set()
        await put
        found = await saver.aget_tuple(config("t"))
        assert found
        assert found.checkpoint["channel_values"] == {"a": 1}
        await saver.aput_writes(put.result(), [("a", 2)], "task", "path")
        assert [item.pending_writes async for item in saver.alist(config("t"))] == [[("task", "a", 2)]]

    asyncio.run(main())
    assert threading.get_ident() not in disk.threads


def test_listing_does_not_block_putting(saver: LedgerSaver) -> None:
    talk = Talk(saver)
    for value in range(20):
        talk.put(a=value)

    async def main() -> None:
        seen = 0
        async for found in saver.alist(config("t")):
            await saver.aput_writes(found.config, [("a", 1)], "task")
            seen += 1
        assert seen == 20

    asyncio.run(main())


def test_every_verb_has_its_coroutine(saver: LedgerSaver) -> None:
    async def main() -> Any:
        async with saver:
            first = await saver.aput(config("t"), make_checkpoint({"a": 1}, {"a": "1"}), {"run_id": "r"}, {"a": "1"})
            await saver.aput(first, make_checkpoint({"a": 2}, {"a": "2"}), {}, {"a": "2"})
            await saver.acopy_thread("t", "u")
            await saver.adelete_for_runs(["r"])
            await saver.aprune(["u"])
            history = await saver.aget_delta_channel_history(config=config("t"), channels=["a"])
            assert history == {"a": {"writes": []}}
            assert await saver.aget(config("nothing")) is None
            left = values_of(saver), values_of(saver, "u")
            await saver.adelete_thread("u")
            return left

    assert asyncio.run(main()) == ([{"a": 2}], [{"a": 2}])
    assert values_of(saver, "u") == []


def test_a_graph_run_by_the_loop_and_by_plain_calls_is_one_conversation(saver: LedgerSaver) -> None:
    graph = chat(saver)
    graph.invoke({"messages": [HumanMessage("plain", id="1")], "turns": 0}, THREAD)
    asyncio.run(graph.ainvoke({"messages": [HumanMessage("loop", id="2")], "turns": 0}, THREAD))
    assert [message.content for message in shown(graph)[0][0]["messages"]] == [
        "plain",
        "you said plain",
        "loop",
        "you said loop",
    ]


def test_many_threads_of_a_server_at_once(saver: LedgerSaver) -> None:
    async def one(thread: int) -> None:
        given = config(thread)
        for value in range(3):
            made = make_checkpoint({"a": value}, {"a": f"{value}"})
            given = await saver.aput(given, made, {}, {"a": f"{value}"})

    async def main() -> None:
        await asyncio.gather(*(one(thread) for thread in range(16)))

    asyncio.run(main())
    for thread in range(16):
        assert values_of(saver, thread) == [{"a": 0}, {"a": 1}, {"a": 2}]


def test_sync_nodes_that_fill_the_loops_own_threads_and_wait_for_the_saver_are_answered(root: Path) -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(2))
        saver = LedgerSaver(root)
        await saver.aput(config("t"), make_checkpoint({}, {}), {}, {})

        def node() -> bool:
            return asyncio.run_coroutine_threadsafe(saver.aget_tuple(config("t")), loop).result(30) is not None

        return sum(await asyncio.gather(*(asyncio.to_thread(node) for _ in range(8))))

    assert asyncio.run(main()) == 8
