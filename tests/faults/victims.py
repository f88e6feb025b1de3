"""What victims do. Each tells through a pipe what it tries and what returned, so that it can be held to it."""

from __future__ import annotations

import json
import logging
import os
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from kit.ledgers import config
from waypost.state.errors import LedgerBlockedType

from faults import shim
from faults.model import Op
from faults.subjects import SUBJECTS, Talk, state_in

Job = Callable[..., None]
JOBS: dict[str, Job] = {}
SIZES = (10, 200, 3000, 9000)
ODDS = {"put": 60, "write": 30, "prune": 3, "compact": 3, "delete": 1, "release": 3}


class Teller:
    """The pipe to whoever started the victim."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def __call__(self, **message: Any) -> None:
        data = json.dumps(message).encode() + b"\n"
        shim.mark(data)
        os.write(self._pipe, data)

    def attempt(self, op: Op, call: Callable[[], Any]) -> bool:
        """Do something and tell how it went; false if it raised."""
        self(**{"try": op})
        try:
            call()
        except Exception as error:
            self(failed=f"{type(error).__name__}: {error}")
            return False
        self(ok=op[0])
        return True

    def attempt_alone(self, op: Op, call: Callable[[], Any]) -> None:
        """As `attempt`, told in one piece because others tell at the same time."""
        call()
        self(done=op)


def job(work: Job) -> Job:
    """Make a function known to the nursery; what it does not catch is told as broken."""

    def run(tell: Teller, **details: Any) -> None:
        try:
            work(tell, **details)
        except Exception:
            tell(broken=traceback.format_exc())
            raise SystemExit(1) from None

    JOBS[work.__name__] = run
    return work


@job
def storm(tell: Teller, subject: str, folder: str, thread: str, seed: str) -> None:
    """Everything a thread can go through, at random, until somebody ends it."""
    face, random = SUBJECTS[subject], Random(seed)
    saver = face.open(Path(folder))
    talk = Talk(saver, thread)
    number = 0
    while True:
        number += 1
        verb = random.choices(face.verbs, [ODDS[verb] for verb in face.verbs])[0]
        text = f"{seed}-{number} " + random.choice("abc") * random.choice(SIZES)
        if verb == "put" or talk.at is None:
            step = talk.put(text)
        elif verb == "write":
            step = talk.write(f"{seed}-{number}", text)
        else:
            step = talk.remove(verb)
        if not tell.attempt(*step):
            raise RuntimeError("a call failed although nothing was done to it")


@job
def crowd(tell: Teller, subject: str, folder: str, thread: str, seed: str, size: int = 4) -> None:
    """Several threads of one process put writes at one checkpoint; each tells its own."""
    saver = SUBJECTS[subject].open(Path(folder))
    talk = Talk(saver, thread)
    tell.attempt(*talk.put(seed))

    def work(member: int) -> None:
        number = 0
        while True:
            number += 1
            op, call = talk.write(f"{seed}-{member}-{number}", "x" * 50)
            tell(trying=op)
            call()
            tell(done=op)

    members = [threading.Thread(target=work, args=(member,), daemon=True) for member in range(size)]
    for member in members:
        member.start()
    for member in members:
        member.join()


@job
def show(tell: Teller, subject: str, folder: str, threads: list[str], put: bool = False) -> None:
    """Read threads as after a restart and tell what was shown; then perhaps go on with them."""
    saver = SUBJECTS[subject].open(Path(folder))
    for thread in threads:
        tell(shown=[thread, state_in(saver, thread)])
    if put:
        for thread in threads:
            tell.attempt(*Talk(saver, thread).put("after the restart"))


@job
def open_hostile(tell: Teller, subject: str, folder: str, thread: str, name: str) -> None:
    """Read what was forged, as any user would; the warnings of others are not our matter."""
    logging.disable()
    saver = SUBJECTS[subject].open(Path(folder))
    for read in (lambda: saver.get_tuple(config(thread)), lambda: state_in(saver, thread)):
        try:
            read()
        except LedgerBlockedType as refused:
            tell(named=name in str(refused))
        except Exception as error:
            tell(named=False, raised=f"{type(error).__name__}: {error}")
