"""Whether everything that a ledger refers to is there: each value is put together once."""

from __future__ import annotations

import hashlib

from ..state.errors import LedgerCorrupt
from .lines import SHAPELESS, Address, Data
from .packed import Packed, forms_of
from .view import View

Problem = tuple[int, str]


def complaints(view: View) -> list[Problem]:
    """What is wrong with the values of a ledger, each with its line."""
    problems: list[Problem] = []
    for number in range(1, view.index.lines + 1):
        try:
            line = view.line(number)
            for at, value in _values_of(line):
                if what := _complaint(view, Address(number, at), value):
                    problems.append((number, what))
        except LedgerCorrupt as damage:
            problems.append((number, damage.what))
    return problems


def _values_of(line: Data) -> list[tuple[str | int, Data]]:
    if line["kind"] == "checkpoint":
        return [*line["values"].items()]
    return [*enumerate(line["writes"])] if line["kind"] == "writes" else []


def _complaint(view: View, at: Address, value: Data) -> str:
    """What is wrong with a stored value; empty if nothing."""
    try:
        if len(forms := [*forms_of(value)]) != 1:
            return f"value {at.at!r} has the forms {forms}"
        if "empty" in value:
            return ""
        where = Address.of(value["same"]) if "same" in value else at
        found = view.texts.at(where)
    except SHAPELESS as error:
        return f"value {at.at!r} cannot be put together: {error!r}"
    expected = value.get("sha256")
    return "" if expected in (None, _hash(found)) else f"value {at.at!r} does not have the hash that it should have"


def _hash(packed: Packed) -> str:
    return hashlib.sha256(packed.form.encode() + b" " + packed.text).hexdigest()
