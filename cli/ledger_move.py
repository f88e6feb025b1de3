"""What `waypost ledger import` and `export` do: move threads from and to SQLite, and say how many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..checkpointing.migrate import Moved, export_sqlite, import_sqlite
from ..graphs.allow import STATE_TYPES
from ..state.errors import InputError, LedgerBlockedType
from .ledger_text import answer, escaped, print_json

_SCHEME = "sqlite:"


def import_threads(source: str, *, threads: Sequence[str], allow: Sequence[str], runs: Path, json: bool) -> int:
    """From a database into ledgers."""

    def work() -> int:
        return _tell(import_sqlite(_file(source), runs, threads, _allowed(allow)), f"into {runs}", json=json)

    return answer(lambda: _naming_the_option(work), json=json)


def export_threads(target: str, *, threads: Sequence[str], allow: Sequence[str], runs: Path, json: bool) -> int:
    """From ledgers into a database."""

    def work() -> int:
        return _tell(export_sqlite(runs, _file(target), threads, _allowed(allow)), f"into {target}", json=json)

    return answer(lambda: _naming_the_option(work), json=json)


def _file(address: str) -> Path:
    path = address.removeprefix(_SCHEME)
    if path == address or not path:
        raise InputError(f"{escaped(address)!r} is no database", next_step=f"give it as {_SCHEME}FILE")
    return Path(path)


def _allowed(names: Sequence[str]) -> list[type | tuple[str, str]]:
    allowed: list[type | tuple[str, str]] = [*STATE_TYPES]
    for name in names:
        module, _, inner = name.partition(":")
        if not inner:
            raise InputError(f"{escaped(name)!r} names no type", next_step="give it as --allow MODULE:NAME")
        allowed.append((module, inner))
    return allowed


def _naming_the_option(work: Callable[[], int]) -> int:
    """Say how a type is allowed here, not in Python."""
    try:
        return work()
    except LedgerBlockedType as refused:
        raise LedgerBlockedType(refused.what, next_step="if it is yours: --allow MODULE:NAME") from None


def _tell(moved: Sequence[Moved], where: str, *, json: bool) -> int:
    for one in moved:
        if json:
            print_json({"thread": one.thread, "checkpoints": one.checkpoints, "writes": one.writes})
        else:
            print(f"{escaped(one.thread)}: {one.checkpoints} checkpoints, {one.writes} pending writes")
    if not json:
        checkpoints, writes = sum(one.checkpoints for one in moved), sum(one.writes for one in moved)
        print(f"{len(moved)} threads {escaped(where)}: {checkpoints} checkpoints and {writes} writes, all compared")
    return 0
