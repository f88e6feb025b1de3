"""Two processes drive one thread: one of them does all the work, the other is told before it has done anything."""

from __future__ import annotations

import itertools
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kit.ledgers import lines_of
from waypost.checkpointing import LedgerSaver, lease
from waypost.checkpointing.disk import PosixDisk
from waypost.state.errors import LedgerConflict

from faults.drivers import NODES, barrier
from faults.model import Op, State
from faults.nursery import Nursery, Victim
from faults.outcome import Outcome
from faults.setting import Setting
from faults.subjects import SUBJECTS, Talk, state_in

THREAD = "t"
LATEST_STOP_S = 0.03
PAUSE_S = 0.003
MOST_ROUNDS = 40
ROUNDS = tuple(itertools.product((False, True), ("sync", "async", "exit"), (False, True)))
FULL_ROUNDS = {"ledger": 120, "sqlite": 24}


def race(setting: Setting) -> list[Outcome]:
    """100 rounds from a start barrier, on new threads and on threads that died in the middle."""
    outcomes: list[Outcome] = []
    for name in setting.names:
        outcome = Outcome(SUBJECTS[name].name)
        kinds = itertools.cycle(ROUNDS)
        for number, (resume, durability, coroutine) in zip(
            range(setting.size(FULL_ROUNDS[name], 12)), kinds, strict=False
        ):
            how: dict[str, Any] = {"resume": resume, "durability": durability}
            how["coroutine"] = coroutine and name == "ledger"  # the other has no coroutines
            outcome.add("rounds")
            outcome.add("on a thread that died" if resume else "on a new thread")
            problem = _round(setting.nursery, outcome, name, setting.folder / f"race-{name}-{number}", how)
            if problem:
                outcome.violate(problem, f"round {number}, {how}")
        outcomes.append(outcome)
    return outcomes


def _round(nursery: Nursery, outcome: Outcome, name: str, folder: Path, how: dict[str, Any]) -> str:
    folder.mkdir()
    common: dict[str, Any] = {"subject": name, "folder": str(folder), "thread": THREAD}
    expected = NODES
    if how["resume"]:
        dead = nursery.start("begin", **common)
        list(dead.tells())
        dead.wait()
        expected = NODES[1:]
    start, end = folder / "start", folder / "end"
    with barrier(end):
        with barrier(start):
            details = {**common, "start": str(start), "end": str(end), **how}
            drivers = [nursery.start("drive", **details) for _ in range(2)]
            for driver in drivers:
                list(driver.tells(last="ready"))
        told = [list(driver.tells(last="end")) for driver in drivers]
    for driver in drivers:
        driver.wait()
    return _judge(outcome, name, folder, told, expected)


def _judge(
    outcome: Outcome, name: str, folder: Path, told: list[list[dict[str, Any]]], expected: tuple[str, ...]
) -> str:
    """Each node ran once, one driver finished, the other was refused before its first node; one history is left."""
    ran = [[message["node"] for message in messages if "node" in message] for messages in told]
    ends = [messages[-1] for messages in told]
    refused = [number for number, end in enumerate(ends) if "refused" in end]
    outcome.add("refused", len(refused))
    outcome.add("nodes run twice", sum(times - 1 for times in Counter(ran[0] + ran[1]).values()))
    saver = SUBJECTS[name].open(folder)
    try:
        ids = [found.parent_config and found.config for found in saver.list({"configurable": {"thread_id": THREAD}})]
    finally:
        SUBJECTS[name].close(saver)
    roots = ids.count(None)
    if sorted(ran[0] + ran[1]) != sorted(expected):
        return f"the nodes ran {ran}; {[end.get('why', 'finished') for end in ends]}"
    if any(ran[number] for number in refused):
        return f"refused after nodes had run: {ran}"
    if len(refused) != 1 or (name == "ledger" and ends[refused[0]]["refused"] != "LedgerConflict"):
        return f"they ended with {ends}"
    return f"{roots} histories" if roots != 1 else "; ".join(SUBJECTS[name].complaints(folder))


def stopped(setting: Setting) -> list[Outcome]:
    """500 writers stopped at a random instant, overtaken, and woken again."""
    with _little_patience():
        return [_stop_them(setting, name) for name in setting.names]


@contextmanager
def _little_patience() -> Iterator[None]:
    """Wait a tenth of a second, not two, for a lock whose holder is stopped: here that is so in most rounds."""
    usual, lease._TRIES = lease._TRIES, 50  # pyright: ignore[reportPrivateUsage]
    try:
        yield
    finally:
        lease._TRIES = usual  # pyright: ignore[reportPrivateUsage]


def _stop_them(setting: Setting, name: str) -> Outcome:
    """Until so many have woken: of those stopped inside the lock none does, for they must be killed to take over."""
    outcome = Outcome(SUBJECTS[name].name)
    outcome.add("woken after the takeover", 0)
    random = setting.random("stop")
    wanted = setting.size(500 if name == "ledger" else 100, 6)
    for number in range(MOST_ROUNDS * wanted):
        if outcome.counts["woken after the takeover"] == wanted:
            break
        folder = setting.folder / f"stop-{name}-{number}"
        folder.mkdir()
        writer = setting.nursery.start("keep_putting", subject=name, folder=str(folder), thread=THREAD, pause_s=PAUSE_S)
        list(writer.tells(last="ok"))
        time.sleep(random.uniform(0, LATEST_STOP_S))
        writer.kill(signal.SIGSTOP)
        outcome.add("rounds")
        take = _take_over if name == "ledger" else _just_write
        problem = take(outcome, folder, writer)
        if problem:
            outcome.violate(problem, f"round {number}")
    else:
        outcome.violate("too few were stopped outside the lock", "at the end")
    return outcome


def _take_over(outcome: Outcome, folder: Path, writer: Victim) -> str:
    """Whatever the writer was in the middle of, nothing of it comes after the takeover."""
    saver = LedgerSaver(folder / "root", disk=PosixDisk())
    try:
        saver.acquire(THREAD, takeover=True)
    except LedgerConflict as conflict:
        outcome.add("stopped inside the lock and killed by its pid")
        if f"pid {writer.pid}," not in str(conflict):
            return f"the holder of the lock is not named: {conflict}"
        writer.kill()
        saver.acquire(THREAD, takeover=True)
    else:
        outcome.add("woken after the takeover")
    taken = saver.head(THREAD).lines
    Talk(saver, THREAD).put("mine")[1]()
    told = writer.told()
    writer.kill(signal.SIGCONT)
    told += list(writer.tells())
    status = writer.wait()
    Talk(saver, THREAD).put("mine again")[1]()
    lines = lines_of(folder / "root")
    late = [line["number"] for line in lines[taken:] if line["writer"].startswith(f"{writer.pid}-")]
    outcome.add("stale lines", len(late))
    if late:
        return f"lines {late} were written by the old writer after line {taken}"
    if status == 0 and not str(told[-1].get("failed", "")).startswith("LedgerLost"):
        return f"the old writer was not told: {told[-1]}"
    done = [op for op, after in itertools.pairwise(told) if "ok" in after]
    shown = {item.id for item in state_in(saver, THREAD)}
    lost = [op["try"][2] for op in done if op["try"][2] not in shown]
    return f"acknowledged and lost: {lost}" if lost else ""


def _just_write(outcome: Outcome, folder: Path, writer: Victim) -> str:
    """Where there is no takeover another process just goes on writing."""
    saver = SUBJECTS["sqlite"].open(folder)
    try:
        Talk(saver, THREAD).put("mine")[1]()
    except sqlite3.OperationalError:
        outcome.add("stopped inside the lock and killed")
        writer.kill()
        Talk(saver, THREAD).put("mine")[1]()
    else:
        outcome.add("woken after the takeover")
    writer.told()
    writer.kill(signal.SIGCONT)
    accepted = any("ok" in message for message, _ in zip(writer.tells(), range(4), strict=False))
    writer.kill()
    list(writer.tells())
    writer.wait()
    SUBJECTS["sqlite"].close(saver)
    outcome.add("stale writes accepted", accepted)
    return "a write of the old writer was accepted" if accepted else ""


def crowds(setting: Setting) -> list[Outcome]:
    """Eight processes on eight threads of one folder, 64 threads in one process, two savers in one process."""
    outcome = Outcome("LedgerSaver")
    times = setting.size(200, 10)
    folder = setting.folder / "processes"
    folder.mkdir()
    common = {"subject": "ledger", "folder": str(folder), "times": times}
    eight = [setting.nursery.start("keep_putting", **common, thread=f"p{number}") for number in range(8)]
    for number, victim in enumerate(eight):
        told = list(victim.tells())
        victim.wait()
        done = [before["try"] for before, after in itertools.pairwise(told) if "ok" in after]
        _all_there(outcome, folder, f"p{number}", done, "from 8 processes", times)
    for size, savers in ((64, 1), (16, 2)):
        folder = setting.folder / f"threads-{size}"
        folder.mkdir()
        details = {"size": size, "times": max(2, times // 8), "savers": savers}
        victim = setting.nursery.start("many_threads", **{**common, "folder": str(folder), **details})
        told = list(victim.tells())
        victim.wait()
        for member in range(size):
            done = [message["done"] for message in told if message.get("done", [0, 0])[1] == f"m{member}"]
            what = f"from {size} threads over {savers} savers"
            _all_there(outcome, folder, f"m{member}", done, what, int(details["times"]))
    return [outcome]


def _all_there(outcome: Outcome, folder: Path, thread: str, done: list[Op], what: str, times: int) -> None:
    outcome.add(f"puts {what}", len(done))
    shown: State = state_in(SUBJECTS["ledger"].open(folder), thread)
    if [(item.id, item.value) for item in shown] != [(op[2], op[3]) for op in done] or len(done) != times:
        outcome.violate(f"{len(done)} of {times} puts were acknowledged, {len(shown)} are shown", f"{what}, {thread}")
