"""Who writes a ledger: a process named by pid, start time, host and boot, and whether it still lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil

from .lines import Data


@dataclass(frozen=True)
class Process:
    """One process, told apart from any later one with the same pid."""

    pid: int
    started: int
    host: str
    boot: str

    @property
    def name(self) -> str:
        """Its short name in each line it writes."""
        return f"{self.pid}-{self.started}"

    def json(self) -> Data:
        """The `by` of an open or lease line."""
        return {"pid": self.pid, "started": self.started, "host": self.host, "boot": self.boot}

    @classmethod
    def of(cls, by: Data) -> Process:
        """Read a `by`."""
        return cls(by["pid"], by["started"], by["host"], by["boot"])

    def alive(self) -> bool:
        """Whether it lives; true also where that cannot be known: on another host, or in another container."""
        if self.host != socket.gethostname():
            return True
        return self.boot == _boot() and _started(self.pid) == self.started


@dataclass(frozen=True)
class WriterInfo:
    """The writer a ledger names: its process, the epoch of its lease, and whether it lives or has let go."""

    pid: int
    started: int
    host: str
    boot: str
    epoch: int
    alive: bool
    released: bool


def this_process() -> Process:
    """The process we run in; after a fork it is another."""
    return _this(os.getpid())


@lru_cache(maxsize=1)
def _this(pid: int) -> Process:
    return Process(pid, _started(pid) or 0, socket.gethostname(), _boot())


@lru_cache(maxsize=1)
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return str(int(psutil.boot_time()))


def _started(pid: int) -> int | None:
    """Start time in the kernel's ticks since boot, which no clock change moves; None for no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _started_elsewhere(pid) if not Path("/proc/self/stat").exists() else None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _started_elsewhere(pid: int) -> int | None:
    try:
        return int(psutil.Process(pid).create_time() * 1000)
    except psutil.Error:
        return None
