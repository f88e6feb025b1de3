"""A disk that is full, at many sizes: everything is readable while it is, and the work goes on when there is room."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from waypost.state.errors import LedgerError, LedgerNoSpace

from faults.checks import verdict
from faults.model import Impossible, Truth
from faults.mounts import resize, small
from faults.outcome import Outcome
from faults.setting import Setting
from faults.subjects import SUBJECTS, Talk, state_in

SMALLEST, STEP, ROOMY = 40 << 10, 4096, 64 << 20
THREAD = "t"
TEXT_SIZES = (20, 900, 5000, 30_000)
MOST_PUTS = 2000


def run(setting: Setting) -> list[Outcome]:
    """200 sizes, four kilobytes apart; the short form takes a few of them."""
    return [_experiment(setting, name) for name in setting.names]


def _experiment(setting: Setting, name: str) -> Outcome:
    outcome = Outcome(SUBJECTS[name].name)
    sizes = [SMALLEST + STEP * number for number in range(setting.size(200, 200))]
    if setting.short:
        sizes = setting.random("sizes").sample(sizes, 6)
    for number, size in enumerate(sizes):
        with small(setting.folder / "full", size) as place:
            outcome.add("sizes")
            problem = _one(outcome, name, place, TEXT_SIZES[number % len(TEXT_SIZES)])
            if problem:
                outcome.violate(problem, f"{size} bytes")
    return outcome


def _one(outcome: Outcome, name: str, place: Path, text_size: int) -> str:
    """Fill it up, read, make room, go on with the very saver that was refused."""
    face, truth, folder = SUBJECTS[name], Truth(), place / "home"
    try:
        saver = face.open(folder)
        try:
            talk = Talk(saver, THREAD)
            refused = _fill(outcome, talk, truth, text_size)
            if name == "ledger" and not isinstance(refused, LedgerNoSpace):
                return f"refused with {type(refused).__name__}: {refused}"
            truth.see(THREAD, state_in(saver, THREAD))
            truth.see(THREAD, state_in(face.open(folder), THREAD))
            outcome.add("read while full")
            resize(place, ROOMY)
            _put(talk, truth, "there is room")
            truth.see(THREAD, state_in(saver, THREAD))
        finally:
            face.close(saver)
    except Impossible as why:
        return str(why)
    except (LedgerError, sqlite3.Error, OSError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    outcome.add("went on")
    outcome.add("acknowledged", truth.acknowledged)
    return verdict(name, folder, truth, [], go_on=True)


def _fill(outcome: Outcome, talk: Talk, truth: Truth, text_size: int) -> Exception | None:
    """Put until there is no room, and twice more; the first refusal."""
    first: Exception | None = None
    left = 3
    for number in range(MOST_PUTS):
        try:
            _put(talk, truth, f"{number} " + "x" * text_size)
        except (LedgerError, sqlite3.Error) as error:
            truth.take({"failed": str(error)})
            first = first or error
            left -= 1
            if not left:
                break
    return first


def _put(talk: Talk, truth: Truth, text: str) -> None:
    op, call = talk.put(text)
    truth.take({"try": op})
    call()
    truth.take({"ok": op[0]})
