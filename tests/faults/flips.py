"""One flipped bit, or one cut, anywhere in what was acknowledged: does anybody notice?"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kit.ledgers import ledger_of
from waypost.state.errors import LedgerCorrupt

from faults.model import State
from faults.outcome import Outcome
from faults.setting import Setting, fast_folder
from faults.subjects import SUBJECTS, Talk, state_in

CHECKPOINTS = 6
THREAD = "t"


def run(setting: Setting) -> list[Outcome]:
    """Every bit and every cut of a ledger; as many bits of SqliteSaver's database, and of its log after a kill."""
    with fast_folder(setting) as folder:
        outcomes = [_ledger(setting, folder)]
        if setting.beside:
            outcomes += [_database(setting, folder), _log(setting, folder)]
        return outcomes


def _ledger(setting: Setting, folder: Path) -> Outcome:
    outcome = Outcome("LedgerSaver")
    place = folder / "ledger"
    _fill("ledger", place)
    path = ledger_of(place / "root", THREAD)
    whole = path.read_bytes()
    starts = [0, *(at + 1 for at, byte in enumerate(whole[:-1]) if byte == ord("\n"))]
    bits = range(len(whole) * 8)
    if setting.short:
        bits = setting.random("flips").sample(bits, 1500)
    for bit in bits:
        at = bit // 8
        path.write_bytes(_flipped(whole, bit))
        _notice(outcome, place, "flips", f"bit {bit}", sum(start <= at for start in starts))
    cuts = range(len(whole)) if not setting.short else setting.random("cuts").sample(range(len(whole)), 500)
    for at in cuts:
        path.write_bytes(whole[:at])
        _notice(outcome, place, "cuts", f"cut at {at}", sum(start <= at for start in starts))
    return outcome


def _notice(outcome: Outcome, place: Path, what: str, where: str, line: int) -> None:
    """A reader must raise, and name the line."""
    outcome.add(what)
    try:
        state_in(SUBJECTS["ledger"].open(place, read_only=True), THREAD)
    except LedgerCorrupt as damage:
        outcome.add(f"{what} noticed")
        if damage.line != line:
            outcome.violate(f"reported in line {damage.line}, not {line}", where)
    else:
        outcome.violate("nobody noticed", where)


def _database(setting: Setting, folder: Path) -> Outcome:
    """The database of a process that closed it."""
    outcome = Outcome("SqliteSaver")
    place = folder / "sqlite"
    expected = _fill("sqlite", place)
    path = place / "db.sqlite"
    whole = path.read_bytes()
    bits = _spread(setting, len(whole) * 8, 1882, 150)
    for bit in bits:
        path.write_bytes(_flipped(whole, bit))
        _count(outcome, "flips in the closed database", bit, _effect(place, expected))
        for left in ("db.sqlite-wal", "db.sqlite-shm"):
            (place / left).unlink(missing_ok=True)
    return outcome


def _log(setting: Setting, folder: Path) -> Outcome:
    """The write-ahead log of a process that was killed."""
    outcome = Outcome("SqliteSaver")
    place = folder / "killed"
    script = [(THREAD, "put")] * CHECKPOINTS
    victim = setting.nursery.start("play", subject="sqlite", folder=str(place), script=script)
    list(victim.tells())
    victim.wait()
    untouched = place.with_name("untouched")
    shutil.copytree(place, untouched)
    expected = state_in(SUBJECTS["sqlite"].open(place), THREAD)
    whole = (untouched / "db.sqlite-wal").read_bytes()
    for bit in _spread(setting, len(whole) * 8, 810, 100):
        shutil.rmtree(place)
        shutil.copytree(untouched, place)
        (place / "db.sqlite-wal").write_bytes(_flipped(whole, bit))
        _count(outcome, "flips in the live log", bit, _effect(place, expected))
    return outcome


def _count(outcome: Outcome, what: str, bit: int, effect: str) -> None:
    outcome.add(what)
    outcome.add(effect)
    if effect.startswith("silently"):
        outcome.violate(effect, f"{what}, bit {bit}")


def _effect(place: Path, expected: State) -> str:
    """What a reader of a damaged database is shown."""
    connection: Any = None
    try:
        saver = SUBJECTS["sqlite"].open(place)
        connection = saver.conn
        shown = state_in(saver, THREAD)
    except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError, EOFError):
        return "noticed"
    except Exception as error:
        return f"noticed as {type(error).__name__}"
    finally:
        if connection is not None:
            connection.close()
    if shown == expected:
        return "without effect"
    missing = {item.id for item in expected} - {item.id for item in shown}
    writes = sum(len(item.writes) for item in expected) > sum(len(item.writes) for item in shown)
    return "silently missing" if missing or writes else "silently wrong"


def _fill(name: str, place: Path) -> State:
    """Some checkpoints and writes, closed in order."""
    place.mkdir()
    face = SUBJECTS[name]
    saver = face.open(place)
    talk = Talk(saver, THREAD)
    for number in range(CHECKPOINTS):
        talk.put(f"text {number}")[1]()
        talk.write(f"task {number}", f"value {number}")[1]()
    found = state_in(saver, THREAD)
    face.close(saver)
    return found


def _flipped(whole: bytes, bit: int) -> bytes:
    at = bit // 8
    return whole[:at] + bytes([whole[at] ^ (1 << bit % 8)]) + whole[at + 1 :]


def _spread(setting: Setting, bits: int, full: int, short: int) -> Iterator[int]:
    """So many bits, evenly spread, each at a random place in its stretch."""
    random = setting.random("spread")
    wanted = setting.size(full, short)
    step = bits / wanted
    return (min(bits - 1, int(number * step + random.random() * step)) for number in range(wanted))
