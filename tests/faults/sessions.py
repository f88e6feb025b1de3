"""The scripted session that is broken at every call: opening, recovery, takeover, puts, rewriting, deleting."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from pathlib import Path
from typing import Any

from faults import shim
from faults.subjects import SUBJECTS, Talk, state_in
from faults.victims import Teller, job

Script = list[tuple[str, str]]

# What stands on disk before the session, and what the session then does, as (thread, verb).
BEFORE: dict[str, Script] = {
    "ledger": [*[("torn", "put")] * 3, *[("behind", "put")] * 2, ("behind", "write"), *[("long", "put")] * 4],
    "sqlite": [*[("torn", "put")] * 3, *[("long", "put")] * 4],
}
SESSION: dict[str, Script] = {
    "ledger": [
        *[("new", "put"), ("new", "put"), ("new", "write"), ("new", "put")],
        *[("torn", "put"), ("torn", "write")],
        *[("behind", "show"), ("behind", "put")],
        *[("held", "takeover"), ("held", "put")],
        *[("long", "prune"), ("long", "put"), ("long", "compact"), ("long", "put")],
        *[("new", "release"), ("new", "put"), ("new", "delete"), ("new", "put")],
        *[("long", "delete"), ("long", "put")],
    ],
    "sqlite": [
        *[("new", "put"), ("new", "put"), ("new", "write"), ("new", "put")],
        *[("torn", "put"), ("torn", "write"), ("long", "put")],
        *[("new", "delete"), ("new", "put")],
    ],
}
THREADS = ("new", "torn", "behind", "held", "long")
MOST_FAILURES = 2


@job
def play(
    tell: Teller,
    subject: str,
    folder: str,
    script: Script,
    retry: str = "go on",
    size: int = 700,
    options: dict[str, Any] | None = None,
) -> None:
    """Do what a script says. What fails is told; the thread is tried once more, reopened first if `retry` says so."""
    opened: list[Any] = []
    if not tell.attempt(["open", ""], lambda: opened.append(SUBJECTS[subject].open(Path(folder), **(options or {})))):
        return
    saver = opened[0]
    talks: dict[str, Talk] = {}
    failed: Counter[str] = Counter()
    for number, (thread, verb) in enumerate(script):
        if failed[thread] < MOST_FAILURES and not _step(tell, saver, talks, thread, verb, f"{verb} {number}", size):
            failed[thread] += 1
            if retry == "stop":
                return
            if retry == "reopen":
                _reopen(saver, talks, thread)
    for thread in sorted({thread for thread, _ in script}):
        tell.attempt(["look", thread], lambda thread=thread: tell(shown=[thread, state_in(saver, thread)]))


def _step(tell: Teller, saver: Any, talks: dict[str, Talk], thread: str, verb: str, text: str, size: int) -> bool:
    if verb == "takeover":
        return tell.attempt([verb, thread], lambda: saver.acquire(thread, takeover=True))
    if verb == "show":
        return tell.attempt(["look", thread], lambda: tell(shown=[thread, state_in(saver, thread)]))
    if thread not in talks and not tell.attempt(
        ["look", thread], lambda: talks.__setitem__(thread, Talk(saver, thread))
    ):
        return False
    talk = talks[thread]
    if verb == "put":
        return tell.attempt(*talk.put(text + " " + "abc" * size))
    if verb == "write":
        return tell.attempt(*talk.write(text, "value"))
    return tell.attempt(*talk.remove(verb))


def _reopen(saver: Any, talks: dict[str, Talk], thread: str) -> None:
    with contextlib.suppress(Exception):
        saver.acquire(thread, takeover=True)
    with contextlib.suppress(Exception):
        talks[thread].go_on()


@job
def disturbed(tell: Teller, subject: str, folder: str, fault: dict[str, Any], record: str = "", **how: Any) -> None:
    """The session with one disturbance; tells at the end how many calls it made."""
    if record:
        shim.record(Path(record))
    shim.arm(Path(folder), **fault)
    play(tell, **{"subject": subject, "folder": folder, "script": SESSION[subject], **how})
    calls = shim.count()
    shim.arm(Path(os.devnull))
    tell(calls=calls)
