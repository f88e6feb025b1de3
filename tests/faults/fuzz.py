"""A fuzzer of the reader: ledgers forged so that every checksum fits, with anything inside.

Here a random generator chooses; in guided.py atheris does, by what code is reached.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any, Protocol

import orjson
from kit.ledgers import config
from waypost.checkpointing import LedgerSaver
from waypost.state.errors import LedgerError

from faults.forge import chained
from faults.memory_disk import MemoryDisk
from faults.mutations import THREAD, limits, original
from faults.outcome import Outcome
from faults.setting import Setting, fast_folder
from faults.subjects import state_in

BIG = 10**12
ODDITIES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 3, 7, BIG, -BIG, 1.5, 2**63, "", "a", "t", "text", "log", "\x00", "é" * 50),
    *(
        [],
        {},
        [[]],
        {"": None},
        [None] * 30,
        {"line": 3, "at": "log"},
        {"line": 2, "at": "text"},
        {"line": BIG, "at": 0},
    ),
    *({"same": {"line": 2, "at": "log"}}, {"empty": True}, {"json": 1}, {"base64": "!", "type": "msgpack"}),
    *({"msgpack": {"$ext": 5, "of": ["a", "b", {}]}}, {"$map": [[1]]}, {"$bytes": 1}, {"$float": "x"}, {"$ext": "x"}),
    *({"type": "msgpack", "base64": "wcE="}, {"type": None, "base64": None}, {"type": "null", "base64": "AA=="}),
    *({"keep": BIG}, {"skip": -5, "keep": 2}, {"change": {"x": 1}}, {"change": {"9": {"is": 1}}}, {"drop": "abc"}),
    *({"add": "x"}, {"is": {}}, {"set": [1]}, {"keep": "3"}, {"add": {"a": 1}}),
    *({"grown": {"from": {"line": 2, "at": "log"}, "nth": 1, "edit": {"keep": 1, "add": ["x"]}}},),
)
_ODD = tuple(orjson.dumps(oddity) for oddity in ODDITIES)


class Chooser(Protocol):
    """Where decisions come from."""

    def below(self, number: int) -> int: ...


class FromRandom:
    """From a generator of random numbers."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def below(self, number: int) -> int:
        return self._random.randrange(number)


def forge(lines: list[dict[str, Any]], choose: Chooser) -> bytes:
    """The ledger of these lines after one to four changes anywhere inside, with all checksums made to fit."""
    made = orjson.loads(orjson.dumps(lines))
    for _ in range(1 + choose.below(4)):
        _change(made, choose)
    ledger = chained([line if isinstance(line, dict) else {"kind": line} for line in made])
    return ledger if choose.below(8) else ledger[: choose.below(len(ledger) + 1)]


def _change(lines: list[Any], choose: Chooser) -> None:
    """Change one place of one line: a value, a key, or how often the line is there."""
    at, other = choose.below(len(lines)), choose.below(len(lines))
    places = _places(lines[at])
    pick = choose.below(len(places) + 3)
    if pick >= len(places):
        lines[at:at] = lines[other : other + choose.below(3)]
        return
    holder, key = places[pick]
    way = choose.below(5)
    if way == 0:
        del holder[key]
    elif way == 1:
        other_places = _places(lines[other])
        if other_places:
            there, name = other_places[choose.below(len(other_places))]
            holder[key] = orjson.loads(orjson.dumps(there[name]))
    elif way == 2 and isinstance(holder, dict):
        holder[str(_odd(choose))] = holder.pop(key)
    else:
        holder[key] = _odd(choose)


def _odd(choose: Chooser) -> Any:
    return orjson.loads(_ODD[choose.below(len(_ODD))])


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        found += [(tree, key), *_places(value)]
    return found


def read_all(ledger: bytes) -> str:
    """Read everything a reader can, of a ledger or of what passes for one; what came of it."""
    disk: Any = MemoryDisk({"ledger.jsonl": ledger})
    saver = LedgerSaver("/no/such/folder", disk=disk, read_only=True)
    try:
        saver.writer(THREAD)
        saver.head(THREAD)
        state_in(saver, THREAD)
        saver.get_tuple(config(THREAD))
        saver.get_delta_channel_history(config=config(THREAD), channels=["log", "text"])
    except LedgerError as error:
        return type(error).__name__
    return "read"


def base(folder: Path) -> list[dict[str, Any]]:
    """The ledger that everything is forged from."""
    return [orjson.loads(line) for line in original(folder, checkpoints=3).lines]


def run(setting: Setting) -> list[Outcome]:
    """1,000,000 forged ledgers."""
    outcome = Outcome("LedgerSaver")
    runs = setting.size(1_000_000, 3000)
    with fast_folder(setting) as folder:
        lines = base(folder / "base")
        for number in range(runs):
            seed = f"{setting.seed}.{number}"
            outcome.add("executions")
            with limits(outcome, f"forge {seed}"):
                outcome.add(read_all(forge(lines, FromRandom(Random(seed)))))
    return [outcome]
