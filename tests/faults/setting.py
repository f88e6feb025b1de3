"""How an experiment is run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from faults.nursery import Nursery
from faults.outcome import Skip

MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Setting:
    """How an experiment is run.

    Attributes:
        seed: the same seed makes the same choices (the instants of random kills stay random).
        short: the sizes of continuous integration.
        folder: where it may work.
        nursery: forks its victims.
        without_shim: why calls cannot be disturbed here; empty if they can.
        beside: whether SqliteSaver is put through the same.
        scale: multiplies the full sizes.
    """

    seed: int
    short: bool
    folder: Path
    nursery: Nursery
    without_shim: str
    beside: bool
    scale: float = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        """The savers the experiment is done to."""
        return ("ledger", "sqlite") if self.beside else ("ledger",)

    def size(self, full: int, short: int) -> int:
        return short if self.short else max(1, round(full * self.scale))

    def random(self, name: str) -> Random:
        return Random(f"{self.seed} {name}")

    def need_shim(self) -> None:
        """Raise Skip where calls cannot be disturbed."""
        if self.without_shim:
            raise Skip(self.without_shim)


@contextmanager
def fast_folder(setting: Setting) -> Iterator[Path]:
    """A folder in memory where there is one: kills and simulated disks do not care what is under the page cache."""
    where = MEMORY if os.access(MEMORY, os.W_OK) else setting.folder
    with tempfile.TemporaryDirectory(prefix="waypost-faults-", dir=where) as folder:
        yield Path(folder).resolve()
