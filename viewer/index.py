"""All runs of a folder as rows, kept up to date: a run is read again only where its ledger has changed.

What is kept can be thrown away at any time: it is made anew from the ledgers.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import orjson

from .._version import __version__
from ..nodes.recall import BATCH, REQUEST
from .ledgers import LEDGER, Ledgers, is_folder_name
from .rows import Row, read_row

_KEY_FILES = (LEDGER, BATCH, REQUEST)
_FIELDS = frozenset(field.name for field in fields(Row))
_SAVE_EVERY = 2000
_DRIVEN_AT_MOST = 64
_SAVED_FOR_S = 20.0

Key = tuple[int, int, int, int]
"""Of the file a row was read from: inode, size in bytes, when it was changed and when its rights were (nanoseconds)."""


@dataclass(frozen=True)
class Listing:
    """All rows, newest first, and how many are still to be read."""

    rows: tuple[Row, ...]
    missing: int
    version: int


class Index:
    """The rows of one runs folder. Thread-safe.

    Args:
        ledgers: where rows are read from.
        cache: the file that rows are kept in between two starts; None for nowhere.
    """

    def __init__(self, ledgers: Ledgers, cache: Path | None) -> None:
        self._ledgers = ledgers
        self._cache = cache
        self._reading = threading.Lock()
        self._known = _load(cache, ledgers.root) if cache else {}
        self._listing = Listing((), 0, 0)
        self._changed_rows = 0
        self._saved_at_s: float | None = None

    def refresh(self, *, at_most: int | None = None, stop: Callable[[], bool] = lambda: False) -> Listing:
        """Look at the folder, and read again what has changed, the newest first.

        Args:
            at_most: how many runs are read; the others are counted as missing.
            stop: asked between two runs.
        """
        with self._reading:
            keys = dict(_keys(self._ledgers.root))
            stale = [name for name, key in keys.items() if self._known.get(name, (None,))[0] != key]
            stale.sort(key=lambda name: keys[name][2], reverse=True)
            read = changed = 0
            for name in [*self._driven(keys), *stale[:at_most]]:
                if stop():
                    break
                row = read_row(self._ledgers, name)
                read += self._known.get(name, (None,))[0] != keys[name]
                changed += self._known.get(name, (None, None))[1] != row
                self._known[name] = (keys[name], row)
            gone = [name for name in self._known if name not in keys]
            for name in gone:
                del self._known[name]
            if changed or gone or not self._listing.version or len(stale) - read != self._listing.missing:
                rows = sorted((row for _, row in self._known.values()), key=lambda row: row.created_at, reverse=True)
                self._listing = Listing(tuple(rows), len(stale) - read, self._listing.version + 1)
            self._keep(changed + len(gone), done=len(stale) == read)
            return self._listing

    def glance(self, *, at_most: int) -> Listing:
        """As `refresh`, for somebody who waits: not while another is at it, unless nothing is known yet."""
        if self._reading.acquire(blocking=not self._listing.version):
            self._reading.release()
            return self.refresh(at_most=at_most)
        return self._listing

    def driver_of(self, name: str) -> int | None:
        """The process that drove a run when it was last looked at."""
        known = self._known.get(name)
        return known[1].pid if known else None

    def _driven(self, keys: Mapping[str, Key]) -> list[str]:
        """Runs whose driver may have died, which changes no file."""
        driven = [name for name, (key, row) in self._known.items() if row.pid is not None and keys.get(name) == key]
        return driven[:_DRIVEN_AT_MOST]

    @property
    def listing(self) -> Listing:
        """The rows as they were when the folder was last looked at."""
        return self._listing

    def _keep(self, changed: int, *, done: bool) -> None:
        self._changed_rows += changed
        if self._cache is None or not self._changed_rows or not (done or self._changed_rows >= _SAVE_EVERY):
            return
        # A live run changes its row again and again, and the file holds those of all.
        if self._saved_at_s is not None and time.monotonic() - self._saved_at_s < _SAVED_FOR_S:
            return
        self._save()

    def close(self) -> None:
        """Keep what is known for the next start."""
        with self._reading:
            if self._cache is not None and self._changed_rows:
                self._save()

    def _save(self) -> None:
        assert self._cache is not None
        self._changed_rows, self._saved_at_s = 0, time.monotonic()
        kept = {name: [*key, row.json()] for name, (key, row) in self._known.items()}
        with contextlib.suppress(OSError):
            _write(self._cache, orjson.dumps({"version": __version__, "root": str(self._ledgers.root), "rows": kept}))


def cache_file(root: Path) -> Path:
    """Where the rows of a runs folder are kept: outside of it, in the user's folder for such things."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "waypost" / "view" / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:32]}.json"


def _keys(root: Path) -> Iterator[tuple[str, Key]]:
    """Every folder that holds a run, with what tells whether it has changed."""
    try:
        with os.scandir(root) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return
    for name in names:
        if not is_folder_name(name):
            continue
        for file in _KEY_FILES:
            try:
                found = os.lstat(f"{root}/{name}/{file}")
            except OSError:
                continue
            yield name, (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            break


def _load(cache: Path, root: Path) -> dict[str, tuple[Key, Row]]:
    """What was kept; nothing where it is damaged, of another version or of another folder."""
    try:
        kept = orjson.loads(cache.read_bytes())
        if (kept["version"], kept["root"]) != (__version__, str(root)):
            return {}
        return {name: ((ino, size, at, then), _row(row)) for name, (ino, size, at, then, row) in kept["rows"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _row(kept: dict[str, object]) -> Row:
    if kept.keys() != _FIELDS:
        raise ValueError("a row of another shape")
    return Row(**kept)  # pyright: ignore[reportArgumentType]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
    os.replace(new, path)
