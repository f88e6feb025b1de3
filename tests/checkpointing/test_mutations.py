"""Ledgers changed at random, also by somebody who computes the checksums anew: an error with its line, or the truth."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from kit.ledgers import Talk, ledger_of, reopened, values_of
from waypost.checkpointing import LedgerSaver, fsck
from waypost.checkpointing.lines import seal
from waypost.state.errors import LedgerError

Lines = list[bytes]
Mutation = Callable[[random.Random, Lines], bytes]
MUTATIONS_EACH = 60


def swap(dice: random.Random, lines: Lines) -> bytes:
    one, two = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def repeat(dice: random.Random, lines: Lines) -> bytes:
    lines.insert(dice.randrange(len(lines)), dice.choice(lines))
    return b"".join(lines)


def remove(dice: random.Random, lines: Lines) -> bytes:
    del lines[dice.randrange(len(lines))]
    return b"".join(lines)


def cut(dice: random.Random, lines: Lines) -> bytes:
    whole = b"".join(lines)
    return whole[: dice.randrange(len(whole))]


def overwrite(dice: random.Random, lines: Lines) -> bytes:
    whole = bytearray(b"".join(lines))
    at = dice.randrange(len(whole))
    whole[at : at + dice.randrange(50)] = dice.randbytes(dice.randrange(50))
    return bytes(whole)


def forge(dice: random.Random, lines: Lines) -> bytes:
    at = dice.randrange(len(lines))
    data = orjson.loads(lines[at])
    del data["check"]
    change(dice, data)
    lines[at] = seal(data)
    return b"".join(lines)


def change(dice: random.Random, tree: Any) -> None:
    """Put something else into some place of a tree, or take it away."""
    if not tree or not isinstance(tree, (dict, list)):
        return
    key = dice.choice(list(tree)) if isinstance(tree, dict) else dice.randrange(len(tree))
    match dice.choice(["replace", "remove", "deeper", "deeper"]):
        case "replace":
            tree[key] = dice.choice([None, 1, -1, "z", [], {}, {"line": 1, "at": "a"}, True, 2.5])
        case "remove":
            del tree[key]
        case _:
            change(dice, tree[key])


@pytest.mark.parametrize("mutation", [swap, repeat, remove, cut, overwrite, forge])
def test_a_mutated_ledger_is_refused_or_shows_the_truth(damaged_root: Path, mutation: Mutation) -> None:
    with LedgerSaver(damaged_root, durability="process", mirror=False) as saver:
        talk = Talk(saver)
        for size in range(1, 8):
            talk.put(a=["x" * 300] * size, b={1: size}, c="y" * 1500)
            talk.write(("a", size), ("__error__", "e"), ("c", "y" * 1500))
    truth = values_of(reopened(damaged_root))
    lines = ledger_of(damaged_root).read_bytes().splitlines(keepends=True)
    (ledger_of(damaged_root).parent / "watermark").unlink(missing_ok=True)
    dice = random.Random(20260101)
    refused = 0
    for _ in range(MUTATIONS_EACH):
        mutated = mutation(dice, list(lines))
        ledger_of(damaged_root).write_bytes(mutated)
        fsck(damaged_root)
        try:
            shown = values_of(reopened(damaged_root, read_only=True))
        except LedgerError:
            refused += 1
        else:
            assert shown == truth[: len(shown)] or mutation is forge
    assert refused or mutation is cut
